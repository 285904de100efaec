// A project's verify commands are asked about once in a location: what is found in its own files is
// evidence only if the user says so.
import type { App, VerifyRow } from "#app";
import { ok, type Result } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { confirm } from "#interfaces/cli/trusting.ts";

/** Characters of a definition that are shown, on one line. */
const SHOWN_CHARS = 200;

/** Each command with where it is from and what it runs. */
export function verifyLines(rows: readonly VerifyRow[]): string[] {
  return rows.map(({ command, folder, from, definition, confirmed }) => {
    const where = folder === "." ? "" : ` in ${folder}`;
    const shown = definition.replaceAll(/\s+/g, " ").trim().slice(0, SHOWN_CHARS);
    const what = shown === "" ? from : `${from}: ${shown}`;
    return `${confirmed ? "counts" : "found "}  ${command}${where}  (${what})`;
  });
}

/** Asks about those that are not confirmed, all at once. */
export async function confirmVerify(app: App, path: string, cli: Cli): Promise<Result<void>> {
  const rows = await app.read({ type: "Verify", path });
  if (!rows.ok) return rows;
  const open = rows.value.filter(({ confirmed }) => !confirmed);
  if (open.length === 0) return ok();
  const found = verifyLines(open).map((line) => `  ${reveal(line)}\n`);
  const about = `These look like the tests of this project:\n${found.join("")}`;
  const question = "Is their success evidence that work here holds?";
  if (!(await confirm(cli, about, question, { yesByDefault: true }))) return ok();
  for (const { key } of open) {
    const done = await app.send({ type: "ConfirmVerify", path, key });
    if (!done.ok) return done;
  }
  return ok();
}
