// Seals: signed marks over the whole log. A stream's chain shows what was changed inside it; that
// its end, or a whole stream, is missing shows only against something that was signed. A seal signs
// the running sum of every record up to a position, and lies in the log itself; a line for it in an
// anchor outside the database shows when seals are missing too.
import { assert } from "#core/assert.ts";
import { fieldsOf, parsed } from "#core/model/json.ts";
import type { LogRecord, Sha256 } from "#core/record.ts";

/** The stream of the seals; a seal's number is its version there. */
export const SEAL_STREAM = "audit:seals";
/** The type of their records; the body is a `Seal`. */
export const SEALED = "LogSealed";

/** The sum over a log's records in order of position: each hash enters with the sum before it. */
export type Sum = { position: number; records: number; digest: string };

export const emptySum: Sum = { position: 0, records: 0, digest: "" };

type Summed = Pick<LogRecord, "position" | "hash">;

export function sumWith(sum: Sum, { position, hash }: Summed, sha256: Sha256): Sum {
  return { position, records: sum.records + 1, digest: sha256(sum.digest + hash) };
}

export type Seal = Sum & {
  /** Milliseconds since 1970, by the clock of the node that sealed. */
  at: number;
  /** The raw Ed25519 public key (RFC 8032), base64url as in a JWK (RFC 8037). */
  key: string;
  /** Over `sealText`, base64url. */
  signature: string;
  /**
   * The first 8 hex digits of the hash of each record since the seal before, in order: so that the
   * first that differs can be named. Absent where they were too many.
   */
  marks?: string;
};

export const MARK_CHARS = 8;
/** Records whose marks fit a body with much room. */
export const MARKS_MAX = 4_000;

export const markOf = ({ hash }: Pick<LogRecord, "hash">): string => hash.slice(0, MARK_CHARS);

/** What is signed: a JSON array with a fixed order of fields, first its own name. */
export function sealText(number: number, seal: Omit<Seal, "signature" | "marks">): string {
  const { position, records, digest, at, key } = seal;
  return JSON.stringify(["aiex-seal-1", number, position, records, digest, at, key]);
}

/** What is signed of an export: never the same text as a seal's. */
export const exportText = (digest: string): string => JSON.stringify(["aiex-export-1", digest]);

/** A seal's line in an anchor. `position` and `hash` are those of the seal's own record. */
export type Anchored = { v: 1; seal: number; position: number; hash: string; body: Seal };

export const anchorLine = (record: LogRecord): string => {
  const seal = sealIn(record);
  assert(seal, "a seal that was just appended");
  const { version, position, hash } = record;
  const line: Anchored = { v: 1, seal: version, position, hash, body: withoutMarks(seal) };
  return `${JSON.stringify(line)}\n`;
};

function withoutMarks({ marks: _, ...seal }: Seal): Seal {
  return seal;
}

/** The seal of a record, or null where it is none that can be read. */
export function sealIn(record: Pick<LogRecord, "type" | "body">): Seal | null {
  if (record.type !== SEALED || record.body === null) return null;
  return sealFrom(parsed(record.body));
}

function sealFrom(value: unknown): Seal | null {
  const { position, records, digest, at, key, signature, marks = "" } = fieldsOf(value);
  const hasNumbers = [position, records, at].every(Number.isSafeInteger);
  const hasTexts = [digest, key, signature, marks].every((one) => typeof one === "string");
  return hasNumbers && hasTexts ? (value as Seal) : null;
}

/** The lines of an anchor, and the numbers of those that cannot be read: a crash may tear one. */
export function readAnchor(text: string): { lines: Anchored[]; torn: number[] } {
  const lines: Anchored[] = [];
  const torn: number[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const value = parsed(line);
    const { v, seal, position, hash, body } = fieldsOf(value);
    const isWhole = v === 1 && [seal, position].every(Number.isSafeInteger);
    if (isWhole && typeof hash === "string" && sealFrom(body)) lines.push(value as Anchored);
    else torn.push(i + 1);
  }
  return { lines, torn };
}

/** What an export of the log says in its first line. */
export const AUDIT_FORMAT = "aiex-audit-1";
