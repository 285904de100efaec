// The tools that write single files, on real ones.

import { chmodSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256 } from "#boundary/digest.ts";
import { edit } from "#boundary/tools/builtin/edit.ts";
import { write } from "#boundary/tools/builtin/write.ts";
import { called, contentOf, contextOf, folderWith, seenIn } from "#boundary/tools/samples.ts";

describe("edit", () => {
  it("makes several edits in one call, and shows what is there now", async () => {
    const root = folderWith({ "a.txt": "one\r\ntwo\r\nthree\r\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt") });
    const edits = [
      { old: "two\n", new: "2\nzwei\n" },
      { old: "one", new: "1" },
    ];
    const { text, outcome } = await called(edit, { path: "a.txt", edits }, context);
    expect(contentOf(root, "a.txt")).toBe("1\r\n2\r\nzwei\r\nthree\r\n");
    expect(text).toContain("edited a.txt (+3 −2), 2 of 2 edits made");
    expect(text).toContain("3\tzwei");
    const before = sha256("one\r\ntwo\r\nthree\r\n");
    const after = sha256("1\r\n2\r\nzwei\r\nthree\r\n");
    expect(outcome).toMatchObject({
      failed: false,
      facts: [
        { type: "fileChanged", path: "a.txt", before, after },
        { type: "fileSeen", path: "a.txt", hash: after },
      ],
    });
  });

  it("says before it runs what it would change, and changes nothing yet", async () => {
    const root = folderWith({ "a.txt": "one\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt") });
    const input = { path: "./a.txt", edits: [{ old: "one", new: "1" }] };
    const prepared = await edit.prepare(JSON.stringify(input), context);
    expect(prepared).toMatchObject({
      ok: true,
      value: {
        access: [{ kind: "write", path: "a.txt", diff: expect.stringContaining("-one\n+1") }],
        effect: "verifiable",
        intent: { files: [{ path: "a.txt", before: sha256("one\n"), after: sha256("1\n") }] },
        title: "edit a.txt (+1 −1)",
      },
    });
    expect(contentOf(root, "a.txt")).toBe("one\n");
  });

  it("keeps the edits that fit and reports the others", async () => {
    const root = folderWith({ "a.txt": "a\nb\nb\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt") });
    const edits = [
      { old: "a", new: "c" },
      { old: "b", new: "d" },
      { old: "zzz", new: "d" },
    ];
    const { text, outcome } = await called(edit, { path: "a.txt", edits }, context);
    expect(contentOf(root, "a.txt")).toBe("c\nb\nb\n");
    expect(outcome?.failed).toBe(true);
    expect(text).toContain("edit 1: made at line 1");
    expect(text).toContain("edit 2: refused: `old` fits 2 places:\n  line 2: b\n  line 3: b");
    expect(text).toContain("edit 3: refused: `old` fits no place");
  });

  it("keeps its report short, however much was wrong", async () => {
    const text = Array.from({ length: 1_000 }, (_, i) => `a long line ${i} ${"x".repeat(250)}\n`);
    const root = folderWith({ "a.txt": `start\n${text.join("")}` });
    const context = contextOf(root, { seen: seenIn(root, "a.txt") });
    const wrong = text
      .slice(0, 12)
      .map((line, i) => ({ old: line.replace("long", "odd"), new: `${i}` }));
    const edits = [{ old: "start", new: "end" }, ...wrong];
    const made = await called(edit, { path: "a.txt", edits }, context);
    expect(made.text).toContain("edit 13: refused: `old` fits no place");
    const many = { path: "a.txt", edits: [...wrong, ...wrong] };
    for (const { text: said } of [made, await called(edit, many, context)]) {
      expect(said.length).toBeLessThan(30_000);
    }
  });

  it("fails as a whole where no edit fits, with the code of the first", async () => {
    const root = folderWith({ "a.txt": "b\nb\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt") });
    const refused = await called(edit, { path: "a.txt", edits: [{ old: "b", new: "c" }] }, context);
    expect(refused).toMatchObject({
      code: "ambiguous",
      refused: expect.stringContaining("line 2"),
    });
    expect(refused.text).toContain("`a.txt` was not changed");
  });

  it("refuses a file that the session has not read, and tells nothing of what is in it", async () => {
    const root = folderWith({ "a.txt": "secret\n" });
    const refused = await called(
      edit,
      { path: "a.txt", edits: [{ old: "x", new: "y" }] },
      contextOf(root),
    );
    expect(refused.code).toBe("stale");
    expect(refused.text).toContain("`read` it first");
    expect(refused.text).not.toContain("secret");
  });

  it("refuses a file that has changed since, and shows what it holds now", async () => {
    const root = folderWith({ "a.txt": "one\ntwo\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt") });
    writeFileSync(join(root, "a.txt"), "zero\none\nzwei\n");
    const input = { path: "a.txt", edits: [{ old: "one\ntwo", new: "1\n2" }] };
    const refused = await called(edit, input, context);
    expect(refused.code).toBe("stale");
    expect(refused.text).toContain("2\tone\n3\tzwei");
    expect(refused.text).toContain("`read` it again");
  });

  it("does not overwrite what came in between permission and write", async () => {
    const root = folderWith({ "a.txt": "one\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt") });
    const input = { path: "a.txt", edits: [{ old: "one", new: "1" }] };
    const prepared = await edit.prepare(JSON.stringify(input), context);
    if (!prepared.ok) throw new Error(prepared.error.say);
    writeFileSync(join(root, "a.txt"), "mine\n");
    const { signal } = context;
    const outcome = await prepared.value.run({
      signal,
      opened: {},
      progress: () => {},
      mask: (text: string) => text,
    });
    expect(outcome).toMatchObject({ failed: true, facts: [] });
    expect(contentOf(root, "a.txt")).toBe("mine\n");
  });

  it("refuses what is no UTF-8 text, what is missing and what is outside", async () => {
    const root = folderWith({ "l1.txt": new Uint8Array([0x61, 0xe9]), "b.bin": "a\0b" });
    const context = contextOf(root, { seen: seenIn(root, "l1.txt", "b.bin") });
    const edits = [{ old: "a", new: "b" }];
    const code = async (path: string) => (await called(edit, { path, edits }, context)).code;
    expect(await code("l1.txt")).toBe("bad_input");
    expect(await code("b.bin")).toBe("bad_input");
    expect(await code("none.txt")).toBe("not_found");
    expect(await code("../etc/passwd")).toBe("denied");
    const half = { path: "l1.txt", edits: [{ old: "a", new: "\ud800" }] };
    expect((await called(edit, half, context)).code).toBe("bad_input");
  });
});

