// The log in a thread keeps the log's promises, and leaves the process that asks it free.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import { eventLogContract } from "#boundary/log/contract.ts";
import type { EventLog, Guard } from "#boundary/log/port.ts";
import { threadLog } from "#boundary/log/thread.ts";
import { fail } from "#core/failure.ts";
import { draft } from "#core/session/samples.ts";
import { views } from "#core/views/index.ts";

const folder = mkdtempSync(join(tmpdir(), "aiex-thread-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const thread = new URL("./thread-samples.ts", import.meta.url);

async function open(file: string, counts = false, verdictMs?: number): Promise<EventLog> {
  const log = await threadLog(thread, { file, counts, verdictMs });
  if (!log.ok) throw new Error(log.error.say);
  return log.value;
}

const counted = {
  ...{ name: "counts", version: 1, key: ["stream"] },
  columns: { stream: "text", n: "integer" },
} as const;

const newFile = () => join(folder, `log-${++count}.db`);

eventLogContract("sqlite in a thread", ({ atOnce }) => open(newFile(), atOnce([]).length > 0));

describe("a log in a thread", () => {
  it("waits for a lock without holding up whoever asked: the lock is let go by that very process", async () => {
    const file = newFile();
    const log = await open(file);
    await log.append("a", 0, [draft("X")]);
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    let isDone = false;
    const appended = log.append("a", 1, [draft("Y")]).finally(() => {
      isDone = true;
    });
    // Any number of rounds of this process go by meanwhile.
    for (let round = 0; round < 100; round += 1)
      await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    other.exec("COMMIT");
    other.close();
    expect(await appended).toMatchObject({ ok: true });
    await log.close();
  });

  it("makes the tables of the views as they are, and feeds them", async () => {
    const log = await open(newFile());
    for (const view of views) expect(await log.tables.ensure(view)).toEqual({ ok: true, value: 0 });
    expect(await log.tables.rows("sessions", { limit: 1 })).toEqual({ ok: true, value: [] });
    await log.close();
  });

  it("takes no verdict that comes too late for that of another append", async () => {
    const log = await open(newFile(), true, 50);
    await log.tables.ensure(counted);
    const guarded = (refuses: Guard["refuses"]): Guard => ({ table: "counts", sums: [], refuses });
    const until = performance.now() + 300;
    const late = guarded(() => {
      while (performance.now() < until);
      return null;
    });
    const never = guarded(() => fail("budget", "no room"));
    const free = guarded(() => null);
    expect(await log.append("a", 0, [draft("X")], late)).toMatchObject({ error: { code: "busy" } });
    for (let round = 0; round < 3; round += 1) {
      const refused = await log.append("a", round, [draft("X")], never);
      expect(refused).toMatchObject({ error: { code: "budget" } });
      expect(await log.append("a", round, [draft("X")], free)).toMatchObject({ ok: true });
    }
    await log.close();
  });

  it("refuses an append whose guard has a bug, and rejects what no message can carry", async () => {
    const log = await open(newFile(), true);
    await log.tables.ensure(counted);
    const broken: Guard = {
      table: "counts",
      sums: [],
      refuses: () => {
        throw new Error("a bug");
      },
    };
    expect(await log.append("a", 0, [draft("X")], broken)).toMatchObject({ ok: false });
    const odd = { ...draft("X"), body: (() => "") as unknown as string };
    await expect(log.append("a", 0, [odd])).rejects.toThrow("could not be cloned");
    expect(await log.append("a", 0, [draft("X")])).toMatchObject({ ok: true });
    await log.close();
  });

  it("that cannot be opened says why", async () => {
    const log = await threadLog(thread, { file: "/dev/null/aiex/log.db", counts: false });
    expect(log).toMatchObject({ ok: false, error: { code: "storage" } });
  });

  it("answers what is asked after its end as closed, and ends nobody's process", async () => {
    const log = await open(newFile());
    await log.close();
    expect(await log.append("a", 0, [draft("X")])).toMatchObject({ ok: false });
  });
});
