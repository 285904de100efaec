// The patch tool on real folders: the scenarios of the format's origin, and what ours adds.

import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256 } from "#boundary/digest.ts";
import { applyPatch } from "#boundary/tools/builtin/apply_patch.ts";
import { called, contentOf, contextOf, folderWith, seenIn } from "#boundary/tools/samples.ts";
import { textOf } from "#core/model/message.ts";

const wrap = (...lines: string[]) => ["*** Begin Patch", ...lines, "*** End Patch"].join("\n");

/** Every file below a folder with its bytes; nothing where there is no folder. */
function filesIn(root: string): Record<string, string> {
  if (!existsSync(root)) return {};
  const names = readdirSync(root, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => statSync(join(root, name)).isFile());
  return Object.fromEntries(
    files.sort().map((name) => [name, readFileSync(join(root, name), "latin1")]),
  );
}

describe("the scenarios of the format", () => {
  const fixtures = join(process.env.AIEX_FIXTURES ?? "", "edit/apply-patch");
  const present = process.env.AIEX_FIXTURES !== undefined && existsSync(fixtures);
  const names = present
    ? readdirSync(fixtures).filter((name) => existsSync(join(fixtures, name, "patch.txt")))
    : [];

  it("are there", (ctx) => {
    if (!present) ctx.skip("the apply-patch fixtures are not on this machine");
    expect(names.length).toBeGreaterThan(15);
  });

  it.each(names)("%s ends as expected", async (name) => {
    const folder = join(fixtures, name);
    const input = Object.entries(filesIn(join(folder, "input")));
    const root = folderWith(
      Object.fromEntries(input.map(([path, text]) => [path, Buffer.from(text, "latin1")])),
    );
    const context = contextOf(root, { seen: seenIn(root, ...input.map(([path]) => path)) });
    const done = await called(applyPatch, readFileSync(join(folder, "patch.txt"), "utf8"), context);
    expect(filesIn(root)).toEqual(filesIn(join(folder, "expected")));
    const rejected = /rejects|fails|failure/.test(name);
    expect(done.refused !== undefined || done.outcome?.failed === true).toBe(rejected);
  });
});

