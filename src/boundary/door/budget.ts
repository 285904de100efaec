// What a user gives a session to spend from here on: kept as what it may have spent in all, so that
// whoever runs it later, and its children, hold to the same number.
import type { Command } from "#app";
import type { DoorParts } from "#boundary/door/parts.ts";
import { ok, type Result } from "#core/failure.ts";
import { amountText } from "#core/ledger/budget.ts";
import { budgets } from "#core/views/budgets.ts";

export async function setBudget(
  parts: DoorParts,
  { session, amount }: Extract<Command, { type: "SetBudget" }>,
): Promise<Result<{ stream: string; version: number }>> {
  const columns = ["nanoDollars", "tokens"];
  const sums = await parts.log.tables.sums(budgets.name, [{ where: { within: session }, columns }]);
  if (!sums.ok) return sums;
  const [spent] = sums.value;
  const upTo = (unit: "nanoDollars" | "tokens"): number | null => {
    const more = amount?.[unit];
    return more === undefined ? null : (spent?.[unit] ?? 0) + more;
  };
  const limit = { nanoDollars: upTo("nanoDollars"), tokens: upTo("tokens") };
  const done = await parts.sessions.command(session, {
    type: "SetBudget",
    ...limit,
    say: amount ? `${amountText(amount)} from here on` : "none",
  });
  return done.ok ? ok({ stream: session, version: done.value.version }) : done;
}
