// `/budget`: what the session may spend from here on, and what there is of it.
import { ok, type Result } from "#core/failure.ts";
import { readAmount } from "#core/ledger/amount.ts";
import { type Amount, amountText } from "#core/ledger/budget.ts";
import type { Chat } from "#interfaces/cli/chat/chat.ts";

export async function budgetOrder(chat: Chat, value: string): Promise<void> {
  if (value === "") return await shown(chat);
  const amount: Result<Amount | null> = value === "off" ? ok(null) : readAmount(value);
  if (!chat.report(amount)) return;
  const { session, app } = chat.talk;
  if (session === null) {
    const { budget: _, ...talk } = chat.talk;
    chat.talk = amount.value ? { ...talk, budget: amount.value } : talk;
  } else {
    const sent = await app.send({ type: "SetBudget", session, amount: amount.value });
    if (!chat.report(sent)) return;
    await chat.refresh();
  }
  chat.note(amount.value ? `budget ${amountText(amount.value)} from here on` : "no budget");
}

async function shown(chat: Chat): Promise<void> {
  await chat.refresh();
  const { session, app, state, budget } = chat.talk;
  if (session === null || !state?.budget) {
    const given = budget ? `budget ${amountText(budget)} from the first prompt on` : "no budget";
    return chat.note(`${given}; usage: /budget 2, /budget 200k tokens, /budget off`);
  }
  const where = { within: session };
  const rows = await app.read({ type: "View", view: "budgets", where, limit: 1_000 });
  if (!chat.report(rows)) return;
  const { nanoDollars, tokens } = state.budget;
  const leftOf = (most: number | null, column: "nanoDollars" | "tokens") =>
    most === null
      ? undefined
      : Math.max(0, most - rows.value.reduce((n, row) => n + Number(row[column]), 0));
  const left = {
    nanoDollars: leftOf(nanoDollars, "nanoDollars"),
    tokens: leftOf(tokens, "tokens"),
  };
  chat.note(`${amountText(left)} of the budget are left`);
}
