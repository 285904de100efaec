// Places as models name them: a line and a name on it, since they count columns badly.
import * as z from "zod/mini";
import type { Servers } from "#boundary/tools/servers/servers.ts";
import type { Spot } from "#boundary/tools/servers/talk.ts";
import { presentFile, textIn } from "#boundary/tools/text-file.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import { symbolPlace } from "#core/code/text-edits.ts";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";

/** What names a place in the input of a tool, beside the file. */
export const placeInput = {
  line: z.int().check(z.gte(1), z.describe("Line in that file, from 1.")),
  symbol: z.string().check(z.minLength(1), z.maxLength(200), z.describe("A name on that line.")),
};

export type NamedPlace = { path: string; line: number; symbol: string };

/** The place of a symbol in a file as it is now. */
export async function spotOf(
  { path, line, symbol }: NamedPlace,
  workspace: Workspace,
): Promise<Result<Spot>> {
  const present = await presentFile(workspace, path);
  if (!present.ok) return present;
  if (present.value.hash === "absent") {
    return fail("not_found", `\`${path}\` does not exist`, { fix: "correct the path" });
  }
  const text = textIn(present.value);
  if (!text.ok) return text;
  const position = symbolPlace(text.value, line, symbol);
  return position.ok ? ok({ path, position: position.value }) : position;
}

/** Says which files there are servers for, and that this is none of them. */
export async function noServer(servers: Servers, root: string, path: string): Promise<Failed> {
  const found = await servers.at(root);
  const endings = found.flatMap(({ server }) => Object.keys(server.languages)).join(" ");
  return fail("not_supported", `there is no language server for \`${path}\``, {
    fix: endings === "" ? "search instead" : `there are some for ${endings}; search instead`,
  });
}
