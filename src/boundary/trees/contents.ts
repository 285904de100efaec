// Contents out of a store of which a part may be missing or damaged: what is whole is answered, and
// the rest is not there.
import type { Objects } from "#boundary/trees/port.ts";
import { ok, type Result } from "#core/failure.ts";

/** Of these contents those that are in the store and whole; all of them are in memory at once. */
export async function wholeContents(
  objects: Objects,
  ids: readonly string[],
): Promise<Result<Map<string, Uint8Array>>> {
  const together = await objects.get(ids);
  if (together.ok || together.error.code === "not_supported") return together;
  const found = new Map<string, Uint8Array>();
  for (const id of ids) {
    const one = await objects.get([id]);
    const bytes = one.ok ? one.value.get(id) : undefined;
    if (bytes) found.set(id, bytes);
    if (one.ok) continue;
    // A store that answers nothing at all is another matter than one damaged object.
    const answers = await objects.sizes([]);
    if (!answers.ok) return answers;
  }
  return ok(found);
}
