// An append of 1 KiB through the App's own log, chain and views on, against a bare SQLite commit of
// the same bytes.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { memoryBlobs } from "#boundary/blobs/memory.ts";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import { feedAtOnce, viewsOver } from "#boundary/views.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { broke, finished, started } from "#core/session/samples.ts";
import { emptySession, type Session } from "#core/session/state.ts";
import { type Compared, median } from "./measure.ts";

const ROUNDS = 20;
const APPENDS = 200;
const text = "x".repeat(1_024);

/** A tool's result changes no view at once; the end of a model's call changes the ledger with it. */
const cases = [
  {
    what: "append of 1 KiB",
    event: finished("c", { parts: [{ type: "text", text }] }),
    limit: 1.5,
  },
  {
    what: "end of a call of 1 KiB, its sums with it",
    event: { ...broke(0), partial: text },
    limit: 2,
  },
];

export async function log(): Promise<Compared[]> {
  const folder = mkdtempSync(join(tmpdir(), "aiex-bench-"));
  const compared: Compared[] = [];
  for (const [n, { what, event, limit }] of cases.entries()) {
    const bare = bareCommits(join(folder, `bare${n}.db`));
    const ours = await ownAppends(join(folder, `ours${n}.db`), event);
    const pairs: [number, number][] = [];
    await ours.round();
    bare.round();
    for (let i = 0; i < ROUNDS; i += 1) pairs.push([await ours.round(), bare.round()]);
    await ours.close();
    bare.close();
    compared.push({
      what,
      ours: median(pairs.map(([a]) => a)),
      floor: median(pairs.map(([, b]) => b)),
      unit: "ms",
      ratio: median(pairs.map(([a, b]) => a / b)),
      limit,
    });
  }
  rmSync(folder, { recursive: true, force: true });
  return compared;
}

function bareCommits(file: string) {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  db.exec("CREATE TABLE r (n INTEGER PRIMARY KEY, stream TEXT, version INTEGER, body BLOB)");
  db.exec("CREATE UNIQUE INDEX rv ON r (stream, version)");
  const insert = db.prepare("INSERT INTO r (stream, version, body) VALUES ('s', ?, ?)");
  const body = Buffer.from(text);
  let version = 0;
  return {
    round() {
      const began = performance.now();
      for (let i = 0; i < APPENDS; i += 1) {
        db.exec("BEGIN IMMEDIATE");
        insert.run(++version, body);
        db.exec("COMMIT");
      }
      return (performance.now() - began) / APPENDS;
    },
    close: () => db.close(),
  };
}

async function ownAppends(file: string, event: SessionEvent) {
  const opened = sqliteLog(file, { node: "n", atOnce: feedAtOnce, now: Date.now });
  if (!opened.ok) throw new Error(opened.error.say);
  const sessions = sessionsOver({ log: opened.value, blobs: memoryBlobs(), fingerprint: "bench" });
  await viewsOver(opened.value, sessions).open(new AbortController().signal);
  const by = { actor: "user", epoch: 0 };
  let session: Session = emptySession;
  const append = async (event: SessionEvent) => {
    const added = await sessions.append("s", session, [event], by);
    if (!added.ok) throw new Error(added.error.say);
    session = added.value;
  };
  await append(started);
  return {
    async round() {
      const began = performance.now();
      for (let i = 0; i < APPENDS; i += 1) await append(event);
      return (performance.now() - began) / APPENDS;
    },
    close: () => opened.value.close(),
  };
}
