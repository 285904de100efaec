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

const search = surfaceTool({
  name: "search",
  inner: "search",
  about: "Find lines in files by regular expression, or plain text with `literal`. At most 100.",
  input: z.strictObject({
    pattern: z.string().check(z.minLength(1)),
    path: z.optional(z.string().check(z.describe("Folder or file. Default: the root."))),
    glob: z.optional(z.string().check(z.describe("Only files like this: *.ts"))),
    literal: z.optional(z.boolean()),
    ignoreCase: z.optional(z.boolean()),
  }),
  example: { pattern: "function \\w+Total\\(", path: "src" },
  map: (input) => input,
});

const searchCode = surfaceTool({
  name: "search_code",
  inner: "search_code",
  about: "Find code by what it does.",
  input: z.strictObject({ query: z.string().check(z.minLength(1)) }),
  example: { query: "compute the cart total" },
  map: ({ query }) => ({ query }),
});

const findSymbol = surfaceTool({
  name: "find_symbol",
  inner: "find_symbol",
  about: "Find where a name is defined and used.",
  input: z.strictObject({ name: z.string().check(z.minLength(1)) }),
  example: { name: "cartTotal" },
  map: ({ name }) => ({ name, references: true }),
});

const repoMap = surfaceTool({
  name: "repo_map",
  inner: "repo_map",
  about: "See the main definitions, all or about some words.",
  input: z.strictObject({ focus: z.optional(z.string()) }),
  example: { focus: "cart" },
  map: ({ focus }) => ({ focus: focus || undefined }),
});

export const local: Surface = {
  family: "local",
  tools: [edit, run, search, searchCode, findSymbol, repoMap],
  hidden: new Set([
    ...["edit", "run", "glob", "apply_patch", "job", "fetch", "todo", "task"],
    ...["search", "search_code", "find_symbol", "repo_map"],
  ]),
  words: wordsFrom({ glob: "list", apply_patch: "edit", "run.timeoutSeconds": "seconds" }),
};
