// Undo, redo and restore through the whole program: byte for byte where a path is as the turn left
// it, hands off where it is not, and whole after a crash in the middle.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listing } from "#boundary/trees/samples.ts";
import { Machine } from "./aiex.ts";

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
});
afterEach(() => machine.remove());

const ask = (model: string, ...args: string[]) =>
  machine.run(["ask", "--trust", "--yes", "-m", model, ...args]);

const does = (command: string) => ({ calls: [{ tool: "run", input: { command } }] });

describe("aiex undo", () => {
  it("brings every byte back that a recursive delete took, and redo takes it again", async () => {
    machine.write(".gitignore", ".env\nsecrets/\n");
    machine.write(".env", "KEY=1\r\n");
    machine.write("secrets/deep/key.pem", "pem\0");
    machine.write("src/a.ts", "export {};\n");
    chmodSync(join(machine.folder, ".env"), 0o600);
    symlinkSync("src/a.ts", join(machine.folder, "link"));
    execFileSync("git", ["init", "-q"], { cwd: machine.folder });
    const without = () => listing(machine.folder).filter((line) => !line.startsWith(".git/"));
    const was = without();
    const model = machine.model("m", [does("rm -rf .env secrets src link"), { text: "gone" }]);
    expect(await ask(model, "clean up")).toMatchObject({ code: 0 });
    const gone = without();
    expect(gone).not.toEqual(was);
    expect(await machine.run(["undo"])).toMatchObject({ code: 0 });
    expect(without()).toEqual(was);
    expect(await machine.run(["redo"])).toMatchObject({ code: 0 });
    expect(without()).toEqual(gone);
  });

  it("leaves what the user changed since, names it, and ends with 1", async () => {
    machine.write("a.txt", "a\n");
    machine.write("b.txt", "b\n");
    const model = machine.model("m", [does("echo x | tee a.txt b.txt"), { text: "done" }]);
    await ask(model, "go");
    machine.write("a.txt", "mine\n");
    const undone = await machine.run(["undo"]);
    expect(undone).toMatchObject({ code: 1 });
    expect(undone.out).toContain("stays    a.txt (changed since)");
    expect(readFileSync(join(machine.folder, "a.txt"), "utf8")).toBe("mine\n");
    expect(readFileSync(join(machine.folder, "b.txt"), "utf8")).toBe("b\n");
  });

  it("says what it would do and does nothing with --dry-run", async () => {
    const model = machine.model("m", [does("echo x > new.txt"), { text: "done" }]);
    await ask(model, "go");
    const dry = await machine.run(["undo", "--dry-run"]);
    expect(dry.out).toContain("goes     new.txt");
    expect(existsSync(join(machine.folder, "new.txt"))).toBe(true);
  });

  it("takes the turn out of what the model sees", async () => {
    const first = machine.model("first", [{ text: "first answer" }]);
    await ask(first, "remember this");
    await machine.run(["undo"]);
    const second = machine.model("second", [
      { text: "ok", expect: { lacks: "remember this", contains: "what now" } },
    ]);
    expect(await ask(second, "--continue", "what now")).toMatchObject({ code: 0, out: "ok\n" });
  });

  it("has nothing to say outside of a session, and says what to do", async () => {
    expect(await machine.run(["undo"])).toMatchObject({ code: 2 });
    const model = machine.model("m", [{ text: "hi" }]);
    await ask(model, "hi");
    expect(await machine.run(["redo"])).toMatchObject({ code: 2 });
  });

  it("undoes what a killed command had done", async () => {
    machine.write("a.txt", "a\n");
    const begun = join(machine.folder, "begun");
    const model = machine.model("m", [
      does("echo x > a.txt; touch begun; sleep 1000"),
      { text: "stopped" },
    ]);
    const seen = new Promise<void>((resolve) => {
      const watcher = watch(machine.folder, () => {
        if (!existsSync(begun)) return;
        watcher.close();
        resolve();
      });
    });
    const first = machine.start(["ask", "--trust", "--yes", "-m", model, "go"]);
    await seen;
    first.kill("SIGKILL");
    await first.ended;
    expect(await machine.run(["ask", "--continue"])).toMatchObject({ code: 0 });
    expect(await machine.run(["undo"])).toMatchObject({ code: 0 });
    expect(readdirSync(machine.folder)).toEqual(["a.txt"]);
    expect(readFileSync(join(machine.folder, "a.txt"), "utf8")).toBe("a\n");
  });

  it("that was killed in the middle is finished by the next one, and is one undo", async () => {
    const names = Array.from({ length: 400 }, (_, i) => `files/f${i}.txt`);
    for (const name of names) machine.write(name, `${name}\n`);
    const was = listing(machine.folder);
    const model = machine.model("m", [
      ...[does("echo one > kept.txt"), { text: "one" }],
      ...[does("rm -rf files"), { text: "two" }],
    ]);
    await ask(model, "one");
    expect(await ask(model, "--continue", "two")).toMatchObject({ code: 0 });
    const half = new Promise<void>((resolve) => {
      const watcher = watch(machine.folder, () => {
        if (!existsSync(join(machine.folder, "files"))) return;
        watcher.close();
        resolve();
      });
    });
    const undoing = machine.start(["undo"]);
    await half;
    undoing.kill("SIGKILL");
    await undoing.ended;
    const left = names.filter((name) => !existsSync(join(machine.folder, name)));
    expect(left.length).toBeGreaterThan(0);
    expect(await machine.run(["undo"])).toMatchObject({ code: 0 });
    expect(listing(machine.folder)).toEqual([...was, "kept.txt 644 one\n"]);
    expect(await machine.run(["undo"])).toMatchObject({ code: 0 });
    expect(listing(machine.folder)).toEqual(was);
  });
});

