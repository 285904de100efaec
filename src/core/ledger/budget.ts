// Budgets: how much may be spent by a session, a child, a day and this home, in money and in tokens.
// A call is set aside before it is made and settled when it ends; one for which a budget has no room
// is not made. Pure: the sums come from the ledger (core/views/budgets.ts), looked at under the lock
// of the append that starts the call, so that a budget is passed by no more than what the calls under
// way take beyond what was set aside for them.
import { type Failed, fail } from "#core/failure.ts";
import { dollars } from "#core/model/money.ts";
import { USER } from "#core/views/budgets.ts";

/** Nano-dollars and tokens; a missing one is no limit. */
export type Amount = { nanoDollars?: number | undefined; tokens?: number | undefined };

/**
 * `user` all that is spent in this home · `day` what it spends in a day (UTC) · `session` a session
 * with its children · `child` a session with a parent, with its own children.
 */
export const budgetKinds = ["user", "day", "session", "child"] as const;
export type BudgetKind = (typeof budgetKinds)[number];
export type Budgets = Readonly<Partial<Record<BudgetKind, Amount>>>;

/** One number that may not be passed, and the sum that it is compared with. */
export type Limit = {
  kind: BudgetKind | "own";
  within: string;
  unit: keyof Amount & string;
  most: number;
};

/** A sum of the ledger: spent, and set aside for calls under way. */
export type Spent = {
  nanoDollars: number;
  tokens: number;
  asideNanoDollars: number;
  asideTokens: number;
};
export type SpentOf = (within: string) => Spent;

/** Who is asked for: the session with its ancestors, and what the user set for each of them. */
export type Lineage = readonly {
  session: string;
  own: { nanoDollars: number | null; tokens: number | null } | null;
}[];

/** Share of a budget at which its user is warned. */
const NEAR = 0.8;

/** Every limit that a call of a session counts against. `day` names the sum of the present day. */
export function limitsOf(budgets: Budgets, lineage: Lineage, day: string): Limit[] {
  const children = lineage.slice(0, -1).map(({ session }) => session);
  const eldest = lineage.at(-1)?.session;
  return [
    ...limits("user", USER, budgets.user),
    ...limits("day", day, budgets.day),
    ...(eldest === undefined ? [] : limits("session", eldest, budgets.session)),
    ...children.flatMap((child) => limits("child", child, budgets.child)),
    ...lineage.flatMap(({ session, own }) =>
      limits("own", session, {
        ...(own?.nanoDollars == null ? {} : { nanoDollars: own.nanoDollars }),
        ...(own?.tokens == null ? {} : { tokens: own.tokens }),
      }),
    ),
  ];
}

function limits(kind: Limit["kind"], within: string, amount: Amount = {}): Limit[] {
  const { nanoDollars, tokens } = amount;
  return [
    ...(nanoDollars === undefined
      ? []
      : [{ kind, within, unit: "nanoDollars" as const, most: nanoDollars }]),
    ...(tokens === undefined ? [] : [{ kind, within, unit: "tokens" as const, most: tokens }]),
  ];
}

/** Why a call that needs so much may not be made, or null. Without a price money holds nothing. */
export function refusal(
  limits: readonly Limit[],
  need: Amount & { tokens: number },
  spentOf: SpentOf,
): Failed | null {
  for (const limit of limits) {
    const needs = need[limit.unit];
    const { spent, aside } = takenOf(limit, spentOf);
    if (needs !== undefined && spent + aside + needs > limit.most) {
      return usedUp(limit, { spent, aside, needs });
    }
  }
  return null;
}

/** Why no call may be made at all: a budget is used up to the end. */
export function exhausted(limits: readonly Limit[], spentOf: SpentOf): Failed | null {
  for (const limit of limits) {
    const { spent, aside } = takenOf(limit, spentOf);
    if (spent + aside >= limit.most) return usedUp(limit, { spent, aside, needs: undefined });
  }
  return null;
}

/**
 * Why a model without a price may not be asked: a budget in money that nothing holds it to. Where
 * the same budget has tokens too, those hold it.
 */
