// Blobs through the door, whole: page by page, as it gives them.
import type { App } from "#app";
import { ok, type Result } from "#core/failure.ts";

/** Bytes of a blob read at once: what the door gives. */
export const BLOB_PAGE_BYTES = 1_048_576;

export async function wholeBlob(app: App, hash: string): Promise<Result<Buffer>> {
  const pages: Uint8Array[] = [];
  for (let from = 0; ; from += BLOB_PAGE_BYTES) {
    const page = await app.read({ type: "Blob", hash, from, bytes: BLOB_PAGE_BYTES });
    if (!page.ok) return page;
    pages.push(page.value);
    if (page.value.length < BLOB_PAGE_BYTES) return ok(Buffer.concat(pages));
  }
}
