// The verb `read`: what is known, in bounded pages.
import type { Answers, Entry, Query } from "#app";
import type { DoorParts } from "#boundary/door/parts.ts";
import { unreachable } from "#core/assert.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { LogRecord } from "#core/record.ts";
import type { Decoded } from "#core/session/upcast.ts";

type Answer = Result<Answers[Query["type"]]>;

/** Bytes of a blob in one answer. */
const BLOB_BYTES_MAX = 1_048_576;

/** Streams looked at for a session's: those of seals, folders and the user may begin alike. */
const STREAMS = 50;

const newest = {
  sessions: "updatedAt",
  usage: "day",
  steps: "version",
  prompts: "at",
  budgets: "within",
  children: "begunAt",
  results: "version",
} as const;

export async function read(parts: DoorParts, query: Query): Promise<Answer> {
  const signal = new AbortController().signal;
  switch (query.type) {
    case "View":
      return await rows(parts, query, signal);
    case "Session":
      return await sessionNamed(parts, query.session);
    case "RestorePlan":
      return await restorePlan(parts, query);
    case "Difference": {
      const { difference } = await import("#boundary/door/difference.ts");
      return await difference(parts, query, signal);
    }
    case "Checkpoints":
    case "CheckpointDifference":
    case "CheckpointPlan":
    case "CheckpointOutcome":
    case "TreeFaults":
      return await aboutCheckpoints(parts, query);
    case "Compactions":
      return await (await import("#boundary/door/compactions.ts")).compactions(
        parts,
        query.session,
        signal,
      );
    case "Transcript":
      return await transcript(parts, query, signal);
    case "Records":
      return await records(parts, query, signal);
    case "Blob": {
      const { hash, from = 0, bytes = BLOB_BYTES_MAX } = query;
      return await parts.blobs.get(hash, { from, bytes: Math.min(bytes, BLOB_BYTES_MAX) });
    }
    case "BlobState":
      return await parts.blobs.check(query.hash);
    case "Search":
    case "Locate":
    case "Symbols":
    case "References":
    case "Map":
    case "Impact":
    case "IndexStatus":
    case "Context":
      return await (await import("#boundary/door/index-of.ts")).readIndex(parts, query);
    case "Location": {
      const located = await parts.locations.find(query.path);
      if (!located.ok) return located;
      const { path, workspace, isTrusted, config, project } = located.value;
      return ok({ path, workspace, trusted: isTrusted, config, project });
    }
    case "Verify":
      return await parts.verify.rows(query.path);
    default:
      return await readOfNode(parts, query, signal);
  }
}

type OfNode = Extract<
  Query,
  {
    type:
      | "Anchors"
      | "SealKey"
      | "SignExport"
      | "Health"
      | "Models"
      | "ProbeModel"
      | "Keys"
      | "Providers";
  }
>;

/** What is known of this node, whatever sessions and folders there are. */
async function readOfNode(parts: DoorParts, query: OfNode, signal: AbortSignal): Promise<Answer> {
  switch (query.type) {
    case "Anchors":
    case "SealKey":
    case "SignExport":
      return await aboutSeals(parts, query);
    case "Health": {
      const { version, node, home } = parts;
      return ok({ version, node, home, checks: await parts.checks() });
    }
    case "Models":
      return await parts.models(signal);
    case "ProbeModel":
      return await parts.probe(query.model, signal);
    case "Keys":
      return await parts.keys.list();
    case "Providers":
      return await parts.providerNames();
    default:
      return unreachable(query);
  }
}

async function rows(
  parts: DoorParts,
  { view, where, contains, limit, offset, newestFirst = true }: Extract<Query, { type: "View" }>,
  signal: AbortSignal,
): Promise<Answer> {
  const fed = await parts.views.catchUp(view, signal);
  if (!fed.ok) return fed;
  const orderBy = { column: newest[view], descending: newestFirst };
  return await parts.log.tables.rows(view, { where, contains, orderBy, limit, offset });
}