export function unpriced(limits: readonly Limit[], model: string): Failed | null {
  const bare = limits.find((limit) => limit.unit === "nanoDollars" && !tokensOf(limits, limit));
  if (!bare) return null;
  const say = `no price is known of ${model}, so ${whose[bare.kind]} of ${shown(bare, bare.most)} cannot hold it`;
  return fail("budget", say, {
    fix: `give it one (aiex config set models '[{"name":"${model}","price":{"input":0,"output":0}}]', in dollars a million tokens), or set ${keyOf({ ...bare, unit: "tokens" })} as well`,
  });
}

/** The budgets in money that only their tokens hold, where a model has no price. */
export const heldByTokens = (limits: readonly Limit[]): Limit[] =>
  limits.filter((limit) => limit.unit === "nanoDollars" && tokensOf(limits, limit));

const tokensOf = (limits: readonly Limit[], { kind, within }: Limit): boolean =>
  limits.some((one) => one.kind === kind && one.within === within && one.unit === "tokens");

/** The limits of which most is spent, each with its name and what to say of it. */
export function nearing(
  limits: readonly Limit[],
  spentOf: SpentOf,
): { budget: string; say: string }[] {
  return limits.flatMap((limit) => {
    const { spent } = takenOf(limit, spentOf);
    if (spent < NEAR * limit.most) return [];
    const share = Math.floor((100 * spent) / limit.most);
    const say = `${share} % of ${whose[limit.kind]} is spent: ${shown(limit, spent)} of ${shown(limit, limit.most)}`;
    return [{ budget: nameOf(limit), say }];
  });
}

/** Tells a limit from every other, and from itself once it was changed. */
export const nameOf = ({ kind, within, unit, most }: Limit): string =>
  `${kind} ${within} ${unit} ${most}`;

const whose: Record<Limit["kind"], string> = {
  user: "your budget (of this home, in all)",
  day: "the budget of this day (UTC)",
  session: "the budget of a session",
  child: "the budget of a child",
  own: "the budget that you gave this session",
};

function usedUp(
  limit: Limit,
  { spent, aside, needs }: { spent: number; aside: number; needs: number | undefined },
): Failed {
  const parts = [`${shown(limit, spent)} of ${shown(limit, limit.most)} are spent`];
  if (aside > 0) parts.push(`${shown(limit, aside)} are set aside for calls under way`);
  if (needs !== undefined) parts.push(`this call needs about ${shown(limit, needs)}`);
  const over = needs !== undefined && spent + aside < limit.most;
  const what = over ? "has no room for another call" : "is used up";
  return fail("budget", `${whose[limit.kind]} ${what}: ${parts.join(", ")}`, {
    fix: raising(limit),
    detail: { kind: limit.kind, unit: limit.unit, most: limit.most, spent, aside },
  });
}

function raising(limit: Limit): string {
  if (limit.kind === "own") {
    return "give it more: `aiex ask --continue --budget 2 …`, or /budget in a chat";
  }
  const more = limit.unit === "tokens" ? 2 * limit.most : Math.ceil((2 * limit.most) / 1e9);
  const raise = `raise it: aiex config set ${keyOf(limit)} ${more}`;
  return limit.kind === "day" ? `${raise}, or go on tomorrow` : raise;
}

/** The key of the configuration, or the order, that sets a limit. */
const keyOf = ({ kind, unit }: Pick<Limit, "kind" | "unit">): string =>
  kind === "own" ? "its tokens" : `budget.${kind}${unit === "tokens" ? "Tokens" : "Dollars"}`;

/** As people read it: `$2`, `200000 tokens`, both, or `nothing`. */
export function amountText({ nanoDollars, tokens }: Amount): string {
  const parts = [
    ...(nanoDollars === undefined ? [] : [dollars(nanoDollars)]),
    ...(tokens === undefined ? [] : [`${tokens} tokens`]),
  ];
  return parts.length > 0 ? parts.join(" and ") : "nothing";
}

const shown = ({ unit }: Pick<Limit, "unit">, n: number): string =>
  unit === "tokens" ? `${n} tokens` : dollars(n);

function takenOf({ within, unit }: Limit, spentOf: SpentOf): { spent: number; aside: number } {
  const sums = spentOf(within);
  return unit === "tokens"
    ? { spent: sums.tokens, aside: sums.asideTokens }
    : { spent: sums.nanoDollars, aside: sums.asideNanoDollars };
}
