// Shows the repository at a glance: the symbols that most of it refers to, with their signatures.
import * as z from "zod/mini";
import { freshIndex, presentIn } from "#boundary/tools/indexed.ts";
import type { ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { defineTool, outcome, refusal } from "#boundary/tools/tool.ts";
import { ok } from "#core/failure.ts";

const TOKENS = 1_500;
const TOKENS_MAX = 8_000;
/** Bytes that a token of a map has, at least. */
const BYTES_PER_TOKEN = 3;

export const repoMap = defineTool({
  name: "repo_map",
  effect: "pure",
  about: "See the most used symbols of the repository with their signatures, by file.",
  input: z.strictObject({
    focus: z.optional(
      z
        .string()
        .check(z.minLength(1), z.maxLength(20_000), z.describe("Words or paths it is for.")),
    ),
    tokens: z.optional(z.int().check(z.gte(100), z.lte(TOKENS_MAX))),
  }),
  example: { focus: "src cart total" },
  async prepare({ focus, tokens = TOKENS }, context) {
    return ok({
      access: [{ kind: "read" as const, path: "." }],
      effect: "pure" as const,
      intent: {},
      title: `repo_map${focus === undefined ? "" : ` ${focus}`}`,
      run: ({ signal }) => drawn({ focus, tokens }, context, signal),
    });
  },
});

async function drawn(
  { focus, tokens }: { focus: string | undefined; tokens: number },
  context: ToolContext,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const fresh = await freshIndex(context, signal);
  if (!fresh.ok) return refusal(fresh.error);
  const { index, note } = fresh.value;
  const { mayRead } = await presentIn(context);
  const room = Math.floor(context.resultBytesMax / BYTES_PER_TOKEN);
  const made = await index.map({
    tokens: Math.min(tokens, room),
    only: mayRead,
    ...(focus === undefined ? {} : { focus }),
  });
  if (!made.ok) return refusal(made.error);
  const { text } = made.value;
  const said = text === "" ? "(nothing that could be shown: give more tokens)" : text;
  return outcome([...(note === "" ? [] : [note]), said].join("\n"));
}
