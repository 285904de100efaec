// Changes several files by one patch. Each operation succeeds or fails as a whole; those that
// succeed are kept, and every one is reported.
import * as z from "zod/mini";
import { carryOut, reportOf } from "#boundary/tools/patch-steps.ts";
import { type PatchReport, patchedFiles } from "#boundary/tools/patched-files.ts";
import { defineTool } from "#boundary/tools/tool.ts";
import { isPatch, type PatchOperation, parsePatch } from "#core/code/patch.ts";
import { fail, ok, sentenceOf } from "#core/failure.ts";

/** UTF-16 units of a patch. */
const PATCH_CHARACTERS_MAX = 1_000_000;
/** Operations of one patch. */
const OPERATIONS_MAX = 200;

export const applyPatch = defineTool({
  name: "apply_patch",
  effect: "verifiable",
  about: [
    "Add, update, move and delete files by one patch. Between `*** Begin Patch` and `*** End Patch`",
    "come `*** Add File: PATH` (each line with `+`), `*** Delete File: PATH`, and",
    "`*** Update File: PATH`, then perhaps `*** Move to: PATH`, then parts: `@@` or `@@ LINE ABOVE`,",
    "and lines with a space (context), `-` or `+`. Give about three lines of context; a part that",
    "fits several places is refused. Files that are updated, replaced or deleted must have been",
    "`read` in their present state. What succeeds is kept, also when another file fails. For one",
    `small change use \`edit\`. At most ${OPERATIONS_MAX} files and ${PATCH_CHARACTERS_MAX} characters.`,
  ].join(" "),
  input: z.strictObject({
    patch: z
      .string()
      .check(z.minLength(1), z.maxLength(PATCH_CHARACTERS_MAX), z.describe("The patch.")),
  }),
  example: {
    patch:
      "*** Begin Patch\n*** Update File: src/sum.ts\n@@ function sum(a, b) {\n" +
      "-  return a - b;\n+  return a + b;\n }\n*** End Patch\n",
  },
  bare: (text) => (isPatch(text) ? { patch: text } : undefined),
  async prepare({ patch }, context) {
    const operations = parsePatch(patch);
    if (!operations.ok) return operations;
    if (operations.value.length > OPERATIONS_MAX) {
      const say = `the patch has ${operations.value.length} operations, more than ${OPERATIONS_MAX}`;
      return fail("too_large", say, { fix: "send it as several patches" });
    }
    const files = patchedFiles(context);
    const told: PatchReport[] = [];
    const failures = [];
    for (const operation of operations.value) {
      const done = await files.apply(operation);
      if (done.ok) {
        told.push(done.value);
        continue;
      }
      failures.push(done.error);
      const say = `not done: ${operation.do} ${operation.path}: ${sentenceOf(done.error)}`;
      told.push({ say, paths: [] });
    }
    const steps = files.steps();
    const [first] = failures;
    if (steps.length === 0 && first) {
      const say = failures.length === 1 ? sentenceOf(first) : reportOf(told);
      return fail(first.code, say, { fix: "no file was changed", detail: { failures } });
    }
    return ok({
      access: steps.map(({ change, diff }) => ({
        kind: "write" as const,
        path: change.path,
        diff,
      })),
      effect: "verifiable" as const,
      intent: { files: steps.map(({ change }) => change) },
      title: titleOf(operations.value),
      run: () => carryOut(steps, context.workspace, told, failures.length > 0),
    });
  },
});

function titleOf(operations: readonly PatchOperation[]): string {
  const names = operations.map(({ path }) => path);
  return `patch ${names.slice(0, 3).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""}`;
}
