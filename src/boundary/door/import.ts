// Importing a session that was exported elsewhere: it becomes a session of this folder. What was
// said and done stays as it was; what was allowed there is not allowed here, and nothing of it runs
// until the user says so; nor can anything of it be undone or brought back here, because it was done to
// other files.
import { newId } from "#boundary/digest.ts";
import { closing, closingDraft } from "#boundary/door/closing.ts";
import { type Exported, parseExport } from "#boundary/door/export.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import type { Draft, LogRecord } from "#core/record.ts";
import { asCopy } from "#core/session/child.ts";
import { isWellFormed } from "#core/session/events.ts";
import { evolveDecoded } from "#core/session/evolve.ts";
import { emptySession, type Session } from "#core/session/state.ts";
import { type Decoded, decode, encodeBody } from "#core/session/upcast.ts";
import { IMPORTED } from "#core/views/view.ts";

type Here = {
  location: { node: string; path: string };
  workspace: string;
  mode: Session["mode"];
  /** How many events the session has before it goes on here: none of their trees is this folder's. */
  elsewhere?: number;
};

/** Refuses the whole where one record does not verify or is not what its type says. */
export async function importSession(
  parts: DoorParts,
  { text, cwd }: { text: string; cwd: string },
): Promise<Result<{ stream: string; version: number }>> {
  const parsed = parseExport(text);
  if (!parsed.ok) return parsed;
  const located = await parts.locations.open(cwd);
  if (!located.ok) return located;
  const { path, workspace } = located.value;
  const { mode } = parts.defaults;
  const here: Here = { location: { node: parts.node, path }, workspace, mode };
  const { records } = parsed.value;
  const story: Decoded[] = [];
  let session = emptySession;
  for (const record of records) {
    const decoded = decodedIn(parsed.value, record);
    if (!decoded) return broken(record);
    story.push(decoded);
    session = evolveDecoded(session, madeHere(decoded, record, here), record.version);
  }
  const ends = closing(session, "the session was exported before this ended").map(closingDraft);
  const whole = { ...here, elsewhere: records.length + ends.length };
  const drafts = records.map((record, i) => copyOf(record, story[i], whole));
  drafts.push(...ends.map((draft) => ({ ...draft, actor: IMPORTED })));
  for (const bytes of parsed.value.blobs.values()) {
    const kept = await parts.blobs.put(bytes);
    if (!kept.ok) return kept;
  }
  const stream = newId();
  const added = await parts.log.append(stream, 0, drafts);
  return added.ok ? ok({ stream, version: drafts.length }) : added;
}

/** What a record means, its far body fetched from the export; null where it is not well formed. */
function decodedIn({ blobs }: Exported, record: LogRecord): Decoded | null {
  try {
    const near = decode(record);
    const far = near.kind === "far" ? blobs.get(near.blob) : undefined;
    const decoded = far ? decode({ ...record, body: Buffer.from(far).toString() }) : near;
    if (decoded.kind === "far") return null;
    return decoded.kind !== "event" || isWellFormed(decoded.event) ? decoded : null;
  } catch {
    return null;
  }
}

/** The session begins in this folder, and leave given elsewhere was for that once. */
function madeHere(decoded: Decoded, { stream }: LogRecord, here: Here): Decoded {
  if (decoded.kind !== "event") return decoded;
  const { event } = decoded;
  switch (event.type) {
    case "SessionStarted":
      return { kind: "event", event: { ...asCopy(event), ...here, parent: stream } };
    case "ModeSwitched":
      return { kind: "event", event: { ...event, mode: here.mode } };
    case "PermissionAnswered":
      return event.scope === "once"
        ? decoded
        : { kind: "event", event: { ...event, scope: "once" } };
    default:
      return decoded;
  }
}

function copyOf(record: LogRecord, decoded: Decoded | undefined, here: Here): Draft {
  const made = decoded && madeHere(decoded, record, here);
  return draftOf(record, made && made !== decoded ? bodyOf(made) : record.body);
}

const bodyOf = (decoded: Decoded): string | null =>
  decoded.kind === "event" ? encodeBody(decoded.event) : null;

function draftOf(record: LogRecord, body: string | null): Draft {
  const { type, schema, epoch, cause, correlation } = record;
  return {
    type,
    schema: body === record.body ? schema : 1,
    body,
    actor: IMPORTED,
    epoch,
    ...(cause === null ? {} : { cause }),
    ...(correlation === null ? {} : { correlation }),
  };
}

const broken = ({ version, type }: LogRecord): Failed =>
  fail("corrupt", `this is not a session that can be imported: record ${version} is no ${type}`, {
    fix: "export it again with `aiex session export`",
  });
