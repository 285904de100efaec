// Erasing a session for good: an event says so, the blobs that only this session named are removed,
// every other record loses its body. May be asked again: what a crash left is then removed.
import type { DoorParts } from "#boundary/door/parts.ts";
import { type Failed, ok, type Result } from "#core/failure.ts";
import { blobsNamed, isLeaning } from "#core/session/export.ts";

/**
 * Blobs that a new session is about to name are younger than this: system prompt and tools are the
 * same for many, and one may have put them just now. In milliseconds.
 */
const SHARED_GRACE_MS = 3_600_000;

/** What an erased session named, by what may become of it. */
type Doomed = {
  /** Requests, outputs, attachments: removed first, so that a crash leaves something to find. */
  own: Set<string>;
  /** Bodies that lie in blobs: removed once no record needs them to be read. */
  far: Set<string>;
  /** What every session of a folder begins with. */
  shared: Set<string>;
  /** The request that a request leans on (decision 0002). */
  bases: Map<string, string>;
};

export async function erase(
  parts: DoorParts,
  { session, why }: { session: string; why: string },
): Promise<Result<{ stream: string; version: number }>> {
  const began = Date.now();
  const state = await parts.sessions.fold(session);
  if (!state.ok) return state;
  const erased = state.value.erased
    ? state
    : await parts.sessions.command(session, { type: "Erase", why });
  if (!erased.ok) return erased;
  const signal = new AbortController().signal;
  const doomed = await namedBy(parts, session, signal);
  if (!doomed.ok) return doomed;
  const spared = await spare(parts, session, doomed.value);
  if (!spared.ok) return spared;
  const { own, far, shared } = doomed.value;
  // A blob that anybody put since, or puts now, is younger than `began` and stays: it is theirs.
  const sweep = async (dead: ReadonlySet<string>, graceMs: number) =>
    dead.size === 0
      ? ok({ removed: 0 })
      : await parts.blobs.sweep((hash) => !dead.has(hash), { graceMs, signal });
  const swept = await sweep(own, Date.now() - began);
  if (!swept.ok) return swept;
  const until = erased.value.version - 1;
  const bodies = await parts.log.erase(session, { after: 0, until });
  if (!bodies.ok) return bodies;
  const rest = await sweep(far, Date.now() - began);
  if (!rest.ok) return rest;
  const begins = await sweep(shared, SHARED_GRACE_MS);
  return begins.ok ? ok({ stream: session, version: erased.value.version }) : begins;
}

async function namedBy(
  parts: DoorParts,
  session: string,
  signal: AbortSignal,
): Promise<Result<Doomed>> {
  const doomed: Doomed = { own: new Set(), far: new Set(), shared: new Set(), bases: new Map() };
  for await (const page of parts.log.read(session, { after: 0 }, signal)) {
    if (!page.ok) return page;
    for (const { type, body } of page.value) {
      if (body === null) continue;
      const names = blobsNamed(JSON.parse(body));
      const kind = type === "SessionStarted" || type === "ToolsChanged" ? "shared" : "own";
      for (const hash of names) doomed[kind].add(hash);
      const far = farOf(body);
      if (far === null) continue;
      doomed.own.delete(far);
      doomed.far.add(far);
      for (const hash of blobsNamed(await jsonIn(parts, far))) doomed.own.add(hash);
    }
  }
  // A set that grows while it is walked: a request may lean on one that no event names.
  for (const hash of doomed.own) {
    const request = await jsonIn(parts, hash);
    if (!isLeaning(request)) continue;
    doomed.bases.set(hash, request.base);
    doomed.own.add(request.base);
  }
  return ok(doomed);
}

/** Takes from `doomed` what any other record of the log names, and what that leans on. */
async function spare(
  parts: DoorParts,
  session: string,
  { own, far, shared, bases }: Doomed,
): Promise<Failed | { ok: true }> {
  const keep = (hash: string): void => {
    shared.delete(hash);
    far.delete(hash);
    for (let next: string | undefined = hash; next && own.delete(next); ) next = bases.get(next);
  };
  const keepAllIn = (text: string): void => {
    for (const [hash] of text.matchAll(/[0-9a-f]{64}/g)) keep(hash);
  };
  for await (const page of parts.log.readAll(0, new AbortController().signal)) {
    if (!page.ok) return page;
    for (const { stream, body } of page.value) {
      if (stream === session || body === null) continue;
      keepAllIn(body);
      const hash = farOf(body);
      if (hash !== null) keepAllIn((await textIn(parts, hash)) ?? "");
    }
  }
  return ok();
}

const farOf = (body: string): string | null =>
  /^\{"\$blob":"([0-9a-f]{64})"\}$/.exec(body)?.[1] ?? null;

async function textIn(parts: DoorParts, hash: string): Promise<string | null> {
  const bytes = await parts.blobs.get(hash);
  return bytes.ok ? Buffer.from(bytes.value).toString() : null;
}

/** A blob as JSON; null where it is none, or is gone already. */
async function jsonIn(parts: DoorParts, hash: string): Promise<unknown> {
  try {
    return JSON.parse((await textIn(parts, hash)) ?? "null");
  } catch {
    return null;
  }
}
