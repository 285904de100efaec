// A restore that a process began and did not end: whoever comes next ends it, whatever became of
// the store meanwhile, and says what could not be brought back.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import { objectOf } from "#boundary/trees/objects.ts";
import { valued } from "#boundary/trees/samples.ts";
import type { EventBody } from "#core/session/events.ts";
import { draft } from "#core/session/samples.ts";
import { Machine } from "./aiex.ts";

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
});
afterEach(() => machine.remove());

const does = (command: string) => ({ calls: [{ tool: "run", input: { command } }] });
const stateOf = (text: string) => `100644 ${objectOf("blob", Buffer.from(text)).id}`;
const textOf = (name: string) => readFileSync(join(machine.folder, name), "utf8");

type Shown = { type: string; version: number; body: { turn?: string; tree?: string } };

/** A turn that changed a.txt and removed b.txt, and an undo of it that was only begun. */
async function begun(more: Partial<EventBody<"RestoreStarted">> = {}): Promise<string> {
  machine.write("a.txt", "a\n");
  machine.write("b.txt", "b\n");
  const model = machine.model("m", [
    ...[does("echo x > a.txt; rm b.txt"), { text: "done" }],
    { text: "here" },
  ]);
  const asked = await machine.run(["ask", "--trust", "--yes", "-m", model, "go"]);
  expect(asked).toMatchObject({ code: 0 });
  const { out } = await machine.run(["session", "list", "--json"]);
  const session = JSON.parse(out.split("\n")[0] ?? "").session as string;
  const events = await shown(session);
  const find = (type: string) => events.findLast((event) => event.type === type);
  const changes = [
    { path: "a.txt", before: stateOf("x\n"), after: stateOf("a\n") },
    { path: "b.txt", before: "absent", after: stateOf("b\n") },
  ];
  const body: EventBody<"RestoreStarted"> = {
    cause: "undo",
    turn: find("TurnEnded")?.body.turn ?? "",
    present: find("ToolFinished")?.body.tree ?? "",
    changes,
    left: [],
    ...more,
  };
  const options = { node: "n", atOnce: () => [], now: Date.now };
  const log = valued(sqliteLog(join(machine.home, "log.db"), options));
  valued(await log.append(session, events.at(-1)?.version ?? 0, [draft("RestoreStarted", body)]));
  await log.close();
  return session;
}

async function shown(session: string): Promise<Shown[]> {
  const { out } = await machine.run(["session", "export", session]);
  return out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type !== undefined)
    .map((record) => ({ ...record, body: JSON.parse(record.body) }));
}

const stores = () => join(machine.home, "trees");

describe("a restore that was only begun", () => {
  it("is ended where a content is missing: that path stays and is named, the others go back", async () => {
    const lost = { path: "a.txt", before: stateOf("x\n"), after: stateOf("never put there") };
    const b = { path: "b.txt", before: "absent", after: stateOf("b\n") };
    const session = await begun({ changes: [lost, b] });
    const undone = await machine.run(["undo", session]);
    expect(undone).toMatchObject({ code: 1 });
    expect(undone.out).toContain("stays    a.txt (its content is missing or damaged in the store)");
    expect([textOf("a.txt"), textOf("b.txt")]).toEqual(["x\n", "b\n"]);
    expect((await shown(session)).at(-1)?.type).toBe("RestoreFinished");
  });

  it("is ended where the whole store is gone, and the session goes on", async () => {
    const session = await begun();
    for (const store of readdirSync(stores())) {
      const packs = join(stores(), store, "objects", "pack");
      for (const pack of readdirSync(packs)) rmSync(join(packs, pack));
    }
    const undone = await machine.run(["undo", session]);
    expect(undone).toMatchObject({ code: 1 });
    expect([textOf("a.txt"), existsSync(join(machine.folder, "b.txt"))]).toEqual(["x\n", false]);
    const model = machine.model("after", [{ text: "still here" }]);
    const asked = await machine.run(["ask", "--session", session, "-m", model, "and now?"]);
    expect(asked).toMatchObject({ code: 0, out: "still here\n" });
  });

  it("keeps what it needs through a tidying that drops every other tree", async () => {
    const session = await begun();
    machine.write("a.txt", "x\n");
    await machine.run(["config", "set", "trees.keepDays", "0.00000001"]);
    for (const store of readdirSync(stores())) {
      const recent = join(stores(), store, "recent");
      writeFileSync(recent, readFileSync(recent, "utf8").replaceAll(/ \d+$/gm, " 0"));
    }
    expect(await machine.run(["checkpoint", "check", "--tidy"])).toMatchObject({ code: 0 });
    expect(await machine.run(["undo", session])).toMatchObject({ code: 0 });
    expect([textOf("a.txt"), textOf("b.txt")]).toEqual(["a\n", "b\n"]);
  });

  it.each(["undo", "redo"])("to a moment is ended as what it was by an %s", async (verb) => {
    const session = await begun({ cause: "restore", turn: undefined, to: "event 3" });
    const dry = await machine.run([verb, session, "--dry-run"]);
    const title = `restore the files of event 3 of ${session}`;
    expect(dry.out).toContain(`${title} (begun before, and not ended now)\n`);
    expect(textOf("a.txt")).toBe("x\n");
    const done = await machine.run([verb, session]);
    expect(done).toMatchObject({ code: 0, err: "" });
    expect(done.out).toContain(`${title} (begun before, and ended now)\n  goes back a.txt\n`);
    expect([textOf("a.txt"), textOf("b.txt")]).toEqual(["a\n", "b\n"]);
    const again = await machine.run(["undo", session, "--dry-run"]);
    expect(again.out).toContain(`undo the last turn of ${session}\n`);
  });

  it("as an undo is ended as one by a restore, which then can be asked for", async () => {
    const session = await begun();
    const done = await machine.run(["session", "restore", session, "1", "--apply", "--json"]);
    expect(JSON.parse(done.out)).toMatchObject({ cause: "undo", done: true, left: [] });
    const next = await machine.run(["session", "restore", session, "1", "--apply", "--json"]);
    expect(JSON.parse(next.out)).toMatchObject({ cause: "restore", done: true });
  });
});
