// Comparing the ledger with a provider's export: for each day and model what they say, what we say, the
// difference, and what could explain it. Pure; whole nano-dollars and tokens throughout.
import type { ExportRow } from "#core/ledger/exports/export.ts";

/** Figures of one side; a missing one was not said. */
export type Figures = {
  requests?: number;
  input?: number;
  output?: number;
  nanoDollars?: number;
};

/** What the ledger has of a day and model. */
export type OurRow = {
  day: number;
  /** `provider/name`. */
  model: string;
  calls: number;
  input: number;
  output: number;
  nanoDollars: number;
  /** Calls whose tokens are an upper bound, and tokens that had no price. */
  inexact: number;
  unpriced: number;
};

export type Compared = {
  day: number;
  /** As the provider names it, or as we do where only we know it; `all models` of a whole day. */
  model: string;
  theirs: Figures | null;
  ours: Figures | null;
  /** Ours less theirs, of what both sides say; a side without the line says 0. */
  difference: Figures;
  /** Whether no difference is over the tolerance. */
  agrees: boolean;
  explanations: readonly string[];
};

export type Reconciliation = {
  lines: readonly Compared[];
  /** Calls of ours on days that the export is not about. */
  beyond: number;
  agrees: boolean;
};

/** A line's money may differ by a cent: exports are rounded to one. */
const CENT = 10_000_000;
export const ALL_MODELS = "all models";

type Sum = Required<Figures> & { inexact: number; unpriced: number; name: string };

/**
 * `percent` of the larger side may differ. Where the export says nothing of models, days are compared as
 * wholes. Ours are those of `provider`, or all.
 */
