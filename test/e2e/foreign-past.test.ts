// A session whose past was in another folder, by an import or a fork with its files: nothing of that
// past is ever undone, brought back or restored here, and what is done here can be.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256 } from "#boundary/digest.ts";
import { objectOf } from "#boundary/trees/objects.ts";
import { listing } from "#boundary/trees/samples.ts";
import { chain, emptyHead } from "#core/record.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { answered, draft, prompted, started } from "#core/session/samples.ts";
import { Machine } from "./aiex.ts";

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
});
afterEach(() => machine.remove());

const does = (command: string) => ({ calls: [{ tool: "run", input: { command } }] });
const ask = (model: string, ...args: string[]) =>
  machine.run(["ask", "--trust", "--yes", "-m", model, ...args]);

/** Events as an export made elsewhere, whose chain verifies. */
function exportOf(events: readonly SessionEvent[]): string {
  let n = 0;
  const newId = () => `id${++n}`;
  const stamp = { at: 1, node: "there", newId, newSalt: newId };
  const drafts = events.map(({ type, ...body }) => draft(type, body));
  const records = chain(drafts, "original", emptyHead, stamp, sha256);
  return [{ format: "aiex-session-1" }, ...records.map((one) => ({ ...one, position: 1 }))]
    .map((line) => JSON.stringify(line))
    .join("\n");
}

const turn = (id: string): SessionEvent[] => [
  prompted("look", id),
  answered("looked"),
  { type: "TurnEnded", turn: id, end: "done" },
];

const imported = async (events: readonly SessionEvent[]): Promise<string> => {
  const done = await machine.run(["session", "import", "-"], { stdin: exportOf(events) });
  expect(done).toMatchObject({ code: 0 });
  return done.out.trim();
};

describe("an imported session", () => {
  const evil = "gitdir: ./.evil\n";
  const state = `100644 ${objectOf("blob", Buffer.from(evil)).id}`;
  const changes = [".git", "innocent.txt"].map((path) => ({
    path,
    before: state,
    after: "absent",
  }));
  const tree = "0".repeat(64);
  const undone: SessionEvent[] = [
    started,
    ...turn("t1"),
    { type: "RestoreStarted", cause: "undo", turn: "t1", present: tree, changes, left: [] },
    { type: "RestoreFinished", tree, left: [] },
  ];

  /** The content that the crafted log names is in the store of this folder. */
  beforeEach(async () => {
    machine.write("notes.txt", evil);
    expect(await machine.run(["checkpoint", "create", "one"])).toMatchObject({ code: 0 });
  });

  it("that was crafted writes nothing by a redo, nor by an undo", async () => {
    const was = listing(machine.folder);
    const session = await imported(undone);
    for (const verb of ["redo", "undo"]) {
      const done = await machine.run([verb, session]);
      expect(done).toMatchObject({ code: 2, out: "" });
      expect(done.err).toMatch(/there is no .*turn to/);
    }
    expect(listing(machine.folder)).toEqual(was);
  });

  it("has none to undo in a fork from the middle of its past, either", async () => {
    const session = await imported([...undone, ...turn("t2")]);
    const forked = await machine.run(["session", "fork", session, "6"]);
    expect(forked).toMatchObject({ code: 0 });
    const copy = forked.out.split(" ")[0] ?? "";
    for (const verb of ["redo", "undo"]) {
      expect(await machine.run([verb, copy])).toMatchObject({ code: 2 });
    }
    expect(readdirSync(machine.folder)).toEqual(["notes.txt"]);
  });

  it("goes back to no moment of its past, and says why", async () => {
    const session = await imported(undone);
    const done = await machine.run(["session", "restore", session, "2", "--apply"]);
    expect(done).toMatchObject({
      code: 2,
      err: expect.stringContaining("files of another folder"),
    });
  });

  it("undoes and restores what it did here", async () => {
    const model = machine.model("m", [
      ...[does("echo y > y.txt"), { text: "one" }],
      ...[does("echo x > new.txt; rm notes.txt"), { text: "two" }],
    ]);
    await ask(model, "go");
    const { out } = await machine.run(["session", "list", "--json"]);
    const original = JSON.parse(out.split("\n")[0] ?? "").session;
    const text = await machine.run(["session", "export", original]);
    const done = await machine.run(["session", "import", "-"], { stdin: text.out });
    const session = done.out.trim();
    expect(await machine.run(["undo", session])).toMatchObject({ code: 2 });
    const was = listing(machine.folder);
    expect(await ask(model, "--session", session, "go on")).toMatchObject({ code: 0 });
    const now = listing(machine.folder);
    expect(await machine.run(["undo", session])).toMatchObject({ code: 0 });
    expect(listing(machine.folder)).toEqual(was);
    expect(await machine.run(["redo", session])).toMatchObject({ code: 0 });
    expect(listing(machine.folder)).toEqual(now);
    expect(await machine.run(["undo", session])).toMatchObject({ code: 0 });
    expect(await machine.run(["undo", session])).toMatchObject({ code: 2 });
  });
});

describe("a fork with its files", () => {
  const begun = async () => {
    machine.write("a.txt", "a\n");
    const model = machine.model("m", [does("echo b > a.txt"), { text: "done" }]);
    expect(await ask(model, "go")).toMatchObject({ code: 0 });
    const { out } = await machine.run(["session", "list", "--json"]);
    return JSON.parse(out.split("\n")[0] ?? "").session as string;
  };

  it("leaves the turns of the other folder alone, which can be undone there", async () => {
    const session = await begun();
    const into = join(machine.root, "copy");
    const forked = await machine.run(["session", "fork", session, "--into", into]);
    expect(forked).toMatchObject({ code: 0 });
    const copy = forked.out.split(" ")[0] ?? "";
    const undone = await machine.run(["undo", copy]);
    expect(undone).toMatchObject({
      code: 2,
      err: expect.stringContaining("its past was in another folder"),
    });
    expect(readFileSync(join(into, "a.txt"), "utf8")).toBe("b\n");
    expect(await machine.run(["undo", session])).toMatchObject({ code: 0 });
    expect(readFileSync(join(machine.folder, "a.txt"), "utf8")).toBe("a\n");
  });

  it("makes no folder where it is refused", async () => {
    const session = await begun();
    for (const into of ["sub", "sub/deep"]) {
      const refused = await machine.run(["session", "fork", session, "--into", into]);
      expect(refused).toMatchObject({ code: 2, err: expect.stringContaining("is inside the") });
    }
    expect(existsSync(join(machine.folder, "sub"))).toBe(false);
  });

  it("in the same folder can undo what the session did there", async () => {
    const session = await begun();
    const forked = await machine.run(["session", "fork", session]);
    const copy = forked.out.split(" ")[0] ?? "";
    expect(await machine.run(["undo", copy])).toMatchObject({ code: 0 });
    expect(readFileSync(join(machine.folder, "a.txt"), "utf8")).toBe("a\n");
  });
});
