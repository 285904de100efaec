// Bodies of records as they are kept: a large one lies in a blob, and the record names that.
import type { DoorParts } from "#boundary/door/parts.ts";
import { ok, type Result } from "#core/failure.ts";
import { farOf } from "#core/session/upcast.ts";

/** A blob as text; null where it is gone. */
export async function textIn(
  parts: Pick<DoorParts, "blobs">,
  hash: string,
): Promise<string | null> {
  const bytes = await parts.blobs.get(hash);
  return bytes.ok ? Buffer.from(bytes.value).toString() : null;
}

/** A body as it was before it was moved to a blob; empty where that is gone. */
export async function wholeBody(
  parts: Pick<DoorParts, "blobs">,
  body: string,
): Promise<Result<string>> {
  const far = farOf(body);
  if (far === null) return ok(body);
  const bytes = await parts.blobs.get(far);
  if (bytes.ok) return ok(Buffer.from(bytes.value).toString());
  return bytes.error.code === "not_found" ? ok("") : bytes;
}
