// The SQLite log keeps the log's promises, over processes and crashes too.
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { eventLogContract, recordsOf } from "#boundary/log/contract.ts";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import { draft } from "#core/session/samples.ts";

const folder = mkdtempSync(join(tmpdir(), "aiex-log-"));
let count = 0;
const newFile = () => join(folder, `log-${++count}.db`);
const options = { node: "n1", atOnce: () => [], now: () => 1_000 };
const never = new AbortController().signal;

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
});
