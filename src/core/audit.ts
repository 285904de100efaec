// Proving a log: every record against its stream's chain, every seal against the records before it,
// and all seals against anchors that lie outside the database. A body may be missing only where its
// session was erased, which an event says. The first fault ends it: what comes after a changed record
// proves nothing.
import {
  type BlobState,
  ERASED,
  emptyHead,
  faultOf,
  type Head,
  isSession,
  type LogRecord,
  type Sha256,
} from "#core/record.ts";
import {
  type Anchored,
  emptySum,
  MARK_CHARS,
  markOf,
  SEAL_STREAM,
  type Seal,
  type Sum,
  sealIn,
  sealText,
  sumWith,
} from "#core/seal.ts";

/** What does not hold, and where: `version` 0 where no record of a stream is meant. */
export type Fault = { position: number; stream: string; version: number; fault: string };

export type Anchor = {
  name: string;
  lines: readonly Anchored[];
  /** Each seal must have its line, but for the last: a crash may come between the two. */
  whole: boolean;
};

export type AuditResult = {
  bad: Fault | null;
  records: number;
  streams: number;
  erased: number;
  /** Bodies that lie in blobs, and how many of these could not be looked at. */
  inBlobs: number;
  blobsElsewhere: number;
  seals: number;
  /** The records after the last seal: bound by their chains alone. */
  unsealed: number;
  /** The public keys that sealed, each with its first seal. */
  keys: readonly { key: string; from: number }[];
  /** The sum over the whole log: to be written down elsewhere. */
  head: Sum;
};

/** How the blob is that a body lies in; `elsewhere`: it cannot be looked at here. */
export type FarBody = BlobState | "elsewhere";

export type Audit = {
  /**
   * Takes the next record by position; a fault is the first that there is. `far` is null where the
   * body lies in its record.
   */
  take(record: LogRecord, far: FarBody | null): Fault | null;
  /** The log has no more records. `isBare`: it is a copy that was made without bodies. */
  end(options: { isBare: boolean }): AuditResult;
};

export type AuditParts = {
  sha256: Sha256;
  /** Whether a signature over a text is by the owner of an Ed25519 key; see `Seal`. */
  isSigned(key: string, text: string, signature: string): boolean;
  anchors: readonly Anchor[];
};

/** A record since the last seal: what is needed to sum it, and to name it. */
type Since = Pick<LogRecord, "position" | "stream" | "version" | "hash">;

export function auditOf({ sha256, isSigned, anchors }: AuditParts): Audit {
  const heads = new Map<string, Head>();
  const anchored = anchors.map(({ name, lines, whole }) => {
    return { name, whole, bySeal: bySealIn(lines) };
  });
  const keys: { key: string; from: number }[] = [];
  /** Up to the last seal. */
  let sealed = emptySum;
  let since: Since[] = [];
  let records = 0;
  let last = 0;
  let erased = 0;
  let inBlobs = 0;
  let blobsElsewhere = 0;
  let seals = 0;
  let bad: Fault | null = null;
  /** By stream, its first record without a body, until it shows that the session was erased. */
  const lacking = new Map<string, Fault>();
  /** A seal that an anchor lacks, until another one shows that it is not the last. */
  let unanchored: Fault | null = null;

  const sumOver = (some: readonly Since[]): Sum =>
    some.reduce((sum, one) => sumWith(sum, one, sha256), sealed);

  function sealFault(record: LogRecord): Fault | null {
    const { version, hash } = record;
    const seal = sealIn(record);
    if (!seal) return faultAt(record, "it is a seal that cannot be read");
    if (unanchored) return unanchored;
    const other = anchored.find(({ bySeal }) => (bySeal.get(version)?.hash ?? hash) !== hash);
    if (other) return rewritten(other, record);
    const covered = since.filter(({ position }) => position <= seal.position);
    const sum = sumOver(covered);
    if (sum.digest !== seal.digest || sum.records !== seal.records) {
      return differing(covered, { number: version, seal, after: sealed.position }, record);
    }
    if (!isSigned(seal.key, sealText(version, seal), seal.signature)) {
      return faultAt(record, "the signature of this seal is not by its key");
    }
    const lacking = anchored.find(({ bySeal, whole }) => whole && !bySeal.has(version));
    if (lacking) unanchored = faultAt(record, `seal ${version} is not in ${lacking.name}`);
    if (keys.at(-1)?.key !== seal.key) keys.push({ key: seal.key, from: version });
    since = since.slice(covered.length);
    sealed = { ...sum, position: seal.position };
    seals = version;
    return null;
  }

  /** What is said of a body that is gone, unless its session was erased later. */
  function lack(record: LogRecord, far: FarBody | null): void {
    const { stream, type, body } = record;
    if (body === null) erased += 1;
    if (far !== null) inBlobs += 1;
    if (far === "elsewhere") blobsElsewhere += 1;
    const gone = body === null ? "its body is gone" : "the blob with its body is gone";
    if ((body === null || far === "missing") && !lacking.has(stream)) {
      lacking.set(stream, faultAt(record, `${gone}, and nothing says that it was erased`));
    }
    // Erasing takes what is before this event, and it says so before it takes anything.
    if (type === ERASED && body !== null && isSession(stream)) lacking.delete(stream);
  }

  const firstLacking = (): Fault | null =>
    [...lacking.values()].reduce<Fault | null>(
      (first, one) => (first && first.position < one.position ? first : one),
      null,
    );

  return {
    take(record, far) {
      const { stream, version, hash, position } = record;
      const fault = faultOf(record, heads.get(stream) ?? emptyHead, sha256);
      bad = fault === null ? null : faultAt(record, fault);
      if (position <= last) bad ??= faultAt(record, `it is behind record ${last}`);
      if (stream === SEAL_STREAM) bad ??= sealFault(record);
      if (far === "changed") bad ??= faultAt(record, "the blob with its body was changed");
      if (bad) return bad;
      heads.set(stream, { version, hash });
      since.push({ position, stream, version, hash });
      [records, last] = [records + 1, position];
      lack(record, far);
      return null;
    },
    end({ isBare }) {
      if (!isBare) bad ??= firstLacking();
      bad ??= anchored.map((anchor) => cutTail(anchor, seals, last)).find(Boolean) ?? null;
      const unsealed = since.filter(({ stream }) => stream !== SEAL_STREAM).length;
      const head = sumOver(since);
      const bodies = { erased, inBlobs, blobsElsewhere };
      return { bad, records, streams: heads.size, ...bodies, seals, unsealed, keys, head };
    },
  };
}

