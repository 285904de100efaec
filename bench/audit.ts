// `aiex audit verify` over a million sealed records: against a minute, and against reading the same
// rows and hashing the same bytes with nothing around it.
import { hash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import { sealing } from "#boundary/sealing.ts";
import { seal } from "#boundary/seals.ts";
import { feedAtOnce } from "#boundary/views.ts";
import { draft } from "#core/session/samples.ts";
import { type Compared, median, runOnce } from "./measure.ts";

const root = dirname(import.meta.dirname);
const RECORDS = 1_000_000;
/** Records of one append, after each of which the log is sealed. */
const BATCH = 500;
/** Streams, as many sessions as a busy year has. */
const STREAMS = 500;
const RUNS = 3;
const SECONDS_MAX = 60;
const LIMIT = 3;
const body = { text: "x".repeat(400) };

export async function audit(): Promise<Compared[]> {
  const folder = mkdtempSync(join(tmpdir(), "aiex-bench-"));
  const home = join(folder, "aiex");
  try {
    await grow(home);
    const env = { AIEX_HOME: home, XDG_CACHE_HOME: join(folder, "cache"), HOME: folder };
    const args = ["audit", "verify", "--json"];
    const verify = { command: join(root, "bin", "aiex"), args, env, cwd: folder };
    const pairs: [number, number][] = [];
    for (let i = 0; i < RUNS; i += 1) {
      const { wallMs, peakMiB } = await runOnce(verify);
      if (i === 0) console.error(`peak memory ${peakMiB.toFixed(0)} MiB`);
      pairs.push([wallMs / 1_000, floor(join(home, "log.db"))]);
    }
    const ours = median(pairs.map(([a]) => a));
    const what = `${RECORDS} records verified`;
    const bare = median(pairs.map(([, b]) => b));
    const ratio = median(pairs.map(([a, b]) => a / b));
    return [
      { what, ours, floor: SECONDS_MAX, unit: "s", ratio: ours / SECONDS_MAX, limit: 1 },
      { what: "against hashing the rows", ours, floor: bare, unit: "s", ratio, limit: LIMIT },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function grow(home: string): Promise<void> {
  mkdirSync(home, { mode: 0o700 });
  const opened = sqliteLog(join(home, "log.db"), { node: "n", atOnce: feedAtOnce, now: Date.now });
  if (!opened.ok) throw new Error(opened.error.say);
  const at = join(home, "audit");
  const parts = { folder: at, anchors: [join(at, "anchor.jsonl")], now: Date.now };
  const { log } = sealing(opened.value, parts);
  const drafts = Array.from({ length: BATCH }, () => draft("Steered", body));
  for (let n = 0; n < RECORDS / BATCH; n += 1) {
    const expected = Math.floor(n / STREAMS) * BATCH;
    const added = await log.append(`bench${n % STREAMS}`, expected, drafts);
    if (!added.ok) throw new Error(added.error.say);
    const sealed = await seal(opened.value, parts);
    if (!sealed.ok) throw new Error(sealed.error.say);
  }
  await log.close();
}

/** Seconds to read every row and hash what its header and body have, once each. */
function floor(file: string): number {
  const began = performance.now();
  const db = new DatabaseSync(file, { readOnly: true });
  const all = db.prepare("SELECT *, CAST(body AS TEXT) AS text FROM records ORDER BY position");
  let last = "";
  for (const row of all.iterate()) {
    hash("sha256", `${row.salt}\n${row.text}`);
    last = hash(
      "sha256",
      `${row.stream} ${row.version} ${row.id} ${row.at} ${row.bodyHash} ${last}`,
    );
  }
  db.close();
  return (performance.now() - began) / 1_000;
}
