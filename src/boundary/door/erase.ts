// Erasing a session for good: an event says so, the blobs that only this session named are removed,
// every other record loses its body. What a crash or the age limit leaves, a later sweep removes.
import { endChild } from "#boundary/child-ends.ts";
import { textIn } from "#boundary/door/bodies.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { Took } from "#core/ledger/figures.ts";
import { parsed } from "#core/model/json.ts";
import { decide } from "#core/session/decide.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { blobsNamed, isLeaning } from "#core/session/export.ts";
import type { Session } from "#core/session/state.ts";
import { farOf } from "#core/session/upcast.ts";
import { SWEPT, SWEPT_STREAM } from "#core/views/erased.ts";

/**
 * Blobs that a new session is about to name are younger than this: system prompt and tools are the
 * same for many, and one may have put them just now. In milliseconds.
 */
export const SHARED_GRACE_MS = 3_600_000;

/** Times that an erasure is decided again because others appended meanwhile. */
const CONFLICTS_MAX = 20;
/** Models and days of a session whose figures are kept. */
const TOOK_MAX = 10_000;
/** Children of a session that are erased in one go. */
const CHILDREN_MAX = 100;

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
  const state = await parts.sessions.fold(session);
  if (!state.ok) return state;
  // Refused for the session, its children stay as well.
  if (!state.value.turn) {
    const children = await eraseChildren(parts, { session, why });
    if (!children.ok) return children;
  }
  const erased = state.value.erased ? state : await saidErased(parts, { session, why });
  if (!erased.ok) return erased;
  const finished = await finishErasure(parts, session, new AbortController().signal);
  return finished.ok ? ok({ stream: session, version: erased.value.version }) : finished;
}

/** Says that it is erased, with what it took: of that the ledger forgets nothing. */
async function saidErased(
  parts: DoorParts,
  { session, why }: { session: string; why: string },
): Promise<Result<Session>> {
  for (let tries = 0; tries < CONFLICTS_MAX; tries += 1) {
    const state = await parts.sessions.fold(session);
    if (!state.ok) return state;
    const decided = decide({ type: "Erase", why }, state.value);
    if (!decided.ok) return decided;
    const fed = await parts.views.catchUp("usage", new AbortController().signal);
    if (!fed.ok) return fed;
    const rows = await parts.log.tables.rows("usage", { where: { session }, limit: TOOK_MAX });
    if (!rows.ok) return rows;
    const took = rows.value.map(({ session: _, ...row }) => row as Took);
    const { child, ancestors } = state.value.start ?? {};
    const within = child ? { within: ancestors ?? [] } : {};
    const event: SessionEvent = { type: "SessionErased", why, took, ...within };
    const by = { actor: "user", epoch: 0 };
    const said = await parts.sessions.append(session, state.value, [event], by);
    if (said.ok || said.error.code !== "conflict") return said;
  }
  return fail("busy", "others kept changing the session", { fix: "try again" });
}

/** What a session had its children do is part of it. */
async function eraseChildren(
  parts: DoorParts,
  { session, why }: { session: string; why: string },
): Promise<Result<void>> {
  const query = { where: { parent: session }, limit: CHILDREN_MAX };
  for (let rows = await parts.log.tables.rows("children", query); ; ) {
    if (!rows.ok) return rows;
    if (rows.value.length === 0) return ok();
    for (const { child, open } of rows.value) {
      const ended = open === 1 ? await endChild(parts, String(child), "cancelled") : ok();
      const erased = ended.ok ? await erase(parts, { session: String(child), why }) : ended;
      if (!erased.ok) return erased;
    }
    rows = await parts.log.tables.rows("children", query);
  }
}

/** `left`: blobs that other sessions may be about to name stay until a later sweep. */
export type Finished = "gone" | "left";