describe("apply_patch", () => {
  it("takes bare text and JSON alike", async () => {
    const patch = wrap("*** Add File: a.txt", "+hello");
    for (const input of [patch, { patch }]) {
      const root = folderWith({});
      expect((await called(applyPatch, input, contextOf(root))).text).toBe("added a.txt");
      expect(contentOf(root, "a.txt")).toBe("hello\n");
    }
  });

  it("keeps what succeeds in other files and says what failed", async () => {
    const root = folderWith({ "a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt", "b.txt") });
    const patch = wrap(
      ...["*** Update File: a.txt", "@@", "-a", "+A"],
      ...["*** Update File: b.txt", "@@", "-x", "+y"],
      ...["*** Update File: c.txt", "@@", "-c", "+C"],
      ...["*** Add File: d.txt", "+d"],
    );
    const { text, outcome } = await called(applyPatch, patch, context);
    expect(filesIn(root)).toEqual({
      "a.txt": "A\n",
      "b.txt": "b\n",
      "c.txt": "c\n",
      "d.txt": "d\n",
    });
    expect(outcome?.failed).toBe(true);
    expect(text).toContain("updated a.txt (+1 −1) at line 1");
    expect(text).toMatch(/not done: update b.txt: .*fits no place/);
    expect(text).toMatch(/not done: update c.txt: .*not read it; .*`read` it first/);
    expect(text).toContain("added d.txt");
  });

  it("tells policy and recovery of each file before it runs", async () => {
    const root = folderWith({ "a.txt": "a\n", "b.txt": "b\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt", "b.txt") });
    const patch = wrap(
      "*** Delete File: b.txt",
      ...["*** Update File: a.txt", "*** Move to: c/d.txt", "@@", "-a", "+A"],
    );
    const prepared = await applyPatch.prepare(patch, context);
    if (!prepared.ok) throw new Error(prepared.error.say);
    expect(prepared.value.intent.files).toEqual([
      { path: "c/d.txt", before: "absent", after: sha256("A\n") },
      { path: "b.txt", before: sha256("b\n"), after: "absent" },
      { path: "a.txt", before: sha256("a\n"), after: "absent" },
    ]);
    expect(prepared.value.access.map((access) => access.kind)).toEqual(["write", "write", "write"]);
    expect(prepared.value.access[1]).toMatchObject({ diff: expect.stringContaining("-b") });
    expect(filesIn(root)).toEqual({ "a.txt": "a\n", "b.txt": "b\n" });
    const { signal } = context;
    const outcome = await prepared.value.run({
      signal,
      opened: {},
      progress: () => {},
      mask: (text: string) => text,
    });
    expect(filesIn(root)).toEqual({ "c/d.txt": "A\n" });
    expect(outcome.facts).toContainEqual({ type: "fileGone", path: "a.txt" });
  });

  it("lets one operation build on another of the same patch", async () => {
    const root = folderWith({});
    const patch = wrap(
      ...["*** Add File: a.txt", "+one"],
      ...["*** Update File: a.txt", "*** Move to: b.txt", "@@", "-one", "+two"],
    );
    expect((await called(applyPatch, patch, contextOf(root))).outcome?.failed).toBe(false);
    expect(filesIn(root)).toEqual({ "b.txt": "two\n" });
  });

  it("keeps the source of a move whose target cannot be written", async () => {
    const root = folderWith({ "a.txt": "a\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt") });
    const patch = wrap("*** Update File: a.txt", "*** Move to: b.txt", "@@", "-a", "+A");
    const prepared = await applyPatch.prepare(patch, context);
    if (!prepared.ok) throw new Error(prepared.error.say);
    writeFileSync(join(root, "b.txt"), "mine\n");
    const { signal } = context;
    const outcome = await prepared.value.run({
      signal,
      opened: {},
      progress: () => {},
      mask: (text: string) => text,
    });
    expect(outcome.failed).toBe(true);
    expect(filesIn(root)).toEqual({ "a.txt": "a\n", "b.txt": "mine\n" });
  });

  it("does not replace, by adding or moving, a file that was not read", async () => {
    const root = folderWith({ "a.txt": "a\n", "b.txt": "mine\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt") });
    const add = await called(applyPatch, wrap("*** Add File: b.txt", "+x"), context);
    expect(add.code).toBe("stale");
    const move = wrap("*** Update File: a.txt", "*** Move to: b.txt", "@@", "-a", "+A");
    expect((await called(applyPatch, move, context)).code).toBe("stale");
    expect(filesIn(root)).toEqual({ "a.txt": "a\n", "b.txt": "mine\n" });
  });

  it("keeps the mode of what it updates and moves, over several moves and a file there", async () => {
    const root = folderWith({ "a.sh": "a\n", "c.sh": "c\n", "old.sh": "old\n" });
    for (const name of ["a.sh", "c.sh"]) chmodSync(join(root, name), 0o751);
    const context = contextOf(root, { seen: seenIn(root, "a.sh", "c.sh", "old.sh") });
    const patch = wrap(
      ...["*** Update File: a.sh", "*** Move to: b.sh"],
      ...["*** Update File: b.sh", "*** Move to: old.sh", "@@", "-a", "+A"],
      ...["*** Update File: c.sh", "@@", "-c", "+C"],
    );
    expect((await called(applyPatch, patch, context)).outcome?.failed).toBe(false);
    expect(filesIn(root)).toEqual({ "c.sh": "C\n", "old.sh": "A\n" });
    const modes = ["c.sh", "old.sh"].map((name) => statSync(join(root, name)).mode & 0o777);
    expect(modes).toEqual([0o751, 0o751]);
  });

  it("tells as done only what was done when a write fails", async () => {
    const root = folderWith({ "a.txt": "a\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt") });
    const patch = wrap(
      ...["*** Update File: a.txt", "*** Move to: b.txt"],
      ...["*** Add File: c.txt", "+c"],
      ...["*** Add File: d.txt", "+d"],
    );
    const prepared = await applyPatch.prepare(patch, context);
    if (!prepared.ok) throw new Error(prepared.error.say);
    for (const name of ["b.txt", "c.txt"]) writeFileSync(join(root, name), "mine\n");
    const { signal } = context;
    const { parts, failed } = await prepared.value.run({
      signal,
      opened: {},
      progress: () => {},
      mask: (text: string) => text,
    });
    expect(failed).toBe(true);
    expect(filesIn(root)).toMatchObject({ "a.txt": "a\n", "b.txt": "mine\n", "d.txt": "d\n" });
    expect(textOf(parts).replaceAll(/: .*/g, "").split("\n")).toEqual([
      "b.txt was not changed",
      "c.txt was not changed",
      "a.txt was kept, because b.txt could not be written",
      "added d.txt",
    ]);
  });

  it("changes nothing outside the workspace and nothing for a broken patch", async () => {
    const root = folderWith({ "a.txt": "a\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt") });
    const outside = await called(applyPatch, wrap("*** Add File: ../x.txt", "+x"), context);
    expect(outside.code).toBe("denied");
    const broken = wrap("*** Add File: b.txt", "+b", "*** Update File: a.txt", "what");
    expect((await called(applyPatch, broken, context)).code).toBe("bad_input");
    expect(filesIn(root)).toEqual({ "a.txt": "a\n" });
  });
});