describe("what undo cannot know", () => {
  it("stays: paths that a job of the same turn may have written", async () => {
    machine.write("a.txt", "a\n");
    const model = machine.model("m", [
      { calls: [{ tool: "run", input: { command: "sleep 100", background: true } }] },
      does("echo x > a.txt"),
      { text: "done" },
    ]);
    await ask(model, "go");
    const undone = await machine.run(["undo"]);
    expect(undone).toMatchObject({ code: 1 });
    expect(undone.out).toContain("sleep 100 ran at the same time");
    expect(readFileSync(join(machine.folder, "a.txt"), "utf8")).toBe("x\n");
  });

  it("is said where no git is there to keep trees", async () => {
    writeFileSync(join(machine.folder, "a.txt"), "a\n");
    const model = machine.model("m", [does("echo x > a.txt"), { text: "done" }]);
    const env = { PATH: "/nowhere" };
    const ran = await machine.run(
      ["ask", "--trust", "--yes", "--sandbox", "none", "-m", model, "go"],
      { env },
    );
    expect(ran.code).toBe(0);
    const undone = await machine.run(["undo"]);
    expect(undone.out).toContain("git is not installed");
    expect(undone.code).toBe(1);
  });
});

describe("moments of a session", () => {
  const edits = () =>
    machine.model("m", [
      ...[does("echo one > a.txt; rm b.txt"), { text: "one" }],
      ...[does("echo two > a.txt; mkdir empty"), { text: "two" }],
    ]);
  const newest = async () => {
    const { out } = await machine.run(["session", "list", "--json"]);
    return JSON.parse(out.split("\n")[0] ?? "").session as string;
  };
  /** The event in which the n-th prompt began. */
  const promptOf = async (session: string, n: number) => {
    const { out } = await machine.run(["session", "show", session, "--json"]);
    const entries = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    return String(entries.filter(({ type }) => type === "TurnStarted")[n - 1].version);
  };

  it("can be compared with each other and with now", async () => {
    machine.write("b.txt", "b\n");
    const model = edits();
    await ask(model, "first");
    await ask(model, "--continue", "second");
    const session = await newest();
    const second = await promptOf(session, 2);
    const between = await machine.run(["session", "diff", session, "1", second, "--stat"]);
    expect(between.out).toBe("new     a.txt\ngone    b.txt\n");
    machine.write("a.txt", "mine\n");
    const now = await machine.run(["session", "diff", session, second]);
    expect(now.out).toContain("changed a.txt");
    expect(now.out).toMatch(/1 - one\n.*1 \+ mine/);
  });

  it("can be restored, which is said before it is done and can be taken back", async () => {
    machine.write("b.txt", "b\n");
    const was = listing(machine.folder);
    const model = edits();
    await ask(model, "first");
    await ask(model, "--continue", "second");
    const session = await newest();
    const now = listing(machine.folder);
    const later = await machine.run(["session", "restore", session, "999999", "--apply"]);
    expect(later).toMatchObject({ code: 2, err: expect.stringContaining("none is number 999999") });
    const dry = await machine.run(["session", "restore", session, "1"]);
    expect(dry.out).toContain("returns  b.txt");
    expect(listing(machine.folder)).toEqual(now);
    const done = await machine.run(["session", "restore", session, "1", "--apply"]);
    expect(done).toMatchObject({ code: 0 });
    expect(listing(machine.folder)).toEqual(was);
    const shown = await machine.run(["session", "show", session, "--json"]);
    const restored = shown.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const { version } = restored.find(({ type }) => type === "RestoreStarted");
    await machine.run(["session", "restore", session, String(version), "--apply"]);
    expect(listing(machine.folder)).toEqual(now);
  });

  it("can be forked with their files into a folder of its own, and both go on", async () => {
    machine.write("b.txt", "b\n");
    const model = edits();
    await ask(model, "first");
    const at = (await promptOf(await newest(), 1)) as string;
    const session = await newest();
    const into = join(machine.root, "copy");
    const forked = await machine.run(["session", "fork", session, at, "--into", into]);
    expect(forked).toMatchObject({ code: 0 });
    expect(readdirSync(into)).toEqual(["b.txt"]);
    const copy = forked.out.split(" ")[0] ?? "";
    const other = machine.model("other", [{ text: "here", expect: { contains: "first" } }]);
    const went = await machine.run(["ask", "--trust", "--session", copy, "-m", other, "where?"]);
    expect(went).toMatchObject({ code: 0, out: "here\n" });
    const usage = await machine.run(["usage", "--by", "session", "--json"]);
    expect(usage.code).toBe(0);
    expect(await machine.run(["audit", "verify"])).toMatchObject({ code: 0 });
  });

  it("that are none are refused with what to do", async () => {
    const model = machine.model("m", [{ text: "hi" }]);
    await ask(model, "hi");
    const session = await newest();
    expect(await machine.run(["session", "restore", session, "soon"])).toMatchObject({ code: 2 });
    expect(await machine.run(["session", "fork", session, "9999"])).toMatchObject({ code: 2 });
    const none = await machine.run(["session", "restore", session, "1"]);
    expect(none).toMatchObject({ code: 2 });
    expect(none.err).toContain("no tree was recorded in this session");
  });
});

describe("a command that deletes what no tree holds", () => {
  it("asks first and names it, and runs unasked where nothing would be lost", async () => {
    machine.write(".gitignore", "*.bin\nnode_modules\n");
    machine.write("data/big.bin", "b".repeat(2 << 20));
    machine.write("node_modules/x/index.js", "x");
    execFileSync("git", ["init", "-q"], { cwd: machine.folder });
    const model = machine.model("m", [does("rm -rf node_modules"), does("rm -rf data")]);
    const asked = await ask(model, "clean up");
    expect(asked.code).toBe(3);
    expect(asked.err).toContain(
      "it deletes what no undo can bring back: data/big.bin (ignored and large, 2.0 MiB)",
    );
    expect(readdirSync(machine.folder).sort()).toEqual([".git", ".gitignore", "data"]);
  });
});
