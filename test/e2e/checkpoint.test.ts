// Checkpoints through the whole program: named, told apart, returned to, and kept when trees are
// tidied.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listing } from "#boundary/trees/samples.ts";
import { Machine } from "./aiex.ts";

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
});
afterEach(() => machine.remove());

const checkpoint = (...args: string[]) => machine.run(["checkpoint", ...args]);

describe("aiex checkpoint", () => {
  it("brings the files back, without a session or a model, and the present is kept first", async () => {
    machine.write("a.txt", "a\n");
    machine.write(".gitignore", ".env\n");
    machine.write(".env", "KEY=1\n");
    const was = listing(machine.folder);
    expect(await checkpoint("create", "before")).toMatchObject({ code: 0 });
    rmSync(join(machine.folder, ".env"));
    machine.write("a.txt", "other\n");
    const changed = listing(machine.folder);
    const dry = await checkpoint("restore", "before");
    expect(dry.out).toContain("returns  .env");
    expect(listing(machine.folder)).toEqual(changed);
    expect(await checkpoint("restore", "before", "--apply")).toMatchObject({ code: 0 });
    expect(listing(machine.folder)).toEqual(was);
    const { out } = await checkpoint("list", "--json");
    const [newest = ""] = out.split("\n");
    expect(await checkpoint("restore", JSON.parse(newest).id, "--apply")).toMatchObject({
      code: 0,
    });
    expect(listing(machine.folder)).toEqual(changed);
  });

  it("shows what is another, lists by tag, and refuses what it does not know", async () => {
    machine.write("a.txt", "a\n");
    await checkpoint("create", "one", "--tag", "keep");
    machine.write("a.txt", "b\n");
    await checkpoint("create", "two");
    expect((await checkpoint("diff", "one", "two")).out).toMatch(
      /changed a\.txt\n.*1 - a\n.*1 \+ b/,
    );
    expect((await checkpoint("list", "--tag", "keep")).out).toMatch(/one {2}\[keep\]\n$/);
    expect(await checkpoint("create", "one")).toMatchObject({ code: 75 });
    expect(await checkpoint("restore", "three")).toMatchObject({ code: 2 });
    expect(await checkpoint("rm", "one")).toMatchObject({ code: 0 });
    expect((await checkpoint("list")).out).not.toContain("one");
  });

  it("has a name of one line, and is never meant by none", async () => {
    machine.write("a.txt", "a\n");
    await checkpoint("create", "one");
    for (const name of ["", "a".repeat(201), "one\n11111111  forged", "\u001b[31mred"]) {
      expect(await checkpoint("create", name)).toMatchObject({ code: 2 });
      expect(await checkpoint("rm", name)).toMatchObject({ code: 2 });
      expect(await checkpoint("restore", name, "--apply")).toMatchObject({ code: 2 });
    }
    expect((await checkpoint("list")).out).toMatch(/^\S+ .* one\n$/);
  });

  it("names what it cannot bring back, with why, and ends with 1 as an undo does", async () => {
    machine.write(".gitignore", "*.bin\nshared/\n");
    machine.write("data.bin", "x".repeat(2 << 20));
    machine.write("shared/kept.txt", "kept\n");
    machine.write("a.txt", "a\n");
    machine.write("lost.txt", "the only one\n");
    await checkpoint("create", "before");
    machine.write("data.bin", "small now\n");
    machine.write("a.txt", "b\n");
    rmSync(join(machine.folder, "lost.txt"));
    rmSync(join(machine.folder, "shared"), { recursive: true });
    machine.write("shared", "in the way\n");
    const dry = await checkpoint("restore", "before");
    expect(dry.code).toBe(1);
    const stays = "stays    data.bin (its content was not kept (ignored and large))";
    expect(dry.out).toContain(stays);
    const done = await checkpoint("restore", "before", "--apply");
    expect(done.code).toBe(1);
    expect(done.out).toContain(stays);
    expect(done.out).toContain(`the files are those of "before" now, but for 1 path left`);
    expect(readFileSync(join(machine.folder, "a.txt"), "utf8")).toBe("a\n");
    expect(readFileSync(join(machine.folder, "data.bin"), "utf8")).toBe("small now\n");
    expect(readFileSync(join(machine.folder, "shared/kept.txt"), "utf8")).toBe("kept\n");
  });

  it("names what somebody keeps in a folder that should go", async () => {
    machine.write("a.txt", "a\n");
    await checkpoint("create", "before");
    machine.write("made/by-tool.txt", "t\n");
    execFileSync("mkfifo", [join(machine.folder, "made/pipe")]);
    const done = await checkpoint("restore", "before", "--apply");
    expect(done.code).toBe(1);
    expect(done.out).toContain("goes     made/by-tool.txt");
    expect(done.out).toContain("stays    made (something else is in it)");
  });

  it("outlives a tidying that drops the trees of sessions, and says that all is whole", async () => {
    machine.write("a.txt", "a\n");
    await checkpoint("create", "kept");
    const big = "head -c 3000000 /dev/urandom > big; rm big";
    const model = machine.model("m", [
      { calls: [{ tool: "run", input: { command: "head -c 3000000 /dev/urandom > big" } }] },
      { calls: [{ tool: "run", input: { command: big } }] },
      { text: "done" },
    ]);
    await machine.run(["ask", "--trust", "--yes", "-m", model, "go"]);
    const before = bytesOf(join(machine.home, "trees"));
    expect(await machine.run(["config", "set", "trees.keepDays", "0.00000001"])).toMatchObject({
      code: 0,
    });
    machine.write("a.txt", "b\n");
    anHourPasses(join(machine.home, "trees"));
    const tidied = await checkpoint("check", "--tidy");
    expect(tidied).toMatchObject({ code: 0, out: "every tree is whole\n" });
    expect(bytesOf(join(machine.home, "trees"))).toBeLessThan(before - 2_000_000);
    await checkpoint("restore", "kept", "--apply");
    expect(readdirSync(machine.folder)).toEqual(["a.txt"]);
  });
});

/** What was recorded within the hour stays, whatever the configuration says. */
function anHourPasses(stores: string): void {
  for (const name of readdirSync(stores)) {
    const recent = join(stores, name, "recent");
    const recorded = readFileSync(recent, "utf8");
    writeFileSync(recent, recorded.replaceAll(/ \d+$/gm, " 0"));
  }
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
