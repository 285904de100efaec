// A store whose bytes are not what was written: cut at any byte of its write-ahead log or its pages,
// or with one bit flipped in each page. What is served is what was written, or it is refused.
// `AIEX_CRASH_SEEDS` tries more places, 100 all of them.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memoryBlobs } from "#boundary/blobs/memory.ts";
import type { EventLog } from "#boundary/log/port.ts";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import type { Result } from "#core/failure.ts";
import { randomFrom } from "../hostile/random.ts";
import { must } from "./drive.ts";

const SEEDS = Number(process.env.AIEX_CRASH_SEEDS ?? "1");
const SEED = Number(process.env.AIEX_CRASH_SEED ?? Date.now() % 1_000_000);
const random = randomFrom(SEED);
const RECORDS = 1_200;
const never = new AbortController().signal;

const root = mkdtempSync(join(tmpdir(), "aiex-store-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const opened = (file: string): Result<EventLog> =>
  sqliteLog(file, { node: "n", atOnce: () => [], now: Date.now });

const titleOf = (n: number) => `title ${n} ${"x".repeat(300)}`;

async function appended(log: EventLog, from: number, count: number): Promise<void> {
  const drafts = Array.from({ length: count }, (_, i) => {
    const body = JSON.stringify({ title: titleOf(from + i) });
    return { type: "SessionRenamed", schema: 1, body, actor: "user", epoch: 0 };
  });
  must(await log.append("s", from, drafts));
}

type Served = { titles: string[]; refused: number; failure: string | null; state: string };

/** What the program serves of the session: each record's title as it reads it, or what it refuses. */
async function servedBy(file: string): Promise<Served> {
  const served: Served = { titles: [], refused: 0, failure: null, state: "" };
  const log = opened(file);
  if (!log.ok) return { ...served, failure: log.error.code };
  const blobs = memoryBlobs();
  const sessions = sessionsOver({ log: log.value, blobs, fingerprint: "f" });
  for await (const page of sessions.read("s", { after: 0 }, never)) {
    if (!page.ok) served.failure = page.error.code;
    else {
      for (const { decoded } of page.value) {
        const title = decoded.kind === "event" && "title" in decoded.event && decoded.event.title;
        if (typeof title === "string") served.titles.push(title);
        else served.refused += 1;
      }
    }
  }
  const folded = await sessions.fold("s");
  if (!folded.ok) served.failure ??= folded.error.code;
  else if (folded.value.unknown) served.refused += 1;
  else served.state = JSON.stringify(folded.value);
  await log.value.close();
  return served;
}

const isWhole = ({ titles, refused, failure }: Served) =>
  titles.length === RECORDS && refused === 0 && failure === null;

/** What is served and was not written, or not there; or less than all as if it were all. */
function wrongIn(served: Served, state: string): string[] {
  const { titles, refused, failure } = served;
  const isRefused = refused > 0 || failure !== null;
  const foreign = titles.filter((title, i) =>
    isRefused ? title !== titleOf(Number(title.split(" ")[1])) : title !== titleOf(i),
  );
  if (!isRefused && titles.length < RECORDS) foreign.push(`${titles.length} as if they were all`);
  if (served.state !== "" && served.state !== state) foreign.push("another state");
  return foreign;
}

/** A database of these bytes, and nothing beside it. */
function placed(name: string, bytes: Uint8Array): string {
  const file = join(root, name);
  for (const end of ["-wal", "-shm"]) rmSync(file + end, { force: true });
  writeFileSync(file, bytes);
  return file;
}

describe("a damaged store", () => {
  const file = join(root, "whole.db");
  let state = "";
  beforeAll(async () => {
    const log = must(opened(file));
    for (let at = 0; at < RECORDS; at += 100) await appended(log, at, 100);
    await log.close();
    // Of so many records the first reader keeps a snapshot, which has bits to flip, too.
    ({ state } = await servedBy(file));
  });

  it("in each of its pages, one bit flipped, serves nothing that was not written", async () => {
    const bytes = readFileSync(file);
    const pages = bytes.length / 4_096;
    const found = { whole: 0, refused: 0 };
    const wrong: string[] = [];
    const flips = pages * Math.min(SEEDS, 10);
    // The first page more often: it tells how the others are read.
    for (let n = 0; n < flips + 100; n += 1) {
      const page = n < flips ? n % pages : 0;
      const at = page * 4_096 + random.below(4_096);
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
      const served = await servedBy(placed("flipped.db", flipped));
      if (isWhole(served)) found.whole += 1;
      else found.refused += 1;
      wrong.push(...wrongIn(served, state).map((what) => `byte ${at}: ${what.slice(0, 60)}`));
    }
    expect(wrong, `seed ${SEED}`).toEqual([]);
    expect(found.refused).toBeGreaterThan(pages / 4);
    console.log(`bit flips: ${pages} pages, ${found.refused} refused, ${found.whole} no harm`);
  });

  it("cut at any byte of its last pages is refused, or serves what was written", async () => {
    const bytes = readFileSync(file);
    const wrong: string[] = [];
    for (let n = 0; n < 60 * SEEDS; n += 1) {
      const end = bytes.length - 1 - random.below(65_536);
      const served = await servedBy(placed("short.db", bytes.subarray(0, end)));
      wrong.push(...wrongIn(served, state).map((what) => `cut at ${end}: ${what.slice(0, 60)}`));
    }
    expect(wrong, `seed ${SEED}`).toEqual([]);
  });
});

describe("a store whose log was cut", () => {
  it("at any byte of its write-ahead log opens with all that was acknowledged before it", async () => {
    const file = join(root, "torn.db");
    const log = must(opened(file));
    const sizes: number[] = [];
    for (let n = 0; n < 24; n += 1) {
      await appended(log, n, 1);
      sizes.push(statSync(`${file}-wal`).size);
    }
    const wal = readFileSync(`${file}-wal`);
    const copy = join(root, "cut.db");
    const places = SEEDS >= 100 ? wal.length : 400 * SEEDS;
    const wrong: string[] = [];
    for (let n = 0; n < places; n += 1) {
      const end = SEEDS >= 100 ? n : random.below(wal.length);
      rmSync(`${copy}-shm`, { force: true });
      copyFileSync(file, copy);
      writeFileSync(`${copy}-wal`, wal.subarray(0, end));
      const reopened = opened(copy);
      if (!reopened.ok) {
        wrong.push(`${end}: ${reopened.error.say}`);
        continue;
      }
      const cut = reopened.value;
      const { version } = must(await cut.head("s"));
      const acknowledged = sizes.filter((size) => size <= end).length;
      if (version < acknowledged) wrong.push(`${end}: ${version} of ${acknowledged}`);
      const pages = await Array.fromAsync(cut.read("s", { after: 0 }, never));
      const versions = pages.flatMap((page) => must(page).map((record) => record.version));
      if (versions.some((at, i) => at !== i + 1)) wrong.push(`${end}: a hole`);
      await appended(cut, version, 1);
      await cut.close();
    }
    await log.close();
    expect(wrong, `seed ${SEED}`).toEqual([]);
  });
});
