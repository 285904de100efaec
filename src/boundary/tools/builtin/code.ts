// What a language server knows of the code: the errors of files, where a name is defined, and where
// it is used. On offer only where one is found for the folder.
import * as z from "zod/mini";
import type { ToolContext, ToolOutcome, ToolRun } from "#boundary/tools/port.ts";
import type { FoundServer } from "#boundary/tools/servers/found.ts";
import { accessTo, type Servers } from "#boundary/tools/servers/servers.ts";
import { noServer, placeInput, spotOf } from "#boundary/tools/servers/spot.ts";
import { isError, isWarning, lineOf, placesTold } from "#boundary/tools/servers/tell.ts";
import { defineTool, outcome, refusal } from "#boundary/tools/tool.ts";
import { fail, ok, type Result, sentenceOf } from "#core/failure.ts";
import type { Access } from "#core/security/access.ts";

/** Files of one call. */
const FILES_MAX = 20;
/** Lines of one answer. */
const ERRORS_MAX = 50;
const PLACES_MAX = 100;

const input = z.strictObject({
  operation: z.enum(["diagnostics", "definition", "references"]),
  path: z.optional(
    z
      .string()
      .check(
        z.minLength(1),
        z.maxLength(4_096),
        z.describe("The file. Without it the diagnostics of all files you changed."),
      ),
  ),
  line: z.optional(placeInput.line),
  symbol: z.optional(placeInput.symbol),
});

type Asked = z.output<typeof input>;

export const code = (servers: Servers) =>
  defineTool({
    name: "code",
    effect: "pure",
    about: [
      "Ask the language server: `diagnostics` are the errors and warnings of a file; `definition` and",
      "`references` of a name give the places where it is defined and used, by `path`, `line` and",
      "`symbol`. Knows the code better than a text search, but only the languages of its servers.",
      `At most ${ERRORS_MAX} diagnostics or ${PLACES_MAX} places.`,
    ].join(" "),
    input,
    example: { operation: "references", path: "src/sum.ts", line: 3, symbol: "sum" },
    async prepare(asked, context) {
      const files = filesOf(asked, context);
      if (!files.ok) return files;
      const { root } = context.workspace;
      const named = await Promise.all(
        files.value.map(async (path) => ({ path, found: await servers.forFile(root, path) })),
      );
      const known = named.flatMap(({ path, found }) => (found ? [{ path, found }] : []));
      const [first] = known;
      if (!first) return await noServer(servers, root, files.value[0] ?? ".");
      const programs = new Map(known.map(({ found }) => [found.program, accessTo(found)]));
      const reads = known.map(({ path }): Access => ({ kind: "read", path }));
      const { operation, symbol } = asked;
      const where = known.length > 1 ? `${known.length} files` : first.path;
      return ok({
        access: [...reads, ...programs.values()],
        effect: "pure" as const,
        intent: {},
        title: `${operation} of ${symbol === undefined ? where : `${symbol} in ${where}`}`,
        run: (running) =>
          operation === "diagnostics"
            ? errorsTold(servers, known, context, running)
            : placesFound({ ...asked, operation }, { servers, ...first }, context, running),
      });
    },
  });

function filesOf(
  { operation, path, line, symbol }: Asked,
  { workspace, changed = [], words }: ToolContext,
): Result<string[]> {
  if (operation !== "diagnostics" && (!path || line === undefined || symbol === undefined)) {
    return fail("bad_input", `${operation} needs \`path\`, \`line\` and \`symbol\``);
  }
  if (path !== undefined) {
    const name = workspace.relative(path);
    return name.ok ? ok([name.value]) : name;
  }
  if (changed.length > 0) return ok(changed.slice(-FILES_MAX));
  return fail("not_found", "this session has changed no file yet", {
    fix: `name a \`path\`, or search with \`${words("search")}\``,
  });
}

type File = { path: string; found: FoundServer };

async function errorsTold(
  servers: Servers,
  files: readonly File[],
  context: ToolContext,
  { signal, opened }: ToolRun,
): Promise<ToolOutcome> {
  const lines: string[] = [];
  const heads: string[] = [];
  let failed = 0;
  for (const { path, found } of files) {
    const talk = await servers.talk(found, { ...context, opened }, signal);
    const said = talk.ok ? await talk.value.diagnostics(path, signal) : talk;
    if (!said.ok) {
      failed += 1;
      heads.push(`${path}: ${sentenceOf(said.error)}`);
      continue;
    }
    const errors = said.value.filter(isError);
    const warnings = said.value.filter(isWarning);
    const counts = `${errors.length} errors, ${warnings.length} warnings`;
    heads.push(`${path}: ${counts} (${found.server.name})`);
    lines.push(...[...errors, ...warnings].map((one) => lineOf(path, one)));
  }
  const shown = lines.slice(0, ERRORS_MAX);
  const more = lines.length > shown.length ? [`(${lines.length - shown.length} more)`] : [];
  return outcome([...heads, ...shown, ...more].join("\n"), { failed: failed === files.length });
}

type Wanted = Asked & { operation: "definition" | "references" };

async function placesFound(
  { operation, line = 1, symbol = "" }: Wanted,
  { servers, path, found }: File & { servers: Servers },
  context: ToolContext,
  { signal, opened }: ToolRun,
): Promise<ToolOutcome> {
  const talk = await servers.talk(found, { ...context, opened }, signal);
  if (!talk.ok) return refusal(talk.error);
  const spot = await spotOf({ path, line, symbol }, context.workspace);
  if (!spot.ok) return refusal(spot.error);
  const places = await talk.value.find(operation, spot.value, signal);
  if (!places.ok) return refusal(places.error);
  const told = await placesTold(places.value.slice(0, PLACES_MAX), context);
  const left = places.value.length - PLACES_MAX;
  const count = places.value.length;
  const head = `${count} ${count === 1 ? "place" : "places"} (${found.server.name})`;
  return outcome([head, ...told, ...(left > 0 ? [`(${left} more)`] : [])].join("\n"));
}
