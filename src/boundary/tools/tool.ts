// Defines a tool from its input schema (core/model/input.ts) and what it does, and words what tools
// say.
import type * as z from "zod/mini";
import { fitted } from "#boundary/tools/output.ts";
import type { Prepared, Tool, ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { type Failure, ok, type Result, sentenceOf } from "#core/failure.ts";
import { type InputDefinition, type InputSchema, inputForm } from "#core/model/input.ts";
import type { UserPart } from "#core/model/message.ts";
import type { Effect, Fact } from "#core/session/tool-facts.ts";

/** Characters of a name or a line that stand where there is room for one line. */
const ONE_LINE_CHARACTERS_MAX = 200;

export type ToolDefinition<Schema extends InputSchema> = InputDefinition<Schema> & {
  /** The widest class a call can have; a prepared call may be narrower. */
  effect: Effect;
  /** As the port's `prepare`, with the input checked. */
  prepare(input: z.output<Schema>, context: ToolContext): Promise<Result<Prepared>>;
};

/**
 * Arguments that do not fit the schema fail as `bad_input`; what was repaired is told, and results
 * are within the room that the context leaves them.
 */
export function defineTool<Schema extends InputSchema>(definition: ToolDefinition<Schema>): Tool {
  const { effect, prepare } = definition;
  const { spec, read } = inputForm(definition);
  return {
    effect,
    spec,
    async prepare(text, context) {
      const asked = read(text);
      if (!asked.ok) return asked;
      const { input, repairs } = asked.value;
      const prepared = await prepare(input, context);
      if (!prepared.ok) return prepared;
      // What a model wrote is in the title, which is one line that a person reads.
      const title = inOneLine(prepared.value.title);
      const run: Prepared["run"] = async (running) =>
        await fitted(await prepared.value.run(running), { ...context, mask: running.mask });
      return ok({ ...prepared.value, title, run, ...(repairs.length > 0 ? { repairs } : {}) });
    },
  };
}

/** What a tool says when it is done. */
export function outcome(
  said: string | UserPart[],
  { facts = [], failed = false }: { facts?: Fact[]; failed?: boolean } = {},
): ToolOutcome {
  const parts: UserPart[] = typeof said === "string" ? [{ type: "text", text: said }] : said;
  return { failed, parts, facts };
}

/** What a tool says when it could not do it: what was wrong, then the next step. */
export function refusal(failure: Failure, facts: Fact[] = []): ToolOutcome {
  return outcome(sentenceOf(failure), { failed: true, facts });
}

/** A name or a pattern in one line of bounded length, whatever is in it. */
export function inOneLine(name: string): string {
  const text = /[\0-\x1f\x7f\u2028\u2029]/.test(name) ? JSON.stringify(name) : name;
  return text.length > ONE_LINE_CHARACTERS_MAX
    ? `${text.slice(0, ONE_LINE_CHARACTERS_MAX)}…`
    : text;
}

/** Reports one below the other; those that no longer fit are cut to the beginning of a line. */
export function reported(reports: readonly string[], charactersMax: number): string {
  let left = charactersMax;
  const shown = reports.map((report) => {
    left -= report.length + 1;
    return left >= 0 ? report : inOneLine(report.split("\n", 1)[0] ?? "");
  });
  return shown.join("\n");
}