type AboutSeals = Extract<Query, { type: "Anchors" | "SealKey" | "SignExport" }>;

async function aboutSeals({ sealing }: DoorParts, query: AboutSeals): Promise<Answer> {
  const audit = await import("#boundary/audit.ts");
  switch (query.type) {
    case "Anchors":
      return audit.anchorFiles(sealing);
    case "SealKey":
      return audit.presentKey(sealing);
    case "SignExport":
      return audit.signExport(sealing, query.digest);
    default:
      return unreachable(query);
  }
}

type AboutCheckpoints = Extract<
  Query,
  {
    type:
      | "Checkpoints"
      | "CheckpointDifference"
      | "CheckpointPlan"
      | "CheckpointOutcome"
      | "TreeFaults";
  }
>;

async function aboutCheckpoints(parts: DoorParts, query: AboutCheckpoints): Promise<Answer> {
  const door = await import("#boundary/door/checkpoints.ts");
  switch (query.type) {
    case "Checkpoints":
      return await door.checkpoints(parts, query.path);
    case "CheckpointDifference":
      return await door.checkpointDifference(parts, query);
    case "CheckpointPlan":
      return await door.checkpointPlan(parts, query);
    case "CheckpointOutcome":
      return await door.checkpointOutcome(parts, query.path);
    case "TreeFaults":
      return await door.treeFaults(parts, query.path);
    default:
      return unreachable(query);
  }
}

async function restorePlan(
  parts: DoorParts,
  { session, cause, at, doubtful = false }: Extract<Query, { type: "RestorePlan" }>,
): Promise<Answer> {
  const { planOf } = await import("#boundary/door/restore.ts");
  if (cause === "undo") return await planOf(parts, session, { cause, doubtful });
  if (cause === "redo") return await planOf(parts, session, { cause });
  return at === undefined
    ? fail("bad_input", "a restore needs a moment", { fix: "say which version of the session" })
    : await planOf(parts, session, { cause, at });
}

async function sessionNamed(parts: DoorParts, name: string): Promise<Result<Answers["Session"]>> {
  const found = await parts.log.streams(name, STREAMS);
  if (!found.ok) return found;
  const streams = found.value.filter((stream) => !stream.includes(":"));
  const [session] = streams.includes(name) ? [name] : streams;
  if (session === undefined) {
    return fail("not_found", `there is no session ${name}`, {
      fix: "`aiex session list` shows them",
    });
  }
  if (streams.length > 1 && session !== name) {
    return fail("ambiguous", `more than one session begins with ${name}`, {
      fix: "type more of it",
    });
  }
  const state = await parts.sessions.fold(session);
  return state.ok ? ok({ session, state: state.value }) : state;
}

async function transcript(
  parts: DoorParts,
  { session, before, limit }: Extract<Query, { type: "Transcript" }>,
  signal: AbortSignal,
): Promise<Result<Entry[]>> {
  const head = await parts.log.head(session);
  if (!head.ok) return head;
  const until = Math.min(
    before === undefined ? head.value.version : before - 1,
    head.value.version,
  );
  const entries: Entry[] = [];
  const window = { after: Math.max(0, until - limit), until };
  for await (const page of parts.sessions.read(session, window, signal)) {
    if (!page.ok) return page;
    entries.push(...page.value.map(entryOf));
  }
  return ok(entries);
}

export function entryOf({ record, decoded }: { record: LogRecord; decoded: Decoded }): Entry {
  const { body: _, salt: __, ...envelope } = record;
  return { record: envelope, decoded };
}

async function records(
  parts: DoorParts,
  { after, stream, limit }: Extract<Query, { type: "Records" }>,
  signal: AbortSignal,
): Promise<Result<LogRecord[]>> {
  const found: LogRecord[] = [];
  const pages = stream
    ? parts.log.read(stream, { after, until: after + limit }, signal)
    : parts.log.readAll(after, signal);
  for await (const page of pages) {
    if (!page.ok) return page;
    found.push(...page.value);
    if (found.length >= limit) break;
  }
  return ok(found.slice(0, limit));
}
