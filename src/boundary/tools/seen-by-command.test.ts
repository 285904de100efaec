// Reading by the shell, with real commands: what may be edited afterwards and what may not.
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { edit } from "#boundary/tools/builtin/edit.ts";
import { run } from "#boundary/tools/builtin/run.ts";
import { jobsOfNode } from "#boundary/tools/jobs.ts";
import { called, contextOf, folderWith } from "#boundary/tools/samples.ts";
import { startUnsandboxed } from "#boundary/workspace/unsandboxed.ts";

const tenLines = Array.from({ length: 10 }, (_, i) => `line ${i + 1}\n`).join("");

function place() {
  const root = folderWith({
    "a.txt": tenLines,
    "src/b.txt": "b\n",
    "empty.txt": "",
    "raw.bin": Buffer.from([65, 0, 10]),
  });
  const host = process.env;
  const options = { workspace: root, scratch: join(root, ".scratch"), home: root, host };
  const context = contextOf(root, {
    sandbox: {
      kind: "none",
      start: (spec, signal) =>
        startUnsandboxed({ ...spec, opened: { unsandboxed: true } }, options, signal),
    },
  });
  return { root, context };
}

const tool = run(jobsOfNode());

async function seenBy(command: string, more: Record<string, unknown> = {}): Promise<string[]> {
  const { context } = place();
  const { outcome } = await called(tool, { command, ...more }, context);
  return (outcome?.facts ?? []).flatMap((fact) => (fact.type === "fileSeen" ? [fact.path] : []));
}

describe("a plain command that shows a file", () => {
  it("counts as having read it, so that an edit may follow", async () => {
    const { context } = place();
    const change = { path: "a.txt", edits: [{ old: "line 3\n", new: "third\n" }] };
    expect((await called(edit, change, context)).code).toBe("stale");
    const { outcome } = await called(tool, { command: "sed -n '1,5p' a.txt" }, context);
    const seen = (outcome?.facts ?? []).flatMap((fact) =>
      fact.type === "fileSeen" ? [[fact.path, fact.hash] as const] : [],
    );
    const after = { ...context, seen: new Map(seen) };
    expect((await called(edit, change, after)).outcome?.failed).toBe(false);
  });

  it("is taken where it is, by any name of it inside the workspace", async () => {
    expect(await seenBy("cat b.txt", { cwd: "src" })).toEqual(["src/b.txt"]);
    expect(await seenBy("cat ../a.txt b.txt", { cwd: "src" })).toEqual(["a.txt", "src/b.txt"]);
    expect(await seenBy("nl -ba a.txt | sed -n 2,4p")).toEqual(["a.txt"]);
    const { root, context } = place();
    const { outcome } = await called(tool, { command: `cat ${join(root, "a.txt")}` }, context);
    expect(outcome?.facts).toMatchObject([{ type: "commandEnded" }, { path: "a.txt" }]);
  });

  it("counts for nothing where nothing of the file was shown", async () => {
    expect(await seenBy("sed -n 11,20p a.txt")).toEqual([]);
    expect(await seenBy("cat a.txt | sed -n 11,20p")).toEqual([]);
    expect(await seenBy("cat a.txt >/dev/null")).toEqual([]);
    expect(await seenBy("cat empty.txt")).toEqual([]);
    expect(await seenBy("cat raw.bin")).toEqual([]);
    expect(await seenBy("cat a.txt", { background: true })).toEqual([]);
    expect(await seenBy("cat a.txt missing.txt")).toEqual([]);
  });

  it("counts only if the file was the same before and after", async () => {
    const { root, context } = place();
    let changing = false;
    const { hash } = context.workspace;
    const workspace = {
      ...context.workspace,
      // Somebody else writes while the command runs.
      hash: async (path: string) => {
        changing = true;
        await context.workspace.write(path, Buffer.from("other"), {
          expect: (await read(path)) ?? "absent",
        });
        return hash(path);
      },
    };
    const read = async (path: string) => {
      const now = await hash(path);
      return now.ok ? now.value : undefined;
    };
    const { outcome } = await called(tool, { command: "cat a.txt" }, { ...context, workspace });
    expect(changing).toBe(true);
    expect(outcome?.facts.map(({ type }) => type)).toEqual(["commandEnded"]);
    expect(root).not.toBe("");
  });

  it("tells nothing of files outside, by link or by path", async () => {
    const { root, context } = place();
    symlinkSync("/etc/hostname", join(root, "link"));
    for (const command of ["cat link", "cat /etc/hostname", "cat ../x a.txt"]) {
      const { outcome } = await called(tool, { command }, context);
      expect(outcome?.facts.filter(({ type }) => type === "fileSeen")).toEqual([]);
    }
  });
});
