// A text that an event names by its hash.
import type { Blobs } from "#boundary/blobs/port.ts";
import { ok, type Result } from "#core/failure.ts";
import type { BlobRef } from "#core/model/message.ts";

export async function keptText(
  { blobs }: { blobs: Blobs },
  text: string,
  media: string,
): Promise<Result<BlobRef>> {
  const bytes = Buffer.from(text);
  const hash = await blobs.put(bytes);
  return hash.ok ? ok({ hash: hash.value, bytes: bytes.length, media }) : hash;
}
