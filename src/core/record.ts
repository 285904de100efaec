// An event with its envelope, and the chain that binds the envelopes of a stream together. The
// chain covers headers only: a header names its body by a salted hash, so erasing body and salt
// leaves every hash valid and tells nothing about what was erased.

/** What an append brings; the log adds the rest. `body` is the exact JSON text that is kept. */
export type Draft = {
  type: string;
  /** Version of this event type's shape; a changed shape raises it and adds an upcaster. */
  schema: number;
  /** Null where it was erased before it came here: an import keeps erased what was. */
  body: string | null;
  /** Who caused it: `user`, `runner`, `tool:<name>` … */
  actor: string;
  /** The runner's epoch; 0 for what a user appends. */
  epoch: number;
  /** Id of the record that led to this one. */
  cause?: string;
  /** Groups what belongs to one request across streams: the turn's id. */
  correlation?: string;
};

export type LogRecord = Omit<Draft, "body" | "cause" | "correlation"> & {
  /** Order over all streams of this log; opaque, made by the adapter. */
  position: number;
  stream: string;
  /** 1, 2, 3 … within the stream. */
  version: number;
  id: string;
  /** Milliseconds since 1970, by the clock of the node that appended. */
  at: number;
  node: string;
  cause: string | null;
  correlation: string | null;
  bodyHash: string;
  /** Hash of the record before it in the stream; empty for the first. */
  prev: string;
  hash: string;
  /** Null once erased. */
  body: string | null;
  /** Null once erased. */
  salt: string | null;
};

/** The event that says that all records of its session before it lost their bodies. */
export const ERASED = "SessionErased";

/** Whether a stream is a session's: others have a kind before a colon, and are never erased. */
export const isSession = (stream: string): boolean => !stream.includes(":");

/** Whether a blob is what its name says. */
export type BlobState = "whole" | "changed" | "missing";

/** Longest body in UTF-8 bytes; what is longer goes to a blob that the event names. */
export const BODY_BYTES_MAX = 65_536;

/** Lower-case hex SHA-256 of a text's UTF-8 bytes; brought in, since core has no I/O. */
export type Sha256 = (text: string) => string;

/** Where a stream stands. */
export type Head = { version: number; hash: string };

export const emptyHead: Head = { version: 0, hash: "" };

/** What differs between two appends of the same draft. */
export type Stamp = { at: number; node: string; newId: () => string; newSalt: () => string };

/** The drafts as the next records of a stream; the adapter adds `position`. */
export function chain(
  drafts: readonly Draft[],
  stream: string,
  head: Head,
  stamp: Stamp,
  sha256: Sha256,
): Omit<LogRecord, "position">[] {
  let { version, hash } = head;
  return drafts.map((draft) => {
    version += 1;
    const salt = stamp.newSalt();
    const erased = draft.body === null;
    const header = {
      stream,
      version,
      id: stamp.newId(),
      type: draft.type,
      schema: draft.schema,
      at: stamp.at,
      actor: draft.actor,
      node: stamp.node,
      epoch: draft.epoch,
      cause: draft.cause ?? null,
      correlation: draft.correlation ?? null,
      bodyHash: bodyHashOf(draft.body ?? "", salt, sha256),
      prev: hash,
    };
    hash = headerHashOf(header, sha256);
    return { ...header, hash, body: draft.body, salt: erased ? null : salt };
  });
}

type Header = Omit<LogRecord, "position" | "hash" | "body" | "salt">;

export function bodyHashOf(body: string, salt: string, sha256: Sha256): string {
  return sha256(`${salt}\n${body}`);
}

/** The form that is hashed: a JSON array with a fixed order of fields, first its own name. */
export function headerHashOf(r: Header, sha256: Sha256): string {
  return sha256(
    JSON.stringify([
      "aiex-record-1",
      r.stream,
      r.version,
      r.id,
      r.type,
      r.schema,
      r.at,
      r.actor,
      r.node,
      r.epoch,
      r.cause,
      r.correlation,
      r.bodyHash,
      r.prev,
    ]),
  );
}

/** What is wrong with a record that should follow `head`, or null where it fits. */
export function faultOf(record: LogRecord, head: Head, sha256: Sha256): string | null {
  if (record.version !== head.version + 1) return `version ${record.version} after ${head.version}`;
  if (record.prev !== head.hash) return "does not name the record before it";
  if (headerHashOf(record, sha256) !== record.hash) return "its header was changed";
  const { body, salt } = record;
  // Erasing takes both: a body without its salt, which nothing binds, is somebody else's.
  if (body === null && salt === null) return null;
  const isWhole = body !== null && salt !== null;
  const holds = isWhole && bodyHashOf(body, salt, sha256) === record.bodyHash;
  return holds ? null : "its body was changed";
}
