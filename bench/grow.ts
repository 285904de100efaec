// Logs as years of use leave them, for the benches that open them.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { folderBlobs } from "#boundary/blobs/folder.ts";
import { sha256 } from "#boundary/digest.ts";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import { feedAtOnce, viewsOver } from "#boundary/views.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { answered, finished, prompted, started, stepStarted } from "#core/session/samples.ts";
import { emptySession } from "#core/session/state.ts";
import { buildInfo } from "../src/build.ts";

/** Events of one grown turn: a prompt, a step with a call, a step with an answer, the end. */
const TURN_EVENTS = 7;
/** Turns between two compactions. */
const COMPACT_TURNS = 20;

function turn(n: number): SessionEvent[] {
  const id = `c${n}`;
  const events: SessionEvent[] = [
    prompted(`prompt ${n}`, `t${n}`),
    stepStarted(1),
    answered([{ id, tool: "read" }]),
    finished(id),
    stepStarted(2),
    answered(`answer ${n}`),
    { type: "TurnEnded", turn: `t${n}`, end: "done" },
  ];
  if (n % COMPACT_TURNS !== 0) return events;
  return [
    ...events,
    { type: "Compacted", text: "digest", keep: 2, droppedMessages: 9, why: "full" },
  ];
}

/** Makes a home with sessions of so many events each; ids are `prefix` and a number. */
export async function grow(
  home: string,
  options: { sessions: number; events: number; path: string; prefix: string },
): Promise<void> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const opened = sqliteLog(join(home, "log.db"), { node: "n", atOnce: feedAtOnce, now: Date.now });
  if (!opened.ok) throw new Error(opened.error.say);
  const blobs = folderBlobs(join(home, "blobs"));
  const text = new TextEncoder().encode("bench");
  await blobs.put(text);
  const blob = { hash: sha256(text), bytes: text.length, media: "text/plain" };
  const sessions = sessionsOver({ log: opened.value, blobs, fingerprint: buildInfo().fingerprint });
  await viewsOver(opened.value, sessions).open(new AbortController().signal);
  const begin = {
    ...started,
    system: blob,
    tools: blob,
    location: { node: "n", path: options.path },
  };
  for (let n = 0; n < options.sessions; n += 1) {
    const events: SessionEvent[] = [begin];
    for (let t = 1; events.length + TURN_EVENTS <= options.events; t += 1) events.push(...turn(t));
    const stream = options.prefix + String(n).padStart(16 - options.prefix.length, "0");
    let session = emptySession;
    for (let i = 0; i < events.length; i += 1_000) {
      const batch = events.slice(i, i + 1_000);
      const added = await sessions.append(stream, session, batch, { actor: "user", epoch: 0 });
      if (!added.ok) throw new Error(added.error.say);
      session = added.value;
    }
    await sessions.keep(stream);
  }
  await opened.value.close();
}
