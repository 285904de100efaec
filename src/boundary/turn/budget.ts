// Budgets in the runner: what a call counts against, the guard that its start is appended under, and
// what the user is told. Where nobody set a budget nothing is looked up.
import type { EventLog, Guard, Sums } from "#boundary/log/port.ts";
import type { Sessions } from "#boundary/sessions.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import {
  type Amount,
  type Budgets,
  exhausted,
  heldByTokens,
  type Limit,
  type Lineage,
  limitsOf,
  nameOf,
  nearing,
  refusal,
  type Spent,
  unpriced,
} from "#core/ledger/budget.ts";
import type { SessionEvent } from "#core/session/events.ts";
import type { Session } from "#core/session/state.ts";
import { daySum, budgets as view } from "#core/views/budgets.ts";

/** Ancestors of a session, at most. */
const ANCESTORS_MAX = 16;
const COLUMNS = ["nanoDollars", "tokens", "asideNanoDollars", "asideTokens"] as const;

export type BudgetParts = {
  log: EventLog;
  sessions: Sessions;
  /** What the configuration sets, and the clock that says which day it is. */
  budgets?: { set: Budgets; now(): number };
};

/** What a call was set aside, and the model that is asked. */
export type Need = { model: string; budget: Amount & { tokens: number } };

export type TurnBudget = {
  /** Whether any call may be made, before anything is done for it; and what is to be told. */
  before(s: Session): Promise<Result<readonly SessionEvent[]>>;
  /** What holds the start of this call to every budget, and what is to be told with it. */
  guard(s: Session, need: Need): Promise<Result<Guarded>>;
};

/** The guard of an append, where there is a budget, and what is told with it. */
export type Guarded = { guard?: Guard; told: readonly SessionEvent[] };

export function turnBudget(parts: BudgetParts, stream: string): TurnBudget {
  const { set = {}, now = () => 0 } = parts.budgets ?? {};

  async function limits(s: Session): Promise<Result<Limit[]>> {
    const lineage = await lineageOf(s);
    return lineage.ok ? ok(limitsOf(set, lineage.value, daySum(now()))) : lineage;
  }

  /** A copy names its origin as its parent, too: the ledger knows what counts. */
  async function lineageOf(s: Session): Promise<Result<Lineage>> {
    const itself = { session: stream, own: s.budget };
    if (s.start?.parent === undefined) return ok([itself]);
    const where = { session: stream, lasting: 1 };
    const rows = await parts.log.tables.rows(view.name, { where, limit: ANCESTORS_MAX + 2 });
    if (!rows.ok) return rows;
    const above = rows.value
      .flatMap(({ within, depth }) => (depth === null || depth === 0 ? [] : [{ within, depth }]))
      .toSorted((a, b) => Number(a.depth) - Number(b.depth))
      .map(({ within }) => String(within));
    if (above.length > ANCESTORS_MAX) {
      return fail("too_large", `a session has ${ANCESTORS_MAX} ancestors at most`);
    }
    const lineage: Lineage[number][] = [itself];
    for (const session of above) {
      const ancestor = await parts.sessions.fold(session);
      if (!ancestor.ok) return ancestor;
      lineage.push({ session, own: ancestor.value.budget });
    }
    return ok(lineage);
  }

  return {
    async before(s) {
      const held = await limits(s);
      if (!held.ok || held.value.length === 0) return held.ok ? ok([]) : held;
      const { sums, spentIn } = summing(held.value);
      const read = await parts.log.tables.sums(view.name, sums);
      if (!read.ok) return read;
      const spentOf = spentIn(read.value);
      const news = nearing(held.value, spentOf)
        .filter(({ budget }) => !s.neared.includes(budget))
        .map((near): SessionEvent => ({ type: "BudgetNeared", ...near }));
      // What is near its end is said before what is at it.
      const refused = news.length > 0 ? null : exhausted(held.value, spentOf);
      return refused ?? ok(news);
    },
    async guard(s, { model, budget }) {
      const held = await limits(s);
      if (!held.ok || held.value.length === 0) return held.ok ? ok({ told: [] }) : held;
      const isBare = budget.nanoDollars === undefined;
      const bare = isBare ? unpriced(held.value, model) : null;
      if (bare) return bare;
      const told = isBare ? heldNotice(held.value, model, s.neared) : [];
      const { sums, spentIn } = summing(held.value);
      const refuses = (read: readonly Sums[]) => refusal(held.value, budget, spentIn(read));
      return ok({ guard: { table: view.name, sums, refuses }, told });
    },
  };
}

/** The sums that limits look at, each once, and how to find one among what was read. */
function summing(limits: readonly Limit[]) {
  const names = [...new Set(limits.map(({ within }) => within))];
  const sums = names.map((within) => ({ where: { within }, columns: COLUMNS }));
  const spentIn = (read: readonly Sums[]) => (within: string) =>
    read[names.indexOf(within)] as Spent;
  return { sums, spentIn };
}

/** Says once of each budget in money that only its tokens hold, as the model has no price. */
function heldNotice(
  limits: readonly Limit[],
  model: string,
  neared: readonly string[],
): SessionEvent[] {
  return heldByTokens(limits)
    .map((limit) => ({ budget: `unpriced ${model} ${nameOf(limit)}`, limit }))
    .filter(({ budget }) => !neared.includes(budget))
    .map(({ budget }) => ({
      type: "BudgetNeared",
      budget,
      say: `no price is known of ${model}: only tokens hold its budget`,
    }));
}
