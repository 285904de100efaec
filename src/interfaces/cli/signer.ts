// Whose key signed an export. A signature shows that the lines are those of the owner of a key, and
// anybody can make one: it proves something only where the key is known from elsewhere.
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { homeOf } from "#config";
import type { Anchor } from "#core/audit.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { fieldsOf, parsed, textAt } from "#core/model/json.ts";
import { readAnchor } from "#core/seal.ts";
import type { Said } from "#interfaces/cli/audit-file.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { readGiven } from "#interfaces/cli/given-file.ts";

/** Hex digits of a fingerprint: of fewer somebody could make a key that has the same. */
const FINGERPRINT_CHARS = 32;
/** Bytes of a file that names keys. */
const KEYS_BYTES_MAX = 65_536;
/** A raw Ed25519 public key as a JSON Web Key has it: 32 bytes, base64url. */
const RAW_KEY = /^[\w-]{43}$/;

/** The hash of a public key, as far as people compare it. */
export const fingerprintOf = (key: string): string =>
  hash("sha256", key, "hex").slice(0, FINGERPRINT_CHARS);

/** `isKnown` is null where no key is known to compare with. */
export type Signer = { fingerprint: string; isKnown: boolean | null; fault: string | null };

/**
 * Fingerprints of the keys that an export may be signed by: those that are named; else those of the
 * anchors that are; else those of this machine, where it has a log. Empty where none is known.
 */
export async function knownKeys(
  named: readonly string[],
  anchors: readonly Pick<Anchor, "lines">[],
  cli: Cli,
): Promise<Result<readonly string[]>> {
  if (named.length > 0) return await keysNamed(named, cli);
  const anchored = keysOf(anchors);
  return anchored.length > 0 ? ok(anchored) : await keysHere(cli);
}

const keysOf = (anchors: readonly Pick<Anchor, "lines">[]): string[] => [
  ...new Set(anchors.flatMap(({ lines }) => lines.map(({ body }) => fingerprintOf(body.key)))),
];

async function keysNamed(named: readonly string[], cli: Cli): Promise<Result<string[]>> {
  const found: string[] = [];
  for (const one of named) {
    if (/^[0-9a-f]+$/i.test(one) && !existsSync(resolve(cli.folder, one))) {
      if (one.length < FINGERPRINT_CHARS) {
        const say = `${one} is too short for a fingerprint: it has ${FINGERPRINT_CHARS} digits`;
        return fail("bad_input", say, { fix: "copy all of what `aiex audit verify` says" });
      }
      found.push(one.toLowerCase().slice(0, FINGERPRINT_CHARS));
      continue;
    }
    const given = { name: one, bytesMax: KEYS_BYTES_MAX, tooLargeFix: "it holds no key" };
    const bytes = await readGiven(resolve(cli.folder, one), given);
    if (!bytes.ok) return bytes;
    const keys = keysIn(bytes.value.toString());
    if (keys.length === 0) {
      return fail("bad_input", `${one} holds no key`, {
        fix: "name a fingerprint, or a file with fingerprints, a public key or a JSON Web Key",
      });
    }
    found.push(...keys);
  }
  return ok(found);
}

function keysIn(text: string): string[] {
  const x = textAt(fieldsOf(parsed(text)), "x");
  if (x !== undefined) return [fingerprintOf(x)];
  return text.split(/\s+/).flatMap((word) => {
    if (RAW_KEY.test(word)) return [fingerprintOf(word)];
    const isFingerprint = /^[0-9a-f]+$/.test(word) && word.length >= FINGERPRINT_CHARS;
    return isFingerprint ? [word.slice(0, FINGERPRINT_CHARS)] : [];
  });
}

/** Where there is no log yet none is made for this. */
async function keysHere(cli: Cli): Promise<Result<string[]>> {
  if (!existsSync(join(homeOf(cli.env), "log.db"))) return ok([]);
  const opened = await cli.open();
  if (!opened.ok) return opened;
  const { app } = opened.value;
  const anchors = await app.read({ type: "Anchors" });
  if (!anchors.ok) return anchors;
  const present = await app.read({ type: "SealKey" });
  if (!present.ok) return present;
  const { key } = present.value;
  const before = keysOf(anchors.value.map(({ text }) => readAnchor(text ?? "")));
  return ok([...before, ...(key === null ? [] : [fingerprintOf(key)])]);
}

/** `sealers` are the keys of the seals in the export itself. */
export function signerOf(
  { signer }: Said,
  known: readonly string[],
  sealers: readonly { key: string }[],
): Signer | null {
  if (signer === null) return null;
  const fingerprint = fingerprintOf(signer);
  if (known.length > 0) {
    const isKnown = known.includes(fingerprint);
    const all = known.length === 1 ? `is not ${known[0]}` : "is none of those that are known here";
    const fault = isKnown ? null : `it is signed by the key ${fingerprint}, which ${all}`;
    return { fingerprint, isKnown, fault };
  }
  const isSealer = sealers.length === 0 || sealers.some(({ key }) => key === signer);
  const fault = isSealer
    ? null
    : `it is signed by the key ${fingerprint}, and none of its seals is by that key`;
  return { fingerprint, isKnown: null, fault };
}

export function signerLine({ fingerprint, isKnown }: Signer): string {
  if (isKnown === true) return `signed by ${fingerprint}, a known key`;
  if (isKnown === false) return `signed by ${fingerprint}, an UNKNOWN key`;
  return (
    `signed by ${fingerprint}, and whose key that is is not known here: anybody could have signed ` +
    "it. Compare that with what `aiex audit verify` says where it was exported, or name it: --key"
  );
}
