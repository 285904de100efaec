// Every event log passes this suite; an adapter's test file is one call to it.
import { afterEach, describe, expect, it } from "vitest";
import { sha256 } from "#boundary/digest.ts";
import { countAtOnce } from "#boundary/log/contract-table.ts";
import type { AtOnce, EventLog, Guard, Pages } from "#boundary/log/port.ts";
import { fail } from "#core/failure.ts";
import { BODY_BYTES_MAX, emptyHead, faultOf, type LogRecord } from "#core/record.ts";
import { draft } from "#core/session/samples.ts";
import type { TableShape } from "#core/views/view.ts";

const never = new AbortController().signal;

export async function recordsOf(pages: Pages): Promise<LogRecord[]> {
  const all: LogRecord[] = [];
  for await (const page of pages) {
    if (!page.ok) throw new Error(page.error.say);
    all.push(...page.value);
  }
  return all;
}

const shape: TableShape = {
  name: "counts",
  version: 1,
  columns: { stream: "text", n: "integer", note: "text" },
  key: ["stream"],
  indexes: [["n"]],
};

export function eventLogContract(
  name: string,
  open: (options: { node: string; atOnce: AtOnce; now: () => number }) => Promise<EventLog>,
): void {
  describe(`event log: ${name}`, () => {
    const opened: EventLog[] = [];
    const fresh = async (atOnce: AtOnce = () => []) => {
      const log = await open({ node: "n1", atOnce, now: () => 1_000 });
      opened.push(log);
      return log;
    };
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((log) => log.close()));
    });

    it("numbers the records of a stream 1, 2, 3 and reads them back as they were written", async () => {
      const log = await fresh();
      const first = await log.append("a", 0, [draft("X", { text: "ü\u0000\u2028" }), draft("Y")]);
      const second = await log.append("a", 2, [draft("Z")]);
      const rows = await recordsOf(log.read("a", { after: 0 }, never));
      expect(rows.map((row) => row.version)).toEqual([1, 2, 3]);
      expect(rows).toEqual([...(first.ok ? first.value : []), ...(second.ok ? second.value : [])]);
      expect(rows[0]?.body).toBe(JSON.stringify({ text: "ü\u0000\u2028" }));
    });

    it("refuses a stale writer and writes nothing of it", async () => {
      const log = await fresh();
      await log.append("a", 0, [draft("X")]);
      const stale = await log.append("a", 0, [draft("Y"), draft("Z")]);
      expect(stale).toMatchObject({ ok: false, error: { code: "conflict" } });
      const early = await log.append("a", 5, [draft("Y")]);
      expect(early).toMatchObject({ ok: false, error: { code: "conflict" } });
      expect(await recordsOf(log.read("a", { after: 0 }, never))).toHaveLength(1);
    });

    it("lets exactly one of many writers win each version", async () => {
      const log = await fresh();
      const tries = Array.from({ length: 20 }, () => log.append("a", 0, [draft("X")]));
      const won = (await Promise.all(tries)).filter((result) => result.ok);
      expect(won).toHaveLength(1);
    });

    it("reads an unknown stream as empty, at version 0", async () => {
      const log = await fresh();
      expect(await log.head("nobody")).toEqual({ ok: true, value: emptyHead });
      expect(await recordsOf(log.read("nobody", { after: 0 }, never))).toEqual([]);
    });

    it("reads a window, over more than one page, and all streams by position", async () => {
      const log = await fresh();
      const many = Array.from({ length: 1_201 }, (_, i) => draft("X", { i }));
      await log.append("a", 0, many);
      await log.append("b", 0, [draft("Y")]);
      await log.append("a", 1_201, [draft("Z")]);
      const window = await recordsOf(log.read("a", { after: 499, until: 1_200 }, never));
      expect([window.at(0)?.version, window.at(-1)?.version, window.length]).toEqual([
        500, 1_200, 701,
      ]);
      const all = await recordsOf(log.readAll(0, never));
      expect(all).toHaveLength(1_203);
      expect(all.slice(-2).map((r) => r.stream)).toEqual(["b", "a"]);
      const positions = all.map((r) => r.position);
      expect(positions).toEqual([...positions].sort((x, y) => x - y));
      expect(await log.last()).toEqual({ ok: true, value: positions.at(-1) });
      const rest = await recordsOf(log.readAll(positions[1_200] ?? 0, never));
      expect(rest).toHaveLength(2);
    });

    it("chains each stream, and a changed record is found", async () => {
      const log = await fresh();
      await log.append("a", 0, [draft("X", { n: 1 }), draft("Y"), draft("Z")]);
      const rows = await recordsOf(log.read("a", { after: 0 }, never));
      const faults = (changed: LogRecord[]) => {
        let head = emptyHead;
        return changed.map((row) => {
          const fault = faultOf(row, head, sha256);
          head = row;
          return fault;
        });
      };
      expect(faults(rows)).toEqual([null, null, null]);
      const altered = rows.map((row, i) => (i === 1 ? { ...row, actor: "someone" } : row));
      expect(faults(altered)).toEqual([null, "its header was changed", null]);
      const rewritten = rows.map((row, i) => (i === 0 ? { ...row, body: '{"n":2}' } : row));
      expect(faults(rewritten)).toEqual(["its body was changed", null, null]);
      const cut = [rows[0], rows[2]].filter((row) => row !== undefined);
      expect(faults(cut)).toEqual([null, "version 3 after 1"]);
    });

    it("erases bodies and leaves a chain that verifies", async () => {
      const log = await fresh();
      await log.append("a", 0, [draft("X", { secret: 1 }), draft("Y", { secret: 2 }), draft("Z")]);
      expect(await log.erase("a", { after: 0, until: 2 })).toMatchObject({ ok: true });
      const rows = await recordsOf(log.read("a", { after: 0 }, never));
      expect(rows.map((row) => row.body)).toEqual([null, null, "{}"]);
      let head = emptyHead;
      for (const row of rows) {
        expect(faultOf(row, head, sha256)).toBeNull();
        head = row;
      }
    });

    it("refuses a body that belongs into a blob", async () => {
      const log = await fresh();
      const long = draft("X", "x".repeat(BODY_BYTES_MAX));
      expect(await log.append("a", 0, [long])).toMatchObject({ error: { code: "too_large" } });
      expect(await log.head("a")).toEqual({ ok: true, value: emptyHead });
    });

    it("wakes whoever waits for news, and a waiter whose signal is aborted", async () => {
      const log = await fresh();
      const news = log.changed(never);
      await log.append("a", 0, [draft("X")]);
      await news;
      const stop = new AbortController();
      const stopped = log.changed(stop.signal);
      stop.abort();
      await stopped;
    });

    it("writes the rows of an append with it, or neither", async () => {
      const log = await fresh(countAtOnce);
      expect(await log.tables.ensure(shape)).toEqual({ ok: true, value: 0 });
      await log.append("a", 0, [draft("X"), draft("Y")]);
      await log.append("a", 0, [draft("X")]);
      await log.append("b", 0, [draft("X")]);
      const rows = await log.tables.rows("counts", {
        orderBy: { column: "n", descending: true },
        limit: 10,
      });
      expect(rows).toMatchObject({
        value: [
          { stream: "a", n: 2 },
          { stream: "b", n: 1 },
        ],
      });
    });

    it("makes no append that its guard refuses, and shows the guard every one before it", async () => {
      const log = await fresh(countAtOnce);
      await log.tables.ensure(shape);
      const seen: number[] = [];
      const atMost = (most: number): Guard => ({
        table: "counts",
        sums: [
          { where: {}, columns: ["n"] },
          { where: { stream: "nobody" }, columns: ["n"] },
        ],
        refuses: ([all, none]) => {
          expect(none).toEqual({ n: 0 });
          seen.push(all?.n ?? -1);
          return (all?.n ?? 0) < most ? null : fail("budget", "no more");
        },
      });
      const names = Array.from({ length: 20 }, (_, i) => `s${i}`);
      const made = await Promise.all(names.map((s) => log.append(s, 0, [draft("X")], atMost(7))));
      expect(made.filter(({ ok }) => ok)).toHaveLength(7);
      expect(made.at(-1)).toMatchObject({ ok: false, error: { code: "budget" } });
      expect(seen).toEqual([...Array(7).keys(), ...Array(13).fill(7)]);
      expect(await log.last()).toEqual({ ok: true, value: 7 });
      // A stale writer is told that, not what the guard would say.
      expect(await log.append("s0", 0, [draft("Y")], atMost(7))).toMatchObject({
        error: { code: "conflict" },
      });
      const sums = await log.tables.sums("counts", [{ where: { n: 1 }, columns: ["n"] }]);
      expect(sums).toEqual({ ok: true, value: [{ n: 7 }] });
    });

    it("feeds a table with its position, and asks it by value, text, order and page", async () => {
      const log = await fresh();
      await log.tables.ensure(shape);
      const put = (stream: string, n: number, note: string) => ({
        do: "put" as const,
        row: { stream, n, note },
      });
      const changes = [put("a", 1, "One"), put("b", 2, "two"), put("c", 3, "stone")];
      await log.tables.feed({ table: "counts", after: 0, position: 7, changes });
      expect(await log.tables.ensure(shape)).toEqual({ ok: true, value: 7 });
      const twice = await log.tables.feed({ table: "counts", after: 0, position: 7, changes });
      expect(twice).toMatchObject({ error: { code: "conflict" } });
      const ask = async (query: object) => {
        const rows = await log.tables.rows("counts", { limit: 10, ...query });
        return rows.ok ? rows.value.map((row) => row.stream) : rows.error;
      };
      expect(await ask({ where: { n: 2 } })).toEqual(["b"]);
      const like = { column: "note", text: "ONE" };
      expect(await ask({ contains: like, orderBy: { column: "n", descending: true } })).toEqual([
        "c",
        "a",
      ]);
      expect(
        await ask({ orderBy: { column: "n", descending: false }, limit: 1, offset: 1 }),
      ).toEqual(["b"]);
      const more = [
        { do: "change" as const, key: { stream: "a" }, set: { note: "new" }, add: { n: 9 } },
        { do: "drop" as const, where: { stream: "b" } },
      ];
      await log.tables.feed({ table: "counts", after: 7, position: 8, changes: more });
      expect(await log.tables.rows("counts", { where: { stream: "a" }, limit: 1 })).toMatchObject({
        value: [{ n: 10, note: "new" }],
      });
      await log.tables.clear("counts");
      expect(await log.tables.ensure(shape)).toEqual({ ok: true, value: 0 });
      expect(await ask({})).toEqual([]);
      await log.tables.feed({ table: "counts", after: 0, position: 3, changes });
      const ties = Array.from({ length: 50 }, (_, i) => put(`t${i % 10}${i}`, 5, "tie"));
      await log.tables.feed({ table: "counts", after: 3, position: 4, changes: ties });
      const paged: unknown[] = [];
      const orderBy = { column: "n", descending: true };
      for (let offset = 0; offset < 50; offset += 7) {
        const page = await ask({ where: { n: 5 }, orderBy, limit: 7, offset });
        if (Array.isArray(page)) paged.push(...page);
      }
      expect([paged.length, new Set(paged).size]).toEqual([50, 50]);
      expect(await log.tables.ensure({ ...shape, version: 2 })).toEqual({ ok: true, value: 0 });
    });

    it("keeps a snapshot by the fingerprint of the code that made it", async () => {
      const log = await fresh();
      await log.append("a", 0, [draft("X"), draft("Y"), draft("Z")]);
      await log.keepSnapshot("a", { version: 3, fingerprint: "f1", body: "{}" });
      expect(await log.snapshot("a", "f1")).toMatchObject({ value: { version: 3, body: "{}" } });
      expect(await log.snapshot("a", "f2")).toEqual({ ok: true, value: null });
    });

    it("keeps no snapshot of what was erased after it was folded", async () => {
      const log = await fresh();
      await log.append("a", 0, [draft("X"), draft("Y"), draft("Erased")]);
      await log.keepSnapshot("a", { version: 2, fingerprint: "f", body: '"secret"' });
      await log.erase("a", { after: 0, until: 2 });
      expect(await log.snapshot("a", "f")).toEqual({ ok: true, value: null });
      await log.keepSnapshot("a", { version: 2, fingerprint: "f", body: '"secret"' });
      expect(await log.snapshot("a", "f")).toEqual({ ok: true, value: null });
    });

    it("takes in what was erased elsewhere as erased, in a chain that verifies", async () => {
      const log = await fresh();
      await log.append("a", 0, [{ ...draft("X"), body: null }, draft("Y")]);
      const rows = await recordsOf(log.read("a", { after: 0 }, never));
      expect(rows.map(({ body, salt }) => [body, salt === null])).toEqual([
        [null, true],
        ["{}", false],
      ]);
      expect(faultOf(rows[0] as LogRecord, emptyHead, sha256)).toBeNull();
      expect(faultOf(rows[1] as LogRecord, rows[0] as LogRecord, sha256)).toBeNull();
    });

    it("fills a table again exactly, also while others append", async () => {
      const log = await fresh(countAtOnce);
      await log.tables.ensure(shape);
      for (let i = 0; i < 3; i += 1) {
        await log.append(
          "a",
          i * 400,
          Array.from({ length: 400 }, () => draft("X")),
        );
      }
      const filled = log.tables.refill("counts", never);
      await Promise.all([
        filled,
        log.append("b", 0, [draft("X")]),
        log.tables.refill("counts", never),
      ]);
      expect(await filled).toMatchObject({ ok: true });
      const order = { orderBy: { column: "stream", descending: false }, limit: 10 };
      expect(await log.tables.rows("counts", order)).toMatchObject({
        value: [
          { stream: "a", n: 1_200 },
          { stream: "b", n: 1 },
        ],
      });
      const fed = await log.tables.ensure(shape);
      expect(fed.ok && fed.value).toBeGreaterThan(0);
    });

    it("answers `closed` after it was closed, and does not throw", async () => {
      const log = await fresh();
      await log.close();
      expect(await log.append("a", 0, [draft("X")])).toMatchObject({ error: { code: "closed" } });
      expect(await log.head("a")).toMatchObject({ error: { code: "closed" } });
      await log.changed(never);
    });
  });
}