describe("write", () => {
  it("creates a file and the folders above it", async () => {
    const root = folderWith({});
    const input = { path: "a/b/c.txt", content: "hello\nworld" };
    const { text, outcome } = await called(write, input, contextOf(root));
    expect(contentOf(root, "a/b/c.txt")).toBe("hello\nworld");
    expect(text).toBe("created a/b/c.txt (2 lines, 11 bytes)");
    expect(outcome?.facts[0]).toMatchObject({ type: "fileChanged", before: "absent" });
  });

  it("replaces a file that was read, and keeps its mode", async () => {
    const root = folderWith({ "run.sh": "echo 1\n" });
    chmodSync(join(root, "run.sh"), 0o755);
    const context = contextOf(root, { seen: seenIn(root, "run.sh") });
    const { text } = await called(write, { path: "run.sh", content: "echo 2\n" }, context);
    expect(text).toBe("replaced run.sh (+1 −1, 7 bytes)");
    expect(statSync(join(root, "run.sh")).mode & 0o777).toBe(0o755);
  });

  it("shows the difference where the file has changed since it was read", async () => {
    const root = folderWith({ "a.txt": "old\n" });
    const context = contextOf(root, { seen: seenIn(root, "a.txt") });
    writeFileSync(join(root, "a.txt"), "theirs\n");
    const refused = await called(write, { path: "a.txt", content: "mine\n" }, context);
    expect(refused.code).toBe("stale");
    expect(refused.text).toContain("-theirs\n+mine");
    expect(contentOf(root, "a.txt")).toBe("theirs\n");
  });

  it("tells nothing of a file that was never read", async () => {
    const root = folderWith({ ".env": "KEY=secret\n" });
    const refused = await called(write, { path: ".env", content: "" }, contextOf(root));
    expect(refused.code).toBe("stale");
    expect(JSON.stringify(refused)).not.toContain("secret");
  });

  it("refuses a folder and half a character", async () => {
    const root = folderWith({ "d/x": "" });
    expect((await called(write, { path: "d", content: "" }, contextOf(root))).code).toBe("denied");
    const half = await called(write, { path: "y", content: "\ud83d" }, contextOf(root));
    expect(half.code).toBe("bad_input");
  });
});
