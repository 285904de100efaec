// What a session remembers of its money: what it took besides answers, the budget that its user gave
// it, and of which budgets was said that most of them is spent.
import { addUsage } from "#core/model/message.ts";
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import { NEARED_MAX, type Session } from "#core/session/state.ts";

type Spending = EventOf<"ModelProbed" | "BudgetSet" | "BudgetNeared">;

export const isSpending = (e: SessionEvent): e is Spending =>
  e.type === "ModelProbed" || e.type === "BudgetSet" || e.type === "BudgetNeared";

export function spending(s: Session, e: Spending): Session {
  if (e.type === "ModelProbed") return { ...s, usage: addUsage(s.usage, e.usage) };
  if (e.type === "BudgetNeared") {
    return { ...s, neared: [...s.neared, e.budget].slice(-NEARED_MAX) };
  }
  const { nanoDollars, tokens } = e;
  return { ...s, budget: nanoDollars === null && tokens === null ? null : { nanoDollars, tokens } };
}
