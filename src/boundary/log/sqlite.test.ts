// The SQLite log keeps the log's promises, over processes and crashes too.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { eventLogContract, recordsOf } from "#boundary/log/contract.ts";
import { type AtOnce, FEED_RECORDS } from "#boundary/log/port.ts";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import { draft } from "#core/session/samples.ts";

const folder = mkdtempSync(join(tmpdir(), "aiex-log-"));
let count = 0;
const newFile = () => join(folder, `log-${++count}.db`);
const options = { node: "n1", atOnce: () => [], now: () => 1_000 };
const never = new AbortController().signal;

const countEach: AtOnce = (records) => [
  {
    table: "counts",
    changes: records.map((r) => ({
      do: "add",
      key: { stream: r.stream },
      zero: { n: 0 },
      add: { n: 1 },
    })),
  },
];

const open = (file: string) => {
  const log = sqliteLog(file, options);
  if (!log.ok) throw new Error(log.error.say);
  return log.value;
};

afterAll(() => rmSync(folder, { recursive: true, force: true }));

eventLogContract("sqlite", async (given) => {
  const log = sqliteLog(newFile(), given);
  if (!log.ok) throw new Error(log.error.say);
  return log.value;
});

const counts = {
  name: "counts",
  columns: { stream: "text", n: "integer" },
  key: ["stream"],
  indexes: [["n"]],
} as const;

describe("a SQLite log", () => {
  it("is still there when it is opened again", async () => {
    const file = newFile();
    const log = open(file);
    await log.append("a", 0, [draft("X")]);
    await log.close();
    const again = open(file);
    expect(await recordsOf(again.read("a", { after: 0 }, never))).toHaveLength(1);
    await again.close();
  });

  it("shows one opener what another appended, and wakes it", async () => {
    const file = newFile();
    const [one, two] = [open(file), open(file)];
    const news = two.changed(never);
    await one.append("a", 0, [draft("X")]);
    await news;
    expect(await recordsOf(two.read("a", { after: 0 }, never))).toHaveLength(1);
    expect(await two.append("a", 0, [draft("Y")])).toMatchObject({ error: { code: "conflict" } });
    await Promise.all([one.close(), two.close()]);
  });

  it("holds no byte of what was erased, in any of its files", async () => {
    const file = newFile();
    const log = open(file);
    await log.append("a", 0, [draft("X", { canary: "canary-4711" })]);
    await log.keepSnapshot("a", { version: 1, fingerprint: "f", body: "canary-4711" });
    await log.erase("a", { after: 0 });
    await log.close();
    expect(readFileSync(file).includes("canary-4711")).toBe(false);
  });

  it("is readable by its user alone, the files beside it too", async () => {
    const file = newFile();
    const log = open(file);
    await log.append("a", 0, [draft("X")]);
    const modes = [file, `${file}-wal`, `${file}-shm`].map((name) => statSync(name).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600, 0o600]);
    await log.close();
    chmodSync(file, 0o644);
    await open(file).close();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("says what to do when its folder cannot be used", () => {
    expect(sqliteLog("/dev/null/aiex/log.db", options)).toMatchObject({
      ok: false,
      error: { code: "storage", fix: expect.stringContaining("folder") },
    });
  });

  it("comes to an end of filling a table again, however fast others append", async () => {
    const shape = { ...counts, version: 1 } as const;
    const log = sqliteLog(newFile(), { ...options, atOnce: countEach });
    if (!log.ok) throw new Error(log.error.say);
    const { append, tables, close } = log.value;
    await tables.ensure(shape);
    let over = false;
    const filling = tables.refill("counts", never).then((done) => {
      over = true;
      return done;
    });
    // In each gap as much as a page takes: page by page it would never be done.
    let n = 0;
    for (; !over; n += FEED_RECORDS) {
      await append(
        "a",
        n,
        Array.from({ length: FEED_RECORDS }, () => draft("X")),
      );
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await filling).toMatchObject({ ok: true });
    const rows = { orderBy: { column: "stream", descending: false }, limit: 10 } as const;
    expect(await tables.rows("counts", rows)).toEqual({ ok: true, value: [{ stream: "a", n }] });
    await close();
  });

  it("lets another process append while a table is filled again, and counts each record once", async () => {
    const file = newFile();
    const shape = { ...counts, version: 1 } as const;
    const log = sqliteLog(file, { ...options, atOnce: countEach });
    if (!log.ok) throw new Error(log.error.say);
    const { append, tables, close, last } = log.value;
    await tables.ensure(shape);
    for (let i = 0; i < 20; i += 1) {
      await append(
        "a",
        i * 500,
        Array.from({ length: 500 }, () => draft("X")),
      );
    }
    // The other process appends on and on; its first word comes when it does.
    const source = `
      import { sqliteLog } from "#boundary/log/sqlite.ts";
      const countEach = ${countEach};
      const log = sqliteLog(${JSON.stringify(file)}, { node: "n2", atOnce: countEach, now: () => 1 });
      await log.value.tables.ensure(${JSON.stringify(shape)});
      let n = 0;
      let stop = false;
      process.stdin.on("data", () => { stop = true; });
      for (; !stop; n += 1) {
        const added = await log.value.append("b", n, [{ type: "X", schema: 1, body: "{}", actor: "u", epoch: 0 }]);
        if (!added.ok) throw new Error(added.error.say);
        if (n === 0) console.log("appending");
        // As fast as no user appends, but not so that nobody else ever gets the lock.
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      console.log(n);
      process.exit(0);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", source], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let said = "";
    child.stdout.on("data", (text) => {
      said += text;
    });
    await once(child.stdout, "data");
    const before = await last();
    expect(await tables.refill("counts", never)).toMatchObject({ ok: true });
    const after = await last();
    child.stdin.write("stop");
    await once(child, "close");
    const appended = Number(said.split("\n")[1]);
    expect(before.ok && after.ok && after.value - before.value).toBeGreaterThan(0);
    const rows = { orderBy: { column: "stream", descending: false }, limit: 10 };
    expect(await tables.rows("counts", rows)).toEqual({
      ok: true,
      value: [
        { stream: "a", n: 10_000 },
        { stream: "b", n: appended },
      ],
    });
    const left = new DatabaseSync(file).prepare(
      "SELECT name FROM sqlite_schema WHERE type='table'",
    );
    expect(left.all().filter(({ name }) => String(name).includes("."))).toEqual([]);
    await close();
  });
});
