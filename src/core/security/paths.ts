// Which name of the workspace a path means, decided by its text alone: nothing is looked up, so
// links are the business of whoever opens the file. A path is text: `%2e` is a name of three
// characters, `~` and `\` are ordinary (Windows is reached through WSL, where they are so too).
import { fail, ok, type Result } from "#core/failure.ts";

/** Bytes of one name, as UTF-8: the limit of ext4, APFS, XFS and tmpfs alike. */
export const NAME_BYTES_MAX = 255;
/** Bytes of a whole path, as UTF-8: `PATH_MAX` of Linux, less its final NUL. */
export const PATH_BYTES_MAX = 4_095;

/**
 * Answers the workspace-relative name of `path`: `.` for the root, else names joined by `/` with
 * no `.`, `..` or empty one among them. `root` is an absolute path; `path` is relative to it, or
 * absolute and inside it. Fails as `denied` where the path means something outside the root, as
 * `bad_input` where it cannot name a file at all.
 */
export function relativeTo(root: string, path: string): Result<string> {
  const broken = defectOf(path);
  if (broken) return fail("bad_input", broken, { fix: "name a file inside the workspace" });
  const base = namesOf(root);
  const names = path.startsWith("/") ? [] : [...base];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === "..") names.pop();
    else names.push(name);
  }
  const outside = names.length < base.length || base.some((name, at) => names[at] !== name);
  if (outside) {
    return fail("denied", `${quoted(path)} is outside the workspace`, {
      fix: "use a path relative to the workspace's root",
    });
  }
  const inside = names.slice(base.length);
  const wrong = inside.map(defectOfName).find((defect) => defect !== null);
  if (wrong) return fail("bad_input", wrong, { fix: "use another name" });
  return ok(inside.length === 0 ? "." : inside.join("/"));
}

/** Whether an absolute path is `folder` or below it: `/srv/app-evil` is not in `/srv/app`. */
export function isInside(folder: string, path: string): boolean {
  const base = namesOf(folder);
  const names = namesOf(path);
  return names.length >= base.length && base.every((name, at) => names[at] === name);
}

/** The names of an absolute or relative path, with `.`, `..` and doubled slashes worked out. */
export function namesOf(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === "..") names.pop();
    else names.push(name);
  }
  return names;
}

function defectOf(path: string): string | null {
  if (path === "") return "the path is empty (`.` means the workspace's root)";
  if (path.includes("\0")) return "the path has a NUL in it";
  // A lone surrogate has no UTF-8: written to disk it would become another name than the one
  // judged.
  if (!path.isWellFormed()) return "the path is not well-formed Unicode";
  const bytes = bytesOf(path);
  if (bytes > PATH_BYTES_MAX) return `the path has ${bytes} bytes, more than ${PATH_BYTES_MAX}`;
  return null;
}

function defectOfName(name: string): string | null {
  const bytes = bytesOf(name);
  if (bytes > NAME_BYTES_MAX) {
    return `${quoted(name)} has ${bytes} bytes, more than the ${NAME_BYTES_MAX} a name may have`;
  }
  // Tab and line feed occur in real names; the rest exist only to deceive a terminal or a parser.
  if (/[\x01-\x08\x0b-\x1f\x7f]/.test(name)) return `${quoted(name)} has a control character in it`;
  return null;
}

/** UTF-8 length of well-formed text; core knows no `TextEncoder`. */
function bytesOf(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** A path as it may stand in a message: control characters escaped, at most 120 characters. */
export function quoted(path: string): string {
  const text = JSON.stringify(path);
  return text.length > 120 ? `${text.slice(0, 118)}…"` : text;
}
