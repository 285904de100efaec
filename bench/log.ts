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
import { broke, started } from "#core/session/samples.ts";
import { emptySession, type Session } from "#core/session/state.ts";
import { type Compared, median } from "./measure.ts";

const ROUNDS = 20;
const APPENDS = 200;
const LIMIT = 1.5;
const text = "x".repeat(1_024);

export async function log(): Promise<Compared[]> {
  const folder = mkdtempSync(join(tmpdir(), "aiex-bench-"));
  const bare = bareCommits(join(folder, "bare.db"));
  const ours = await ownAppends(join(folder, "ours.db"));
  const pairs: [number, number][] = [];
  await ours.round();
  bare.round();
  for (let i = 0; i < ROUNDS; i += 1) pairs.push([await ours.round(), bare.round()]);
  await ours.close();
  bare.close();
  rmSync(folder, { recursive: true, force: true });
  return [
    {
      what: "append of 1 KiB",
      ours: median(pairs.map(([a]) => a)),
      floor: median(pairs.map(([, b]) => b)),
      unit: "ms",
      ratio: median(pairs.map(([a, b]) => a / b)),
      limit: LIMIT,
    },
  ];
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

async function ownAppends(file: string) {
  const opened = sqliteLog(file, { node: "n", atOnce: feedAtOnce, now: Date.now });
  if (!opened.ok) throw new Error(opened.error.say);
  const sessions = sessionsOver({ log: opened.value, blobs: memoryBlobs(), fingerprint: "bench" });
  await viewsOver(opened.value, sessions).open(new AbortController().signal);
  const by = { actor: "user", epoch: 0 };
  let session: Session = emptySession;
  const append = async (event: Parameters<typeof sessions.append>[2][number]) => {
    const added = await sessions.append("s", session, [event], by);
    if (!added.ok) throw new Error(added.error.say);
    session = added.value;
  };
  await append(started);
  return {
    async round() {
      const began = performance.now();
      for (let i = 0; i < APPENDS; i += 1) await append({ ...broke(0), partial: text });
      return (performance.now() - began) / APPENDS;
    },
    close: () => opened.value.close(),
  };
}
