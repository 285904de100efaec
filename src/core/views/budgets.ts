// What counts against budgets: of each session what it spent and what is set aside for its open call,
// in a row for each sum that it counts in: its own, each ancestor's, this home's, and each day's (UTC).
// Fed with the log: who looks at it under the lock of an append sees every call before it.
import type { Figures, Took } from "#core/ledger/figures.ts";
import type { Usage } from "#core/model/message.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { type Decoded, isSettled, SETTLING, type Settled } from "#core/session/upcast.ts";
import { isCopied, type Row, type RowChange, type View } from "#core/views/view.ts";

const DAY_MS = 86_400_000;

/** The sum of this home, and of one of its days; every other one is called as its session. */
export const USER = "user:";
export const dayOf = (at: number): number => Math.floor(at / DAY_MS);
export const daySum = (at: number): string => `day:${dayOf(at)}`;

/** Columns of money and tokens, spent and set aside; `unpriced` tokens have no money. */
export const budgetColumns = [
  "nanoDollars",
  "tokens",
  "unpriced",
  "asideNanoDollars",
  "asideTokens",
] as const;
export type BudgetSums = Record<(typeof budgetColumns)[number], number>;

const zero: BudgetSums = {
  nanoDollars: 0,
  tokens: 0,
  unpriced: 0,
  asideNanoDollars: 0,
  asideTokens: 0,
};
const none = { asideNanoDollars: 0, asideTokens: 0 };

export const budgets: View = {
  name: "budgets",
  version: 4,
  types: new Set(["SessionStarted", "StepStarted", "SummaryStarted", ...SETTLING, "SessionErased"]),
  atOnce: true,
  columns: {
    session: "text",
    within: "text",
    /** 0 its own sum, 1 its parent's, 2 that one's parent's …; null for home and days. */
    depth: "integer",
    /** 1 where the row lasts as long as the session, 0 for a day's. */
    lasting: "integer",
    ...Object.fromEntries(budgetColumns.map((name) => [name, "integer"])),
  },
  key: ["session", "within"],
  // Without the sums themselves: each end of a call would write a page more.
  indexes: [["within"]],
  apply(record, decoded) {
    const { stream: session, at } = record;
    const settled = settledIn(decoded);
    // A copy has its own sums, and none of what it copied is in them.
    if (settled) return isCopied(record) ? [] : spent(session, at, settled.usage);
    if (decoded.kind !== "event") return [];
    const e = decoded.event;
    switch (e.type) {
      case "SessionStarted":
        return begun(session, isCopied(record) ? [] : ancestorsOf(e));
      case "StepStarted":
      case "SummaryStarted":
        return isCopied(record) ? [] : setAside(session, at, e.budget);
      case "SessionErased":
        return erased(session, e);
      default:
        return [];
    }
  },
};

function settledIn(decoded: Decoded): Settled | undefined {
  if (decoded.kind === "far") return decoded.settled;
  return decoded.kind === "event" && isSettled(decoded.event) ? decoded.event : undefined;
}

const ancestorsOf = ({
  parent,
  ancestors,
}: Extract<SessionEvent, { type: "SessionStarted" }>): readonly string[] =>
  ancestors ?? (parent === undefined ? [] : [parent]);

function begun(session: string, ancestors: readonly string[]): RowChange[] {
  const sums = [session, ...ancestors];
  const row = (within: string, depth: number | null): Row => ({
    ...{ session, within, depth, lasting: 1 },
    ...zero,
  });
  return [...sums.map((within, depth) => row(within, depth)), row(USER, null)].map((made) => ({
    do: "put",
    row: made,
  }));
}

/** A session has one open call: what was set aside for one before it is over. */
function setAside(
  session: string,
  at: number,
  budget: { tokens: number; nanoDollars?: number } | undefined,
): RowChange[] {
  const aside = {
    asideNanoDollars: budget?.nanoDollars ?? 0,
    asideTokens: budget?.tokens ?? 0,
  };
  const day = { session, within: daySum(at) };
  return [
    { do: "change", key: { session }, set: none },
    { do: "change", key: { session, lasting: 1 }, set: aside },
    { do: "add", key: day, zero: { depth: null, lasting: 0, ...zero }, add: aside },
  ];
}

/** What it took goes on to count in all sums but its own: else erasing would give a budget back. */
function erased(
  session: string,
  { took = [], within = [] }: Extract<SessionEvent, { type: "SessionErased" }>,
): RowChange[] {
  const put = (sum: string, depth: number | null, rows: readonly Took[]): RowChange => {
    const lasting = depth === null && sum !== USER ? 0 : 1;
    return { do: "put", row: { session, within: sum, depth, lasting, ...sumOf(rows) } };
  };
  const days = Map.groupBy(took, ({ day }) => day);
  return [
    { do: "drop", where: { session } },
    ...(took.length > 0 ? [put(USER, null, took)] : []),
    ...within.map((ancestor, i) => put(ancestor, i + 1, took)),
    ...[...days].map(([day, rows]) => put(`day:${day}`, null, rows)),
  ];
}

const sumOf = (rows: readonly Took[]): BudgetSums => {
  const all = (...names: (keyof Figures)[]): number =>
    rows.reduce((sum, row) => names.reduce((more, name) => more + row[name], sum), 0);
  return {
    ...zero,
    nanoDollars: all("nanoDollars"),
    tokens: all("input", "output"),
    unpriced: all("unpricedInput", "unpricedOutput"),
  };
};

function spent(session: string, at: number, usage: Usage): RowChange[] {
  const tokens = usage.input + usage.output;
  const add = {
    nanoDollars: usage.cost?.nanoDollars ?? 0,
    tokens,
    unpriced: usage.cost ? 0 : tokens,
  };
  const reset: RowChange = { do: "change", key: { session }, set: none };
  if (Object.values(add).every((n) => n === 0)) return [reset];
  const day = { session, within: daySum(at) };
  return [
    reset,
    { do: "change", key: { session, lasting: 1 }, add },
    { do: "add", key: day, zero: { depth: null, lasting: 0, ...zero }, add },
  ];
}