export function reconcile(
  theirs: readonly ExportRow[],
  ours: readonly OurRow[],
  { provider, percent }: { provider: string | null; percent: number },
): Reconciliation {
  const days = theirs.map(({ day }) => day);
  const [from, to] = days.reduce(
    ([low, high], day) => [Math.min(low, day), Math.max(high, day)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  const mine = ours.filter(({ model }) => provider === null || model.startsWith(`${provider}/`));
  const within = mine.filter(({ day }) => day >= from && day <= to);
  const whole = theirs.some(({ model }) => model === null);
  const keyOf = ({ day, model }: { day: number; model: string | null }) =>
    JSON.stringify([day, whole || model === null ? ALL_MODELS : plainName(model)]);
  const told = toldIn(theirs);
  const left = summed(theirs, keyOf);
  const right = summed(within.map(asRow), keyOf);
  const keys = [...new Set([...left.keys(), ...right.keys()])].sort(byDay);
  const pairs = keys.map((key) => ({ key, theirs: left.get(key), ours: right.get(key) }));
  const lines = pairs.map(({ key, ...pair }) => {
    const [day = 0, name = ""] = JSON.parse(key) as [number, string];
    return compared(
      { day, name, ...pair },
      { told, percent, near: nearOf(left, right, { day, name }) },
    );
  });
  const isBeyond = ({ day }: OurRow) => day < from || day > to;
  const beyond = mine.filter(isBeyond).reduce((n, { calls }) => n + calls, 0);
  return { lines, beyond, agrees: lines.every(({ agrees }) => agrees) };
}

const byDay = (a: string, b: string): number => {
  const [[x, m], [y, n]] = [JSON.parse(a), JSON.parse(b)] as [[number, string], [number, string]];
  return x - y || (m < n ? -1 : Number(m > n));
};

/**
 * A model's name without what differs between an export and us: who serves it, a variant, the date of
 * its version, and how words are joined (`Claude Haiku 4.5` is `claude-haiku-4-5`).
 */
export function plainName(model: string): string {
  const last = model.slice(model.lastIndexOf("/") + 1).toLowerCase();
  const words = last.replace(/:.*$/, "").replaceAll(/[\s._]+/g, "-");
  return words.replace(/-(?:\d{4}-\d{2}-\d{2}|\d{8})$/, "");
}

type Told = Readonly<Record<keyof Figures, boolean>>;

/** Which figures an export has at all. */
const toldIn = (rows: readonly ExportRow[]): Told => ({
  requests: rows.some((row) => row.requests !== undefined),
  input: rows.some((row) => row.input !== undefined),
  output: rows.some((row) => row.output !== undefined),
  nanoDollars: rows.some((row) => row.nanoDollars !== undefined),
});

const asRow = (row: OurRow) => ({ ...row, requests: row.calls });

type Summed = ExportRow & Partial<Pick<OurRow, "inexact" | "unpriced">>;

function summed(
  rows: readonly Summed[],
  keyOf: (row: ExportRow) => string,
): ReadonlyMap<string, Sum> {
  const sums = new Map<string, Sum>();
  for (const row of rows) {
    const key = keyOf(row);
    const known = sums.get(key);
    const name = row.model ?? ALL_MODELS;
    const zero = { requests: 0, input: 0, output: 0, nanoDollars: 0, inexact: 0, unpriced: 0 };
    const sum = known ?? { ...zero, name };
    for (const column of Object.keys(zero) as (keyof typeof zero)[]) {
      sum[column] += row[column] ?? 0;
    }
    sums.set(key, sum);
  }
  return sums;
}

type Pair = { day: number; name: string; theirs: Sum | undefined; ours: Sum | undefined };
type Sums = ReadonlyMap<string, Sum>;

/** What the days before and after differ by, of the same model. */
function nearOf(
  left: Sums,
  right: Sums,
  { day, name }: { day: number; name: string },
): { day: number; by: number }[] {
  return [day - 1, day + 1].flatMap((near) => {
    const key = JSON.stringify([near, name]);
    const [theirs, ours] = [left.get(key), right.get(key)];
    return theirs || ours ? [{ day: near, by: (ours?.input ?? 0) - (theirs?.input ?? 0) }] : [];
  });
}

type How = { told: Told; percent: number; near: { day: number; by: number }[] };

function compared({ day, name, theirs, ours }: Pair, how: How): Compared {
  const { told, percent } = how;
  const columns = (Object.keys(told) as (keyof Figures)[]).filter((column) => told[column]);
  const figuresOf = (sum: Sum | undefined): Figures | null =>
    sum ? Object.fromEntries(columns.map((column) => [column, sum[column]])) : null;
  const differences = columns.map((column) => {
    const [a, b] = [ours?.[column] ?? 0, theirs?.[column] ?? 0];
    const room = Math.max(column === "nanoDollars" ? CENT : 0, (percent / 100) * Math.max(a, b));
    // How many requests there were explains, but costs nothing.
    return { column, by: a - b, agrees: column === "requests" || Math.abs(a - b) <= room };
  });
  const agrees = differences.every((one) => one.agrees);
  const difference = Object.fromEntries(differences.map(({ column, by }) => [column, by]));
  const model = name === ALL_MODELS ? ALL_MODELS : (theirs?.name ?? ours?.name ?? name);
  const explanations = agrees ? [] : explained({ theirs, ours, difference }, how);
  const sides = { theirs: figuresOf(theirs), ours: figuresOf(ours) };
  return { day, model, ...sides, difference, agrees, explanations };
}

function explained(
  { theirs, ours, difference }: Pick<Pair, "theirs" | "ours"> & { difference: Figures },
  { told, near }: How,
): string[] {
  const why: string[] = [];
  const { input = 0, output = 0, nanoDollars = 0, requests = 0 } = difference;
  if (!ours) why.push("only theirs: another program or another home used the account");
  if (!theirs) why.push("only ours: the export ends before it, or another account was asked");
  if (ours && ours.inexact > 0 && input + output >= 0) {
    why.push(
      `${ours.inexact} of our calls are upper bounds: the provider did not count them for us`,
    );
  }
  if (ours && ours.unpriced > 0 && told.nanoDollars) {
    why.push(`${ours.unpriced} of our tokens had no price when they were used`);
  }
  const sameTokens = told.input && told.output && input === 0 && output === 0;
  if (theirs && ours && sameTokens && nanoDollars !== 0) {
    why.push(
      "the tokens agree: the price was another (a discount, a batch, a longer cache, a tax)",
    );
  }
  if (theirs && ours && told.requests && requests < 0) {
    why.push(`they count ${-requests} more requests: something else used the account, too`);
  }
  const across = near.find(({ by }) => by !== 0 && Math.sign(by) === -Math.sign(input));
  if (across && input !== 0) {
    why.push("calls around midnight: we count one on the day on which it ended, they as it began");
  }
  return why.length > 0 ? why : ["nothing that the ledger knows explains it"];
}
