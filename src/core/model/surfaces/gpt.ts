// The tools as OpenAI's models know them from Codex, whose source shows them: `shell_command`,
// `apply_patch`, `update_plan` and `view_image`, https://github.com/openai/codex (codex-rs/core).
// Reading, searching and listing are our own: an edit needs a file that was read.
import * as z from "zod/mini";
import { isPatch } from "#core/code/patch.ts";
import { type Surface, surfaceTool, wordsFrom } from "#core/model/surface.ts";
import {
  commandKey,
  escalateKey,
  flagKey,
  millisecondsKey,
  pathKey,
  SANDBOX,
  secondsOf,
  TODO_ITEMS_MAX,
  todoKey,
  wordKey,
} from "#core/model/surfaces/keys.ts";

const shellCommand = surfaceTool({
  name: "shell_command",
  inner: "run",
  about: [
    "Run a bash command in the workspace.",
    SANDBOX,
    "A file that a plain `cat`, `sed -n`, `head`, `tail` or `nl` shows counts as read. Change files",
    "with `apply_patch` only. Default limit 120000 ms, at most 1800000 in the foreground.",
  ].join(" "),
  input: z.strictObject({
    command: commandKey,
    workdir: z.optional(pathKey("Folder inside the workspace. Default: the root.")),
    timeout_ms: z.optional(millisecondsKey("Limit in milliseconds.")),
    background: z.optional(flagKey("Return at once; follow and end it with `job`.")),
    escalate: z.optional(escalateKey),
  }),
  example: { command: "npm test", timeout_ms: 300_000 },
  map: ({ command, workdir, timeout_ms, background, escalate }) => ({
    command,
    cwd: workdir,
    timeoutSeconds: secondsOf(timeout_ms),
    background,
    escalate,
  }),
});

const PATCH = [
  "*** Begin Patch",
  "*** Update File: src/sum.ts",
  "@@ function sum(a, b) {",
  "-  return a - b;",
  "+  return a + b;",
  " }",
  "*** End Patch",
  "",
].join("\n");

/**
 * The format of `core/code/patch.ts` for models that write it free-form, in Lark as OpenAI's guide
 * has it: https://developers.openai.com/api/docs/guides/function-calling#context-free-grammars
 */
const GRAMMAR = `start: "*** Begin Patch" LF operation+ "*** End Patch" LF?
operation: add | delete | update
add: "*** Add File: " REST LF ("+" REST? LF)+
delete: "*** Delete File: " REST LF
update: "*** Update File: " REST LF ("*** Move to: " REST LF)? part*
part: (heading | line)+ ("*** End of File" LF)?
heading: "@@" (" " REST)? LF
line: ("+" | "-" | " ") REST? LF
REST: /[^\\n]+/
LF: /\\n/
`;

const applyPatch = surfaceTool({
  name: "apply_patch",
  inner: "apply_patch",
  about: [
    "Add, update, move and delete files by one patch. Between `*** Begin Patch` and `*** End Patch`",
    "come `*** Add File: PATH` (each line with `+`), `*** Delete File: PATH`, and",
    "`*** Update File: PATH`, then perhaps `*** Move to: PATH`, then parts: `@@` or `@@ LINE ABOVE`,",
    "and lines with a space (context), `-` or `+`. Give about three lines of context. Files that",
    "exist must have been read in their present state.",
  ].join(" "),
  input: z.strictObject({
    input: z.string().check(z.minLength(1), z.maxLength(1_000_000), z.describe("The whole patch.")),
  }),
  example: { input: PATCH },
  freeform: { syntax: "lark", grammar: GRAMMAR, example: PATCH },
  bare: (text) => (isPatch(text) ? { input: text } : undefined),
  map: ({ input }) => ({ patch: input }),
});

const states = { pending: "open", in_progress: "doing", completed: "done" } as const;

const updatePlan = surfaceTool({
  name: "update_plan",
  inner: "todo",
  about: [
    "Replace the plan, which the user sees. For work of three steps or more; again whenever a step",
    "begins or is done; at most one is in_progress. Always give the whole plan.",
  ].join(" "),
  input: z.strictObject({
    explanation: z.optional(wordKey("Why it changed.")),
    plan: z
      .array(
        z.strictObject({
          step: todoKey,
          status: z.enum(["pending", "in_progress", "completed"]),
        }),
      )
      .check(z.maxLength(TODO_ITEMS_MAX)),
  }),
  example: { plan: [{ step: "Fix sum()", status: "in_progress" }] },
  map: ({ plan }) => ({
    items: plan.map(({ step, status }) => ({ text: step, state: states[status] })),
  }),
});

const viewImage = surfaceTool({
  name: "view_image",
  inner: "read",
  about: "Look at an image of the workspace (png, jpg, gif, webp).",
  input: z.strictObject({ path: pathKey("The image.") }),
  example: { path: "docs/screen.png" },
  map: ({ path }) => ({ path }),
});

export const gpt: Surface = {
  family: "gpt",
  tools: [shellCommand, applyPatch, updatePlan, viewImage],
  hidden: new Set(["run", "apply_patch", "edit", "write", "todo"]),
  words: wordsFrom({
    edit: "apply_patch",
    write: "apply_patch",
    run: "shell_command",
    "run.timeoutSeconds": "timeout_ms",
    todo: "update_plan",
  }),
};
