// Whether a command can be run at all, asked before anything is set up for it.
import { lstatSync } from "node:fs";
import { beneath, pathAt } from "#boundary/beneath.ts";
import type { CommandSpec } from "#boundary/workspace/sandbox-port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { quoted, relativeTo } from "#core/security/paths.ts";

/** Linux takes no longer argument: `MAX_ARG_STRLEN`, less its NUL. */
const WORD_BYTES_MAX = 131_071;

/** Answers the workspace-relative folder of a command, with links worked out, or what is wrong. */
export async function checkCommand(spec: CommandSpec, workspace: string): Promise<Result<string>> {
  const words = typeof spec.command === "string" ? [spec.command] : spec.command;
  if (!words[0] || words.some((word) => word.includes("\0"))) {
    return fail("bad_input", "the command is empty or has a NUL in it");
  }
  if (words.some((word) => Buffer.byteLength(word) > WORD_BYTES_MAX)) {
    return fail("too_large", `a word of the command has more than ${WORD_BYTES_MAX} bytes`, {
      fix: "write the text to a file and name the file",
    });
  }
  const odd = Object.entries(spec.env ?? {}).find(
    ([name, value]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || value.includes("\0"),
  );
  if (odd) return fail("bad_input", `${quoted(odd[0])} cannot be set in an environment`);
  const cwd = relativeTo(workspace, spec.cwd);
  if (!cwd.ok) return cwd;
  return beneath(workspace, cwd.value, { links: "inside" }, async ({ folder, name, relative }) => {
    if (lstatSync(pathAt(folder, name)).isDirectory()) return ok(relative);
    return fail("not_found", `${quoted(cwd.value)} is not a folder`);
  });
}
