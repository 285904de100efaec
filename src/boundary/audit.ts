// What proves a log from outside it: the anchors' texts, and a signature under an export.
import { anchorText } from "#boundary/anchor.ts";
import { keptKeyIn, sealKeyIn } from "#boundary/seal-key.ts";
import type { SealParts } from "#boundary/seals.ts";
import { ok, type Result } from "#core/failure.ts";
import { exportText } from "#core/seal.ts";

/** `own` is the anchor in the home, which has a line for each seal; null: there is no such file. */
export type AnchorFile = { file: string; text: string | null; own: boolean };

/** Under an export: the raw public key and the signature, both base64url. */
export type Signature = { key: string; signature: string };

export function anchorFiles({ anchors }: Pick<SealParts, "anchors">): Result<AnchorFile[]> {
  const files: AnchorFile[] = [];
  for (const [i, file] of anchors.entries()) {
    const text = anchorText(file);
    if (!text.ok) return text;
    files.push({ file, text: text.value, own: i === 0 });
  }
  return ok(files);
}

/** The public key that signs here; null where none was needed yet. */
export function presentKey({ folder }: Pick<SealParts, "folder">): Result<{ key: string | null }> {
  const kept = keptKeyIn(folder);
  return kept.ok ? ok({ key: kept.value?.key ?? null }) : kept;
}

/** Signs the digest of an export: the text is marked as one, so no seal can be had this way. */
export function signExport({ folder }: Pick<SealParts, "folder">, digest: string) {
  const signer = sealKeyIn(folder);
  if (!signer.ok) return signer;
  const { key, sign } = signer.value;
  return ok<Signature>({ key, signature: sign(exportText(digest)) });
}
