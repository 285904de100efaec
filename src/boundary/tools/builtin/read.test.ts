// The tools that look: read, list and the todo list, on real files.

import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256 } from "#boundary/digest.ts";
import { list } from "#boundary/tools/builtin/list.ts";
import { read } from "#boundary/tools/builtin/read.ts";
import { todo } from "#boundary/tools/builtin/todo.ts";
import { called, contextOf, folderWith } from "#boundary/tools/samples.ts";

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `l${i + 1}\n`).join("");

describe("read", () => {
  it("shows numbered lines and remembers what was seen", async () => {
    const root = folderWith({ "a.txt": "one\ntwo" });
    const { text, outcome } = await called(read, { path: "./a.txt" }, contextOf(root));
    expect(text).toBe("1\tone\n2\ttwo");
    expect(outcome).toMatchObject({
      failed: false,
      facts: [{ type: "fileSeen", path: "a.txt", hash: sha256("one\ntwo") }],
    });
  });

  it("shows a window and says how to go on", async () => {
    const root = folderWith({ "a.txt": numbered(5_000) });
    const context = contextOf(root);
    const first = await called(read, { path: "a.txt" }, context);
    expect(first.text).toMatch(/\n2000\tl2000\n\(3000 more lines: read on with from: 2001\)$/);
    const next = await called(read, { path: "a.txt", from: 4_999, lines: 2 }, context);
    expect(next.text).toBe("4999\tl4999\n5000\tl5000");
    const past = await called(read, { path: "a.txt", from: 5_001 }, context);
    expect(past.outcome?.failed).toBe(true);
    expect(past.text).toContain("has 5000 lines");
  });

  it("shows less where the model's window is small, and always goes on", async () => {
    const root = folderWith({
      "a.txt": numbered(500),
      "wide.txt": `${"ä".repeat(3_000)}\n`.repeat(3),
    });
    const context = contextOf(root, { resultBytesMax: 600 });
    const { text } = await called(read, { path: "a.txt" }, context);
    expect(Buffer.byteLength(text)).toBeLessThan(700);
    const from = Number(/read on with from: (\d+)\)$/.exec(text)?.[1]);
    expect(text).toContain(`\n${from - 1}\tl${from - 1}\n`);
    const wide = await called(read, { path: "wide.txt" }, context);
    expect(wide.text).toMatch(/^1\tä+… \(2850 more characters\)\n/);
    expect(wide.text).toContain("long lines are cut: show a part of one");
    expect(wide.text).toContain("(2 more lines: read on with from: 2)");
  });

  it("keeps within 50 KB and cuts long lines, and says so", async () => {
    const root = folderWith({ "a.txt": `${"ä".repeat(5_000)}\n`.repeat(100) });
    const { text } = await called(read, { path: "a.txt" }, contextOf(root));
    expect(Buffer.byteLength(text)).toBeLessThan(51 * 1024);
    expect(text).toContain("… (3000 more characters)");
    expect(text).toMatch(/\(88 more lines: read on with from: 13\)$/);
  });

  it("names line endings that edits will keep, and bytes that are not UTF-8", async () => {
    const root = folderWith({ "crlf.txt": "a\r\nb\r\n", "l1.txt": new Uint8Array([0x61, 0xe9]) });
    const crlf = await called(read, { path: "crlf.txt" }, contextOf(root));
    expect(crlf.text).toBe("1\ta\n2\tb\n(line endings: CRLF)");
    expect((await called(read, { path: "l1.txt" }, contextOf(root))).text).toContain("not UTF-8");
  });

  it("gives images and PDFs as they are, by what they hold", async () => {
    const png = Buffer.from("89504e470d0a1a0a00", "hex");
    const root = folderWith({ "a.txt": png, "b.pdf": "%PDF-1.7\n" });
    const context = contextOf(root);
    const { outcome } = await called(read, { path: "a.txt" }, context);
    const blob = { hash: sha256(png), bytes: 9, media: "image/png", name: "a.txt" };
    expect(outcome?.parts[1]).toEqual({ type: "blob", blob });
    expect(await context.blobs.has(sha256(png))).toBe(true);
    const pdf = await called(read, { path: "b.pdf" }, context);
    expect(pdf.outcome?.parts[1]).toMatchObject({ blob: { media: "application/pdf" } });
  });

  it("reads a kept tool output by its hash", async () => {
    const root = folderWith({});
    const context = contextOf(root);
    const kept = await context.blobs.put(Buffer.from(numbered(10)));
    const path = `output:${kept.ok ? kept.value : ""}`;
    const { text, outcome } = await called(read, { path, from: 9 }, context);
    expect(text).toBe("9\tl9\n10\tl10");
    expect(outcome?.facts).toEqual([]);
    const none = await called(read, { path: `output:${"0".repeat(64)}` }, context);
    expect(none.text).toContain("run the tool again");
    expect((await called(read, { path: "output:../x" }, context)).outcome?.failed).toBe(true);
  });

  it("says what to do instead of reading a folder, a binary or a file that is not there", async () => {
    const root = folderWith({ "src/server.ts": "", "a.bin": "\0\0" });
    mkdirSync(join(root, "empty"));
    const context = contextOf(root);
    const text = async (path: string) => (await called(read, { path }, context)).text;
    expect(await text("src")).toContain("use `list`");
    expect(await text("a.bin")).toContain("binary (2 bytes)");
    expect(await text("src/Server.js")).toContain("did you mean src/server.ts?");
    expect(await text("zzz/y.ts")).toContain("`glob`");
    expect(await text("src/server.ts")).toBe("(`src/server.ts` is empty)");
  });

  it("refuses what is outside before anything is opened", async () => {
    const refused = await called(read, { path: "/etc/passwd" }, contextOf(folderWith({})));
    expect(refused.code).toBe("denied");
  });
});

describe("list", () => {
  it("names folders first and marks what is no file", async () => {
    const root = folderWith({ "b.txt": "", "z/x": "", ".hidden": "", "a\nb": "" });
    symlinkSync("b.txt", join(root, "link"));
    const { text } = await called(list, {}, contextOf(root));
    expect(text.split("\n")).toEqual(["z/", ".hidden", '"a\\nb"', "b.txt", "link@"]);
  });

  it("is bounded and says what is left out", async () => {
    const names = Array.from({ length: 600 }, (_, i) => [`f${i}`, ""] as const);
    const { text } = await called(list, {}, contextOf(folderWith(Object.fromEntries(names))));
    expect(text.split("\n")).toHaveLength(501);
    expect(text).toContain("(100 more entries");
  });

  it("says what to do where there is no such folder", async () => {
    const context = contextOf(folderWith({ a: "" }));
    expect((await called(list, { path: "a" }, context)).text).toContain("`read` it");
    expect((await called(list, { path: "b" }, context)).outcome?.failed).toBe(true);
    expect((await called(list, { path: ".." }, context)).code).toBe("denied");
  });
});

describe("todo", () => {
  it("replaces the list, as a fact of the session", async () => {
    const items = [
      { text: "look", state: "done" },
      { text: "leap", state: "doing" },
    ];
    const { text, outcome } = await called(todo, { items }, contextOf(folderWith({})));
    expect(text).toBe("[x] look\n[>] leap");
    expect(outcome?.facts).toEqual([{ type: "todo", items }]);
  });

  it("knows three states and no others", async () => {
    const input = { items: [{ text: "x", state: "later" }] };
    const refused = await called(todo, input, contextOf(folderWith({})));
    expect(refused.text).toContain("`items[0].state` must be one of open, doing, done");
  });
});
