// Every path a hostile model may write, given to every tool that takes one.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyPatch } from "#boundary/tools/builtin/apply_patch.ts";
import { edit } from "#boundary/tools/builtin/edit.ts";
import { glob } from "#boundary/tools/builtin/glob.ts";
import { list } from "#boundary/tools/builtin/list.ts";
import { read } from "#boundary/tools/builtin/read.ts";
import { search } from "#boundary/tools/builtin/search.ts";
import { write } from "#boundary/tools/builtin/write.ts";
import { called, contextOf, folderWith } from "#boundary/tools/samples.ts";

const shapes = ["../secret.txt", "a/../../secret.txt", "/etc/passwd", "~/.ssh/id_rsa", "a\0b", ""];

function hostilePaths(): { paths: string[]; missing: boolean } {
  const file = join(process.env.AIEX_FIXTURES ?? "", "security/path-traversal.txt");
  const missing = process.env.AIEX_FIXTURES === undefined || !existsSync(file);
  const lines = missing ? [] : readFileSync(file, "utf8").split("\n");
  return { paths: [...shapes, ...lines.filter((line) => line !== "")], missing };
}

const patchOf = (path: string) => `*** Begin Patch\n*** Add File: ${path}\n+x\n*** End Patch`;

describe("the file tools, given hostile paths", () => {
  it("read and write nothing outside, and never throw", async (ctx) => {
    const { paths, missing } = hostilePaths();
    const outer = folderWith({
      "secret.txt": "root:x:0 outside\n",
      "work/space/a.txt": "inside\n",
    });
    const root = join(outer, "work/space");
    const context = contextOf(root);
    for (const path of paths) {
      // Written last, so that what is an ordinary name is not there when it is looked for.
      const answers = [
        await called(read, { path }, context),
        await called(list, { path }, context),
        await called(search, { pattern: "root:", path }, context),
        await called(glob, { pattern: "*", path }, context),
        await called(edit, { path, edits: [{ old: "root", new: "pwned" }] }, context),
        await called(write, { path, content: "x" }, context),
        await called(applyPatch, patchOf(path), context),
      ];
      for (const { text } of answers) expect(text).not.toContain("root:x:0");
    }
    expect(readdirSync(outer).sort()).toEqual(["secret.txt", "work"]);
    expect(readdirSync(dirname(root))).toEqual(["space"]);
    expect(readFileSync(join(outer, "secret.txt"), "utf8")).toBe("root:x:0 outside\n");
    if (missing) ctx.skip("the path-traversal fixture is not on this machine; ours were tried");
  });
});
