// Instructions for models that lie in files: the user's own `AGENTS.md` in Aiex's home, and those of
// the project from the root of its repository down to the folders that are worked in. The
// project's are read only where the user trusts the location; nothing of them is ever executed, no
// link leads out of the workspace, and what is too long is cut and says so.
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256 } from "#boundary/digest.ts";
import type { Locations } from "#boundary/locations.ts";
import { plainFile } from "#boundary/plain-file.ts";
import type { Workspace } from "#boundary/workspace/port.ts";

/** The first of these that a folder has counts; the later ones are those of other programs. */
const NAMES = ["AGENTS.md", "CLAUDE.md", ".cursorrules"];
/** Bytes of one file that a model is told. */
export const INSTRUCTION_BYTES_MAX = 32_768;
/** Bytes of a file that is looked at at all. */
const FILE_BYTES_MAX = 1_048_576;
/** Folders above the working folder that are looked through for the repository's root. */
const LEVELS_MAX = 40;

/** One file as it is now: `path` names it for the model and for the log, `hash` its bytes. */
export type Instruction = { path: string; hash: string; text: string };

export type Instructions = {
  /** Whether the project's files may be read at all. */
  isTrusted: boolean;
  found: readonly Instruction[];
};

/**
 * Reads what holds in these folders of the workspace; `.` stands for its root with everything that
 * holds above it. The order is from the most general to the most particular.
 */
export type ReadInstructions = (folders: readonly string[]) => Promise<Instructions>;

export function instructionsOver(parts: {
  home: string;
  /** The real path of the workspace's root. */
  path: string;
  workspace: Workspace;
  locations: Pick<Locations, "find">;
}): ReadInstructions {
  const { home, path: root, workspace, locations } = parts;
  return async (folders) => {
    const found: (Instruction | null)[] = [];
    const own = folders.includes(".") ? await above(home, ["AGENTS.md"]) : null;
    found.push(own);
    const located = await locations.find(root);
    const isTrusted = located.ok && located.value.isTrusted;
    if (!isTrusted) return { isTrusted, found: known(found) };
    for (const folder of folders) {
      if (folder === ".") {
        for (const upper of await foldersAbove(root)) found.push(await above(upper, NAMES));
      }
      found.push(await within(workspace, folder));
    }
    return { isTrusted, found: known(found) };
  };
}

const known = (found: readonly (Instruction | null)[]): Instruction[] =>
  found.flatMap((instruction) => (instruction ? [instruction] : []));

/** A file outside the workspace: only a plain one, by its real folder. */
async function above(folder: string, names: readonly string[]): Promise<Instruction | null> {
  for (const name of names) {
    const path = join(folder, name);
    const file = await plainFile(path, { bytesMax: FILE_BYTES_MAX });
    if (file) return await instructionOf(path, file.bytes);
  }
  return null;
}

/** A file of the workspace, whose port follows no link that leads out. */
async function within(workspace: Workspace, folder: string): Promise<Instruction | null> {
  for (const name of NAMES) {
    const path = folder === "." ? name : `${folder}/${name}`;
    const file = await workspace.read(path, { bytesMax: FILE_BYTES_MAX });
    if (file.ok) return await instructionOf(path, file.value);
    if (file.error.code === "too_large") {
      return await instructionOf(path, new Uint8Array(), "too long");
    }
  }
  return null;
}

async function instructionOf(path: string, bytes: Uint8Array, not?: string): Promise<Instruction> {
  // Loaded where there is something to mask: most turns begin without instructions.
  const { masker } = await import("#core/security/mask.ts");
  const shown = masker()(new TextDecoder().decode(bytes.subarray(0, INSTRUCTION_BYTES_MAX)).trim());
  const left = bytes.length - INSTRUCTION_BYTES_MAX;
  const notes = [
    ...(left > 0 ? [`(cut here: ${left} more bytes of ${path} are not shown)`] : []),
    ...(not === undefined ? [] : [`(${path} is ${not} to be shown; read the part you need)`]),
  ];
  const text = [`Instructions from ${path}:`, "", shown, ...notes].join("\n");
  return { path, hash: sha256(bytes), text };
}

/** The folders above a folder up to the root of its repository, from there downwards. */
async function foldersAbove(folder: string): Promise<string[]> {
  const chain: string[] = [];
  let at = folder;
  for (let level = 0; level < LEVELS_MAX; level += 1) {
    if (await exists(join(at, ".git"))) return chain;
    const upper = dirname(at);
    if (upper === at) return [];
    chain.unshift(upper);
    at = upper;
  }
  return [];
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
