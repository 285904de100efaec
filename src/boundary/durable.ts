// Names that survive a power cut: a file or folder that was made is there afterwards only once the
// folder that it is in was synced, too (fsync(2)).
import { closeSync, fsyncSync, openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes what was made, renamed or removed in a folder durable. Throws what the system does. */
export function syncFolder(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes a private folder with those above it that are missing, all of them durable. */
export async function makeFolders(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let at = path; at !== dirname(first); at = dirname(at)) syncFolder(dirname(at));
}
