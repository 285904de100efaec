// The form in which a session travels between machines: JSON lines. A head line, a line for each
// record with its salt, and a line `{"blob", "base64"}` for each blob that the records name.

export const EXPORT_FORMAT = "aiex-session-1";

/** Hashes of the blobs that a parsed body names, and of the one that holds it where it is far. */
export function blobsNamed(body: unknown): string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === "string" && (key === "$blob" || (key === "hash" && isBlob(value)))) {
        found.push(inner);
      }
      visit(inner);
    }
  };
  visit(body);
  return found;
}

/** A request that is kept as what follows another one: what leans goes with what it leans on. */
export const isLeaning = (value: unknown): value is { base: string } =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as { base?: unknown }).base === "string" &&
  typeof (value as { keep?: unknown }).keep === "number";

const isBlob = (value: object): boolean => "bytes" in value && "media" in value;
