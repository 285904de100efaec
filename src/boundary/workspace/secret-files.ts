// The secret files of a workspace as they are now: which to hide from commands, and the mask of their
// values for whatever a tool says. Names come from core/security/secret-files.ts; a file whose name
// says `perhaps` counts where something in it would be masked.
import { lstatSync, readdirSync, realpathSync, type Stats } from "node:fs";
import { join } from "node:path";
import { codeOf, readSmall } from "#boundary/beneath.ts";
import { protectedScanner } from "#boundary/workspace/scan.ts";
import { ok, type Result } from "#core/failure.ts";
import { type Mask, masker } from "#core/security/mask.ts";
import { secrecyOf, valuesIn } from "#core/security/secret-files.ts";

/** Bytes of a secret file that is looked into for its values. */
const FILE_BYTES_MAX = 262_144;
/** Values, with their encodings, that are masked wherever they stand. */
const VALUES_MAX = 8_000;
/** Entries looked through for other names of a secret file that has some. */
const ENTRIES_MAX = 200_000;

export type SecretFile = {
  /** Workspace-relative, as it is named. */
  path: string;
  /** The real path that must be hidden; where a link leads. */
  real: string;
};

export type WorkspaceSecrets = {
  /** The secret files there are. */
  look(): Promise<Result<readonly SecretFile[]>>;
  /** The mask of a call in which these files may be seen with their secrets. */
  masking(mayShow: (path: string) => boolean, shown: readonly string[]): Promise<Mask>;
};

type Kept = SecretFile & { mark: string; values: readonly string[]; isSecret: boolean };

export function secretsIn(root: string): WorkspaceSecrets {
  const scan = protectedScanner(root);
  let known = new Map<string, Kept>();
  let turn: Promise<unknown> = Promise.resolve();

  async function scanned(): Promise<Result<readonly Kept[]>> {
    const found = await scan();
    if (!found.ok) return found;
    const now = new Map<string, Kept>();
    for (const path of found.value.secrets) {
      const kept = lookAt(root, path, known.get(path));
      if (kept) now.set(path, kept);
    }
    known = now;
    return ok([...now.values()].filter(({ isSecret }) => isSecret));
  }

  /** One look at a time: scans share what they remember. */
  function look(): Promise<Result<readonly Kept[]>> {
    const looked = turn.then(scanned);
    turn = looked.catch(() => {});
    return looked;
  }

  return {
    async look() {
      const found = await look();
      return found.ok ? ok([...found.value, ...otherNames(root, found.value)]) : found;
    },
    async masking(mayShow, shown) {
      const found = await look();
      const files = found.ok ? found.value : [];
      const hidden = files.filter(({ path }) => !mayShow(path));
      const seen = [...files.map(({ path }) => path).filter(mayShow), ...shown];
      const allowed = [...new Set(seen)].flatMap((path) => textAt(join(root, path)) ?? []);
      const values = hidden.flatMap((file) => file.values).flatMap(encodings);
      const known = [...new Set(values)].slice(0, VALUES_MAX);
      return masker({
        known: known.filter((one) => !allowed.some((t) => t.includes(one))),
        allowed,
      });
    },
  };
}

function lookAt(root: string, path: string, before: Kept | undefined): Kept | null {
  const real = realOf(join(root, path));
  const stats = real === null ? null : statsOf(real);
  if (real === null || !stats?.isFile()) return null;
  const mark = [real, stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join(" ");
  if (before?.mark === mark) return before;
  const text = textAt(real) ?? "";
  if (secrecyOf(path) === "always")
    return { path, real, mark, values: valuesIn(text), isSecret: true };
  const lines = text.split(/\r?\n/).filter((line) => /^[A-Za-z0-9+/]{16,}={0,2}$/.test(line));
  return { path, real, mark, values: lines, isSecret: masker()(text) !== text };
}

function textAt(path: string): string | null {
  const bytes = readSmall(path, FILE_BYTES_MAX);
  return bytes === null || bytes.includes(0) ? null : Buffer.from(bytes).toString();
}

/** A value as it may come out of a program that was only asked to write it otherwise. */
function encodings(value: string): string[] {
  const bytes = Buffer.from(value);
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].map((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    // Characters at the edges also hold bits of what stands beside the value.
    const last = (offset + bytes.length) % 3 === 0 ? whole.length : whole.length - 1;
    return whole.slice([0, 2, 3][offset], last);
  });
  const written = [encodeURIComponent(value), JSON.stringify(value).slice(1, -1)];
  return [value, hex, hex.toUpperCase(), ...base64, ...written, [...value].reverse().join("")];
}

/** Other names of secret files that have more than one: their bytes can be read by each. */
function otherNames(root: string, files: readonly SecretFile[]): SecretFile[] {
  const inodes = new Map<string, string>();
  for (const { path, real } of files) {
    const stats = statsOf(real);
    if (stats && stats.nlink > 1) inodes.set(`${stats.dev}:${stats.ino}`, path);
  }
  if (inodes.size === 0) return [];
  const own = new Set(files.map(({ real }) => real));
  const found: SecretFile[] = [];
  const todo = [root];
  let entries = 0;
  for (let folder = todo.pop(); folder !== undefined; folder = todo.pop()) {
    for (const entry of entriesOf(folder)) {
      entries += 1;
      if (entries > ENTRIES_MAX) return found;
      const full = join(folder, entry.name);
      if (entry.isDirectory()) todo.push(full);
      const stats = entry.isFile() && !own.has(full) ? statsOf(full) : null;
      const path = stats && inodes.get(`${stats.dev}:${stats.ino}`);
      if (path) found.push({ path, real: full });
    }
  }
  return found;
}

function entriesOf(folder: string) {
  return orNull(() => readdirSync(folder, { withFileTypes: true })) ?? [];
}

const statsOf = (path: string): Stats | null => orNull(() => lstatSync(path));
const realOf = (path: string): string | null => orNull(() => realpathSync(path));

/** What is gone by now, or closed to this user, is not there. */
function orNull<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return null;
  }
}
