// The tools on offer to a model family: our tools, some under the names that its surface gives them.
// What a call touches, asks and does is the inner tool's business; only its words are the surface's.
import type { Tool } from "#boundary/tools/port.ts";
import { ok } from "#core/failure.ts";
import type { Family } from "#core/model/catalog.ts";
import { fieldsOf, listOf } from "#core/model/json.ts";
import type { ToolSpec } from "#core/model/message.ts";
import type { SurfaceTool, Words } from "#core/model/surface.ts";
import { surfaces } from "#core/model/surfaces/index.ts";
import type { Effect } from "#core/session/tool-facts.ts";

/** What a session is told of its tools. */
export type Offer = { specs: ToolSpec[]; effects: Record<string, Effect> };

/** The tools of a family, made from ours; a surface tool whose inner one is missing is left out. */
export async function offered(tools: readonly Tool[], family: Family): Promise<readonly Tool[]> {
  const load = surfaces[family];
  if (!load) return tools;
  const { words, hidden, tools: all } = await load();
  const named = all.flatMap((tool) => {
    const inner = tools.find(({ spec }) => spec.name === tool.inner);
    return inner ? [mapped(tool, inner, words)] : [];
  });
  const plain = tools.filter(({ spec }) => !hidden.has(spec.name));
  return [...named, ...plain.map((tool) => worded(tool, words))];
}

/** Our tools as far as a session has them: a child may have fewer. */
export function toolsFor(
  tools: readonly Tool[],
  start: { child?: { tools?: readonly string[] | undefined } | undefined } | null,
): readonly Tool[] {
  const names = start?.child?.tools;
  return names ? tools.filter(({ spec }) => names.includes(spec.name)) : tools;
}

export function offerOf(tools: readonly Tool[]): Offer {
  return {
    specs: tools.map(({ spec }) => spec),
    effects: Object.fromEntries(tools.map(({ spec, effect }) => [spec.name, effect])),
  };
}

function mapped(tool: SurfaceTool, inner: Tool, words: Words): Tool {
  return {
    spec: tool.spec,
    effect: inner.effect,
    async prepare(text, context) {
      const asked = tool.read(text);
      if (!asked.ok) return asked;
      const { input, repairs } = asked.value;
      const prepared = await inner.prepare(JSON.stringify(input), { ...context, words });
      if (prepared.ok) return repairs.length > 0 ? ok({ ...prepared.value, repairs }) : prepared;
      const problems = problemsIn(prepared.error.detail);
      return problems.length > 0 ? tool.refuse(problems.join("; ")) : prepared;
    },
  };
}

/** What the inner tool's own reading had against a mapped input: over a limit of it. */
const problemsIn = (detail: unknown): string[] =>
  listOf(fieldsOf(detail).problems).flatMap((problem) =>
    typeof problem === "string" ? [problem] : [],
  );

/** One of our tools under its own name, which speaks of the others by the family's names. */
function worded(tool: Tool, words: Words): Tool {
  const about = tool.spec.about.replaceAll(/`(\w+)`/g, (_, name: string) => `\`${words(name)}\``);
  return {
    effect: tool.effect,
    spec: { ...tool.spec, about },
    prepare: (text, context) => tool.prepare(text, { ...context, words }),
  };
}
