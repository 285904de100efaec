// The node's name, kept in its home: made once, whole and durable from its first moment. Of several
// processes that start at once the first names it, and all the others have that name: what one of
// them logs under another name would be nobody's.
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { newId } from "#boundary/digest.ts";
import { syncFolder } from "#boundary/durable.ts";
import { fail, ok, type Result } from "#core/failure.ts";

export function nodeName(home: string): Result<string> {
  const file = join(home, "node");
  try {
    const known = nameIn(file);
    if (known !== "") return ok(known);
    makeFolder(home);
    return ok(namedNow(file));
  } catch (error) {
    return fail("storage", `${home} cannot be used: ${(error as Error).message}`, {
      fix: "set AIEX_HOME to a folder on a disk with room, that you can write",
    });
  }
}

const nameIn = (file: string): string =>
  existsSync(file) ? readFileSync(file, "utf8").trim() : "";

/** Names the node, unless somebody did meanwhile; answers the name that it has. */
export function namedNow(file: string): string {
  const scratch = `${file}.${newId()}`;
  try {
    writeFileSync(scratch, newId(), { flag: "wx", mode: 0o600, flush: true });
    while (!linked(scratch, file)) {
      const known = nameIn(file);
      if (known !== "") return known;
      leaveEmpty(file);
    }
    syncFolder(dirname(file));
    return nameIn(file);
  } finally {
    rmSync(scratch, { force: true });
  }
}

/** A name that is empty was lost with the power, before names were synced. */
function leaveEmpty(file: string): void {
  const aside = `${file}.${newId()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  // Somebody named the node in between: that name stands.
  if (nameIn(aside) !== "") linked(aside, file);
  rmSync(aside, { force: true });
}

/** Whether the file has this place now; a place that is taken is left as it is. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code;

/** With the folders above it. Node's own way never returns where /proc refuses a folder. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  try {
    mkdirSync(path, { mode: 0o700 });
    syncFolder(above);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}
