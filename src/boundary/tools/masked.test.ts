// Files with masked secrets: changed beside them they keep them, and a mask is never written down.
import { describe, expect, it } from "vitest";
import { applyPatch } from "#boundary/tools/builtin/apply_patch.ts";
import { edit } from "#boundary/tools/builtin/edit.ts";
import { read } from "#boundary/tools/builtin/read.ts";
import { run } from "#boundary/tools/builtin/run.ts";
import { write } from "#boundary/tools/builtin/write.ts";
import { jobsOfNode } from "#boundary/tools/jobs.ts";
import { called, contentOf, contextOf, folderWith, seenIn } from "#boundary/tools/samples.ts";
import { masker } from "#core/security/mask.ts";

const SECRET = `ghp_${"aB3dE6gH9j".repeat(3)}kLmN12`;
const TEXT = `export const url = "a";\nexport const token = "${SECRET}";\nexport const end = 1;\n`;
const MASK = "[secret: github-token]";

const project = () => {
  const root = folderWith({ "config.ts": TEXT });
  return { root, context: contextOf(root, { seen: seenIn(root, "config.ts") }) };
};

describe("a file with a masked secret", () => {
  it("is read with the mask at its place", async () => {
    const { root, context } = project();
    const prepared = await read.prepare(JSON.stringify({ path: "config.ts" }), context);
    if (!prepared.ok) throw new Error(prepared.error.say);
    const more = { signal: context.signal, opened: {}, progress: () => {}, mask: masker() };
    const { parts } = await prepared.value.run(more);
    expect(JSON.stringify(parts)).not.toContain(SECRET);
    expect(JSON.stringify(parts)).toContain(MASK);
    expect(contentOf(root, "config.ts")).toBe(TEXT);
  });

  it("is edited beside the secret, which stays", async () => {
    const { root, context } = project();
    const edits = [{ old: 'url = "a"', new: 'url = "b"' }];
    expect((await called(edit, { path: "config.ts", edits }, context)).outcome?.failed).toBe(false);
    expect(contentOf(root, "config.ts")).toBe(TEXT.replace('"a"', '"b"'));
  });

  it.each([
    ["edit, in old", edit, { path: "config.ts", edits: [{ old: `"${MASK}";`, new: '"";' }] }],
    ["edit, in new", edit, { path: "config.ts", edits: [{ old: "= 1", new: `= "${MASK}"` }] }],
    ["write", write, { path: "config.ts", content: TEXT.replace(SECRET, MASK) }],
    ["write, a new file", write, { path: "new.ts", content: `x = "${MASK}"\n` }],
    [
      "apply_patch",
      applyPatch,
      {
        patch: `*** Begin Patch\n*** Update File: config.ts\n@@\n-export const token = "${MASK}";\n+x\n*** End Patch`,
      },
    ],
    ["run", run(jobsOfNode()), { command: `sed -i 's/a/${MASK}/' config.ts` }],
  ])("is not changed by a mask in %s, and the answer says what to do", async (_, tool, input) => {
    const { root, context } = project();
    const { refused, text } = await called(tool, input, context);
    expect(refused).toContain("stands for a secret");
    expect(text).toContain("the lines beside it");
    expect(contentOf(root, "config.ts")).toBe(TEXT);
  });

  it("may hold the words of a mask itself, and is changed in them", async () => {
    const root = folderWith({ "docs.md": `Shown as ${MASK}.\n` });
    const context = contextOf(root, { seen: seenIn(root, "docs.md") });
    const edits = [{ old: `as ${MASK}`, new: `like ${MASK}` }];
    await called(edit, { path: "docs.md", edits }, context);
    expect(contentOf(root, "docs.md")).toBe(`Shown like ${MASK}.\n`);
  });
});

it("a job's output is masked before it is kept, wherever its chunks are cut", async () => {
  const text = `one\nTOKEN=${SECRET}\ntwo`;
  for (const at of [5, 12, 20, 40, text.length - 2]) {
    async function* output() {
      yield Buffer.from(text.slice(0, at));
      yield Buffer.from(text.slice(at));
    }
    const end = { code: 0, signal: null, ended: "exit", durationMs: 1 } as const;
    const done = Promise.resolve({ ...end, quarantined: [], sandboxDenied: false });
    const running = { output: output(), done, kill() {} };
    const job = jobsOfNode().start({ session: "s", command: "x", cwd: "." }, running, {
      mask: masker(),
    });
    const whole = "one\nTOKEN=[secret: github-token]\ntwo";
    await expect.poll(() => job.output.length).toBe(whole.length);
    expect(job.output.bytes().begin.toString()).toBe(whole);
  }
});