/** Removes what is left of an erased session. May be asked again at any time. */
export async function finishErasure(
  parts: DoorParts,
  session: string,
  signal: AbortSignal,
): Promise<Result<Finished>> {
  const began = Date.now();
  const open = await parts.log.tables.rows("erased", { where: { session }, limit: 1 });
  if (!open.ok) return open;
  const [row] = open.value;
  if (!row) return ok("gone");
  const doomed = await namedBy(parts, session, signal);
  if (!doomed.ok) return doomed;
  const spared = await spare(parts, session, doomed.value, signal);
  if (!spared.ok) return spared;
  const { own, far, shared } = doomed.value;
  // A blob that anybody put since, or puts now, is younger than `began` and stays: it is theirs.
  const sweep = async (dead: ReadonlySet<string>, graceMs: number) =>
    dead.size === 0
      ? ok({ removed: 0 })
      : await parts.blobs.sweep((hash) => !dead.has(hash), { graceMs, signal });
  const swept = await sweep(own, Date.now() - began);
  if (!swept.ok) return swept;
  // Nothing is thrown away that was not looked through: what was called off goes on another time.
  if (signal.aborted) return calledOff;
  const fed = await leaveViews(parts, session, signal);
  if (!fed.ok) return fed;
  const until = Number(row.version) - 1;
  const bodies = await parts.log.erase(session, { after: 0, until });
  if (!bodies.ok) return bodies;
  const rest = await sweep(far, Date.now() - began);
  if (!rest.ok) return rest;
  const begins = await sweep(shared, SHARED_GRACE_MS);
  if (!begins.ok) return begins;
  return await concluded(parts, session, doomed.value, signal);
}

/** The views that are fed later would keep its prompts until somebody asks for them. */
async function leaveViews(
  parts: DoorParts,
  session: string,
  signal: AbortSignal,
): Promise<Result<void>> {
  for (const view of ["prompts", "usage", "results"]) {
    const rows = await parts.log.tables.rows(view, { where: { session }, limit: 1 });
    if (!rows.ok) return rows;
    const fed = rows.value.length > 0 ? await parts.views.catchUp(view, signal) : ok();
    if (!fed.ok) return fed;
  }
  return ok();
}

/** Says that nothing is left, where that is so and can be known: a crash forgets what was named. */
async function concluded(
  parts: DoorParts,
  session: string,
  { own, far, shared }: Doomed,
  signal: AbortSignal,
): Promise<Result<Finished>> {
  const wereNamed = own.size + far.size + shared.size > 0;
  if (!wereNamed || signal.aborted) return ok("left");
  for (const hash of [...own, ...far, ...shared])
    if (await parts.blobs.has(hash)) return ok("left");
  const said = await saySwept(parts, session);
  return said.ok ? ok("gone") : said;
}

/** That nothing is left: the session is not looked at again. */
export async function saySwept(parts: DoorParts, session: string): Promise<Result<void>> {
  const head = await parts.log.head(SWEPT_STREAM);
  if (!head.ok) return head;
  const body = JSON.stringify({ session });
  const draft = { type: SWEPT, schema: 1, body, actor: "node", epoch: 0 };
  const said = await parts.log.append(SWEPT_STREAM, head.value.version, [draft]);
  // On a conflict the row stays, and the session is looked at again at a later start.
  return said.ok || said.error.code === "conflict" ? ok() : said;
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
      const names = blobsNamed(parsed(body));
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
  signal: AbortSignal,
): Promise<Result<void>> {
  if (own.size + far.size + shared.size === 0) return ok();
  return await namedAnywhere(parts, { except: session, signal }, (hash) => {
    shared.delete(hash);
    far.delete(hash);
    for (let next: string | undefined = hash; next && own.delete(next); ) next = bases.get(next);
  });
}

/** Every hash in a body of any record but one stream's, those in bodies that lie in blobs too. */
export async function namedAnywhere(
  parts: DoorParts,
  { except, signal }: { except: string | null; signal: AbortSignal },
  named: (hash: string) => void,
): Promise<Result<void>> {
  const allIn = (text: string): void => {
    for (const [hash] of text.matchAll(/[0-9a-f]{64}/g)) named(hash);
  };
  for await (const page of parts.log.readAll(0, signal)) {
    if (!page.ok) return page;
    for (const { stream, body } of page.value) {
      if (stream === except || body === null) continue;
      allIn(body);
      const hash = farOf(body);
      if (hash !== null) allIn((await textIn(parts, hash)) ?? "");
    }
  }
  return signal.aborted ? calledOff : ok();
}

const calledOff = fail("cancelled", "the sweep was called off; a later start goes on with it");

/** A blob as JSON; null where it is none, or is gone already. */
async function jsonIn(parts: DoorParts, hash: string): Promise<unknown> {
  try {
    return JSON.parse((await textIn(parts, hash)) ?? "null");
  } catch {
    return null;
  }
}
