// Errors behind an edit: what a language server has newly against the files that a tool changed. A
// help and no more: it is waited for briefly, and whatever becomes of it, the edit stands.
import { fitted } from "#boundary/tools/output.ts";
import type { Tool, ToolContext, ToolOutcome, ToolRun } from "#boundary/tools/port.ts";
import { accessTo, type Servers } from "#boundary/tools/servers/servers.ts";
import type { Reported } from "#boundary/tools/servers/shapes.ts";
import { isError, keyOf, lineOf } from "#boundary/tools/servers/tell.ts";
import { ok } from "#core/failure.ts";

/** The wait for all files of one call. */
const WAIT_MS = 2_000;
/** Files of one call, and lines that are told. */
const FILES_MAX = 5;
const LINES_MAX = 10;
/** Files whose errors are remembered, to tell the new ones. */
const KNOWN_MAX = 1_000;

/** Errors of a file as they were told last. */
type Known = Map<string, ReadonlySet<string>>;

/** Makes tools that write tell the new errors of what they wrote. */
export function tellingErrors(servers: Servers, waitMs = WAIT_MS): (tool: Tool) => Tool {
  const known: Known = new Map();
  return (tool) => ({
    ...tool,
    async prepare(input, context) {
      const prepared = await tool.prepare(input, context);
      if (!prepared.ok) return prepared;
      const run = async (running: ToolRun): Promise<ToolOutcome> => {
        const done = await prepared.value.run(running);
        const limit = AbortSignal.any([running.signal, AbortSignal.timeout(waitMs)]);
        const parts = { servers, known, context, signal: limit };
        // A bug in here must not hide what was written.
        const lines = await errorLines(done, parts).catch(() => []);
        if (lines.length === 0) return done;
        const text = { type: "text" as const, text: lines.join("\n") };
        const room = { ...context, mask: running.mask };
        return await fitted({ ...done, parts: [...done.parts, text] }, room);
      };
      return ok({ ...prepared.value, run });
    },
  });
}

type Parts = { servers: Servers; known: Known; context: ToolContext; signal: AbortSignal };

async function errorLines(done: ToolOutcome, parts: Parts): Promise<string[]> {
  const written = done.facts.flatMap((fact) =>
    fact.type === "fileChanged" && fact.after !== "absent" ? [fact.path] : [],
  );
  const told = await Promise.all(
    [...new Set(written)].slice(0, FILES_MAX).map((path) => newErrors(path, parts)),
  );
  const lines = told.flatMap(({ path, errors }) => errors.map((one) => lineOf(path, one)));
  if (lines.length === 0) return [];
  const more = lines.length > LINES_MAX ? [`(${lines.length - LINES_MAX} more: see \`code\`)`] : [];
  return ["Errors there now that were not told before:", ...lines.slice(0, LINES_MAX), ...more];
}

async function newErrors(
  path: string,
  { servers, known, context, signal }: Parts,
): Promise<{ path: string; errors: readonly Reported[] }> {
  const { root } = context.workspace;
  const none = { path, errors: [] };
  const found = await servers.forFile(root, path);
  if (!found) return none;
  const opened = await context.allows?.(accessTo(found));
  // What needs a leave of its own to run is not begun for this.
  if (!opened || Object.keys(opened).length > 0) return none;
  const talk = await servers.talk(found, { ...context, opened }, signal);
  const said = talk.ok ? await talk.value.diagnostics(path, signal) : talk;
  if (!said.ok) return none;
  const errors = said.value.filter(isError);
  const key = `${root}\0${path}`;
  const before = known.get(key);
  known.delete(key);
  known.set(key, new Set(errors.map(keyOf)));
  const [oldest] = known.keys();
  if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest);
  return { path, errors: before ? errors.filter((one) => !before.has(keyOf(one))) : errors };
}
