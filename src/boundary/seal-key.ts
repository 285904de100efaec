// The key that seals are signed with: Ed25519 (RFC 8032), made when it is first needed, in a file of
// the home that only the user can read. It signs seals and exports and nothing else.
import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { join } from "node:path";
import { alone, privateFolder, privateText, writeWhole } from "#boundary/private-file.ts";
import { fail, ok, type Result } from "#core/failure.ts";

export type SealKey = {
  /** The raw public key, base64url. */
  key: string;
  /** The signature over a text's UTF-8 bytes, base64url. */
  sign(text: string): string;
};

/** The key of a folder; null where none was made yet. */
export function keptKeyIn(folder: string): Result<SealKey | null> {
  const safe = alone(folder, "folder");
  if (!safe.ok || !safe.value) return safe.ok ? ok(null) : safe;
  const file = join(folder, "seal-key.json");
  const known = privateText(file);
  if (!known.ok) return known;
  return known.value === null ? ok(null) : keyFrom(known.value, file);
}

/** The key of a folder; the first of several processes makes it. */
export function sealKeyIn(folder: string): Result<SealKey> {
  const made = privateFolder(folder);
  if (!made.ok) return made;
  const safe = alone(folder, "folder");
  if (!safe.ok) return safe;
  const file = join(folder, "seal-key.json");
  const known = privateText(file);
  if (!known.ok) return known;
  if (known.value !== null) return keyFrom(known.value, file);
  const fresh = generateKeyPairSync("ed25519").privateKey;
  const text = JSON.stringify(fresh.export({ format: "jwk" }));
  const written = writeWhole(file, text, { first: true });
  if (!written.ok) return written;
  const kept = privateText(file);
  return kept.ok ? keyFrom(kept.value ?? "", file) : kept;
}

/** A JSON Web Key (RFC 8037) holds both halves and is read several times as fast as PEM. */
function keyFrom(text: string, file: string): Result<SealKey> {
  try {
    const jwk = JSON.parse(text) as { crv?: string; x?: string };
    if (jwk.crv !== "Ed25519" || typeof jwk.x !== "string") return damaged(file);
    const secret = createPrivateKey({ key: jwk, format: "jwk" });
    const signed = (said: string) => sign(null, Buffer.from(said), secret).toString("base64url");
    return ok({ key: jwk.x, sign: signed });
  } catch {
    return damaged(file);
  }
}

const damaged = (file: string) =>
  fail("corrupt", `${file} is no Ed25519 key`, {
    fix: "restore it from a backup, or move it away: a new one is made, and the audit names both",
  });
