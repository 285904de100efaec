// Keeps the list of what is to be done where the user can see it. The list is a fact of the
// session and nothing else: no file is touched.
import * as z from "zod/mini";
import { defineTool, outcome } from "#boundary/tools/tool.ts";
import { ok } from "#core/failure.ts";
import type { TodoItem } from "#core/session/tool-facts.ts";

/** Items of the list. */
const ITEMS_MAX = 50;
/** UTF-16 units of an item. */
const TEXT_CHARACTERS_MAX = 300;

const boxes: Record<TodoItem["state"], string> = { open: "[ ]", doing: "[>]", done: "[x]" };

export const todo = defineTool({
  name: "todo",
  effect: "pure",
  about: [
    "Replace the list of things to do, which the user sees. Use it for work of three steps or more,",
    "and again whenever an item begins or is done; at most one should be `doing`. Not for a single",
    "step, nor for notes. Always give the whole list; an empty one clears it.",
    `At most ${ITEMS_MAX} items of ${TEXT_CHARACTERS_MAX} characters.`,
  ].join(" "),
  input: z.strictObject({
    items: z
      .array(
        z.strictObject({
          text: z.string().check(z.minLength(1), z.maxLength(TEXT_CHARACTERS_MAX)),
          state: z.enum(["open", "doing", "done"]),
        }),
      )
      .check(z.maxLength(ITEMS_MAX)),
  }),
  example: {
    items: [
      { text: "Find why the test fails", state: "done" },
      { text: "Fix sum()", state: "doing" },
      { text: "Run all tests", state: "open" },
    ],
  },
  async prepare({ items }) {
    const done = items.filter(({ state }) => state === "done").length;
    return ok({
      access: [],
      effect: "pure" as const,
      intent: {},
      title: `todo: ${done} of ${items.length} done`,
      async run() {
        const lines = items.map(({ text, state }) => `${boxes[state]} ${text}`);
        const said = lines.length > 0 ? lines.join("\n") : "(the list is empty)";
        return outcome(said, { facts: [{ type: "todo", items }] });
      },
    });
  },
});
