// Renames a name everywhere it is used, by the language server's word: it says what to change, and
// the files are written as by a patch, each only if it still is what the server saw.
import * as z from "zod/mini";
import { sha256 } from "#boundary/digest.ts";
import { carryOut } from "#boundary/tools/patch-steps.ts";
import type { PatchStep } from "#boundary/tools/patched-files.ts";
import type { ToolContext } from "#boundary/tools/port.ts";
import { fileAt } from "#boundary/tools/servers/documents.ts";
import { accessTo, type Servers } from "#boundary/tools/servers/servers.ts";
import type { TextEdit, workspaceEdit } from "#boundary/tools/servers/shapes.ts";
import { type NamedPlace, noServer, placeInput, spotOf } from "#boundary/tools/servers/spot.ts";
import type { Talk } from "#boundary/tools/servers/talk.ts";
import { bytesOf, maskedText, presentFile, textIn } from "#boundary/tools/text-file.ts";
import { defineTool } from "#boundary/tools/tool.ts";
import { unifiedDiff } from "#core/code/diff.ts";
import { editedText, lastNameOf } from "#core/code/text-edits.ts";
import { fail, ok, type Result } from "#core/failure.ts";

/** Files that one rename changes. */
const FILES_MAX = 200;

export const rename = (servers: Servers) =>
  defineTool({
    name: "rename",
    effect: "verifiable",
    about: [
      "Rename a variable, function, type or member in all files that use it, by the language server:",
      "safer and shorter than edits one by one. Strings and comments stay as they are. Files need not",
      `have been read. At most ${FILES_MAX} files.`,
    ].join(" "),
    input: z.strictObject({
      path: z.string().check(z.minLength(1), z.maxLength(4_096), z.describe("The file.")),
      ...placeInput,
      to: z.string().check(z.minLength(1), z.maxLength(200), z.describe("The new name.")),
    }),
    example: { path: "src/sum.ts", line: 3, symbol: "sum", to: "total" },
    async prepare({ path: given, line, symbol, to }, context) {
      const name = context.workspace.relative(given);
      if (!name.ok) return name;
      const masked = maskedText([to], "");
      if (masked) return masked;
      const talk = await talkFor(servers, name.value, context);
      if (!talk.ok) return talk;
      const place = { path: name.value, line, symbol };
      const steps = await stepsOf(talk.value, place, to, context);
      if (!steps.ok) return steps;
      const told = steps.value.map(({ change: { path }, places }) => ({
        say: `${path} (${places === 1 ? "1 place" : `${places} places`})`,
        paths: [path],
      }));
      const head = { say: `renamed ${symbol} to ${to} in ${told.length} files:`, paths: [] };
      return ok({
        access: steps.value.map(({ change: { path }, diff }) => ({
          kind: "write" as const,
          path,
          diff,
        })),
        effect: "verifiable" as const,
        intent: { files: steps.value.map(({ change }) => change) },
        title: `rename ${symbol} to ${to} in ${told.length} files`,
        run: () => carryOut(steps.value, context.workspace, [head, ...told], false),
      });
    },
  });

/** What to change is asked before anybody is, so the server must be one that needs no leave. */
async function talkFor(
  servers: Servers,
  path: string,
  context: ToolContext,
): Promise<Result<Talk>> {
  const { workspace, signal, words } = context;
  const found = await servers.forFile(workspace.root, path);
  if (!found) return await noServer(servers, workspace.root, path);
  const opened = await context.allows?.(accessTo(found));
  if (opened) return await servers.talk(found, { ...context, opened }, signal);
  return fail("permission_needed", `${found.server.name} may not be run here without a question`, {
    fix: `find the places with \`${words("search")}\` and change them with \`${words("edit")}\``,
  });
}

type RenameStep = PatchStep & { places: number };

async function stepsOf(
  talk: Talk,
  place: NamedPlace,
  to: string,
  context: ToolContext,
): Promise<Result<RenameStep[]>> {
  const spot = await spotOf(place, context.workspace);
  if (!spot.ok) return spot;
  const answer = await talk.rename(spot.value, to, context.signal);
  if (!answer.ok) return answer;
  const changes = changesIn(answer.value);
  if (!changes.ok) return changes;
  if (changes.value.size === 0) {
    return fail("no_match", `${talk.server.name} finds nothing to rename there`, {
      fix: "name a line where the name is defined or used",
    });
  }
  if (changes.value.size > FILES_MAX) {
    return fail("too_large", `it would change ${changes.value.size} files, over ${FILES_MAX}`, {
      fix: "nothing was changed; rename it with a command",
    });
  }
  const steps: RenameStep[] = [];
  for (const [uri, edits] of changes.value) {
    const step = await stepOf(talk, { uri, edits }, place.symbol, context);
    if (!step.ok) return step;
    if (step.value) steps.push(step.value);
  }
  return ok(steps);
}

type Edit = NonNullable<ReturnType<(typeof workspaceEdit)["parse"]>>;

/** The edits by file; making, moving and deleting files is no part of a rename. */
function changesIn(edit: Edit | null): Result<Map<string, TextEdit[]>> {
  const all = new Map<string, TextEdit[]>();
  const add = (uri: string, edits: readonly TextEdit[]) =>
    all.set(uri, [...(all.get(uri) ?? []), ...edits]);
  for (const change of edit?.documentChanges ?? []) {
    if ("textDocument" in change) add(change.textDocument.uri, change.edits);
    else {
      return fail("not_supported", "the language server would rename files for that, too", {
        fix: "nothing was changed; move the files first, then change what names them",
      });
    }
  }
  if (!edit?.documentChanges) {
    for (const [uri, edits] of Object.entries(edit?.changes ?? {})) add(uri, edits);
  }
  return ok(all);
}

async function stepOf(
  talk: Talk,
  { uri, edits }: { uri: string; edits: readonly TextEdit[] },
  symbol: string,
  { workspace, seen }: ToolContext,
): Promise<Result<RenameStep | null>> {
  const file = fileAt(workspace.root, uri);
  if (!file || "outside" in file) {
    const where = file ? file.outside : uri;
    return fail("denied", `it would change \`${where}\`, which is outside the workspace`, {
      fix: "nothing was changed; choose a name that is defined and used in the workspace",
    });
  }
  const path = file.inside;
  const present = await presentFile(workspace, path);
  if (!present.ok) return present;
  const { hash } = present.value;
  const text = textIn(present.value);
  if (!text.ok) return text;
  const edited = editedText(text.value, edits);
  if (!edited.ok) return stale(path);
  // A file that it read itself could be another by now: then no name stands in those places.
  const isTold = talk.told(path)?.hash === hash;
  const { replaced } = edited.value;
  const name = lastNameOf(symbol);
  if (!isTold && replaced.some((old) => old !== name)) return stale(path);
  const after = bytesOf(edited.value.text);
  if (!after.ok) return after;
  const change = { path, before: hash, after: sha256(after.value) };
  if (change.before === change.after) return ok(null);
  const { text: diff } = unifiedDiff(text.value, edited.value.text, { path });
  const now = { bytes: after.value, hash: change.after };
  const known = seen.get(path) === hash;
  const step = { change, now, diff, places: replaced.length };
  return ok(known ? step : { ...step, unread: true });
}

const stale = (path: string) =>
  fail("stale", `\`${path}\` is not as the language server knows it`, {
    fix: "nothing was changed; call again",
  });