/** The first line of each seal: an anchor only grows, so a later one overrules none. */
function bySealIn(lines: readonly Anchored[]): ReadonlyMap<number, Anchored> {
  const first = new Map<number, Anchored>();
  for (const line of lines) if (!first.has(line.seal)) first.set(line.seal, line);
  return first;
}

const faultAt = ({ position, stream, version }: Since, fault: string): Fault => {
  return { position, stream, version, fault };
};

type Known = { name: string; bySeal: ReadonlyMap<number, Anchored> };

function rewritten({ name, bySeal }: Known, record: LogRecord): Fault {
  const { version, position } = record;
  const known = bySeal.get(version)?.position ?? position;
  const fault =
    `${name} has another seal ${version}, as record ${known}: ` +
    "it is missing, or the log up to there was written anew";
  return { position: Math.min(position, known), stream: SEAL_STREAM, version, fault };
}

type Signed = { number: number; seal: Seal; after: number };

/** The first of the records before a seal that is not what was signed, by the seal's marks. */
function differing(
  covered: readonly Since[],
  { number, seal, after }: Signed,
  record: LogRecord,
): Fault {
  const marks = (seal.marks ?? "").match(new RegExp(`.{${MARK_CHARS}}`, "g")) ?? [];
  const from = after + 1;
  const range = `records ${from} to ${seal.position} are not those that seal ${number} signed`;
  if (marks.length === 0) return faultAt(covered[0] ?? record, range);
  const at = marks.findIndex((mark, i) => !covered[i] || markOf(covered[i]) !== mark);
  const found = covered[at === -1 ? marks.length : at];
  const position = (covered[at - 1]?.position ?? after) + 1;
  const gone = (): Fault => {
    const fault = `it is missing: seal ${number} signed it`;
    return { position, stream: "", version: 0, fault };
  };
  if (!found) return at === -1 ? faultAt(covered[0] ?? record, range) : gone();
  if (at !== -1 && markOf(found) === marks[at + 1]) return gone();
  const isNew = at === -1 || (covered[at + 1] && markOf(covered[at + 1] as Since) === marks[at]);
  const changed = `it is not the record that seal ${number} signed here`;
  return faultAt(found, isNew ? `it was not there when seal ${number} was made` : changed);
}

/** What an anchor knows of and the log does not have any more. */
function cutTail({ name, bySeal }: Known, seals: number, last: number): Fault | null {
  const newest = bySeal.keys().reduce((max, seal) => Math.max(max, seal), 0);
  if (newest <= seals) return null;
  const { position = 0 } = bySeal.get(newest) ?? {};
  const fault =
    `the log ends before it: ${name} has seal ${newest} as record ${position}, ` +
    `and the log has ${seals} of the seals`;
  return { position: last + 1, stream: "", version: 0, fault };
}
