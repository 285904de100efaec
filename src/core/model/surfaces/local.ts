// The tools for small models that run at home: few of them, with flat keys and one edit a call. Ours
// where those are so already; nothing here is of a particular maker.
import * as z from "zod/mini";
import { type Surface, surfaceTool, wordsFrom } from "#core/model/surface.ts";
import { commandKey, flagKey, hostsKey, pathKey, textKey } from "#core/model/surfaces/keys.ts";

const edit = surfaceTool({
  name: "edit",
  inner: "edit",
  about: [
    "Replace one text in a file that you have read. Copy `old` exactly from the file, without line",
    "numbers, and long enough to be there only once. For a new file, or to write a small file anew,",
    "use `write`.",
  ].join(" "),
  input: z.strictObject({
    path: pathKey("The file."),
    old: textKey("Text to replace."),
    new: textKey("Text instead of it."),
    all: z.optional(flagKey("Replace every place.")),
  }),
  example: { path: "src/sum.ts", old: "  return a - b;", new: "  return a + b;" },
  map: ({ path, old, new: text, all }) =>
    old === ""
      ? "`old` is empty; create a file with `write`"
      : { path, edits: [{ old, new: text, ...(all ? { all: true } : {}) }] },
});

const run = surfaceTool({
  name: "run",
  inner: "run",
  about: [
    "Run a bash command, such as the tests. It may write only in the workspace and has no network. If",
    "it is refused something that the task needs, call again with `escalate` and `why`: the user is",
    "asked. `cd` does not last.",
  ].join(" "),
  input: z.strictObject({
    command: commandKey,
    seconds: z.optional(z.int().check(z.gte(1), z.lte(1_800), z.describe("Limit. Default 120."))),
    escalate: z.optional(z.enum(["network", "path", "protected", "secret", "unsandboxed"])),
    why: z.optional(z.string().check(z.minLength(1), z.maxLength(500))),
    escalatePath: z.optional(pathKey("Path wanted, for path, protected and secret.")),
    hosts: z.optional(hostsKey),
  }),
  example: { command: "npm test" },
  map: ({ command, seconds, escalate, why, escalatePath, hosts }) => {
    if (escalate && why === undefined) return "`escalate` needs `why`: one sentence for the user";
    const asked = escalate && {
      kind: escalate,
      why,
      ...(escalatePath === undefined ? {} : { path: escalatePath }),
      ...(hosts === undefined ? {} : { hosts }),
    };
    return { command, timeoutSeconds: seconds, escalate: asked };
  },
});

export const local: Surface = {
  family: "local",
  tools: [edit, run],
  hidden: new Set(["edit", "run", "glob", "apply_patch", "job", "fetch", "todo", "task"]),
  words: wordsFrom({ glob: "list", apply_patch: "edit", "run.timeoutSeconds": "seconds" }),
};
