// Roles of children: who a child is, which tools it has and how far it may go. Ours are here; those
// of users and projects are Markdown files whose head says the same and whose text is its
// instructions. A role only narrows: never beyond what its parent may.
import { fail, ok, type Result } from "#core/failure.ts";
import { type Mode, modes } from "#core/session/tool-facts.ts";

export type Role = {
  name: string;
  /** When to use it, in a line: what the parent's model is told. */
  about: string;
  /** Its instructions, after those that every child has. */
  text: string;
  /** By our own names; absent: all that its parent has. */
  tools?: readonly string[];
  mode?: Mode;
  /** The model that it is asked of; absent: its parent's. */
  model?: string;
  minutes?: number;
  steps?: number;
  /** The file that it is from; absent: it is one of ours. */
  from?: string;
};

/** The role of a child of which nothing is said. */
export const USUAL_ROLE = "general";

const READING = [
  ...["read", "list", "glob", "search", "search_code", "find_symbol", "repo_map"],
  ...["code", "run", "recall", "todo"],
];

export const ownRoles: readonly Role[] = [
  {
    name: "explore",
    about: "finds out how something is in the code; reads only",
    mode: "read-only",
    tools: READING,
    text: [
      "Find out what you were asked and change nothing. Search widely first, then read the places",
      "that matter. Answer with the facts and where they are, as `path:line`; say what you did not",
      "find.",
    ].join(" "),
  },
  {
    name: USUAL_ROLE,
    about: "does a whole piece of work by itself, with every tool",
    text: [
      "Do the whole of what you were asked and nothing beside it. Other children may be at work in",
      "the same folder: do not touch files that are not part of your piece.",
    ].join(" "),
  },
];

/** UTF-16 units of a role's name and of its line. */
const NAME = /^[a-z0-9][a-z0-9_-]{0,39}$/i;
const ABOUT_CHARS_MAX = 300;
const MINUTES_MAX = 1_440;
const STEPS_MAX = 10_000;

type Head = Readonly<Record<string, string>>;

/**
 * A role from the text of its file. `name` is the file's, without `.md`; `toolNamed` gives our name
 * of a tool for any that a model family has for it. What is wrong with it is said with its line.
 */
export function roleFrom(
  file: { name: string; text: string },
  toolNamed: (name: string) => string | undefined,
): Result<Role> {
  const parts = /^---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)([\s\S]*)$/.exec(file.text);
  if (!parts) return wrong("it does not begin with a head between two lines `---`");
  const head = headOf(parts[1] ?? "");
  if (!head.ok) return head;
  const { name = file.name, description = "", mode, tools, model, minutes, steps } = head.value;
  if (!NAME.test(name))
    return wrong(`name: ${JSON.stringify(name)} is no name of letters, - and _`);
  if (description === "")
    return wrong("description: is missing, the line that says when to use it");
  const known = toolsIn(tools, toolNamed);
  if (!known.ok) return known;
  const is = modes.find((one) => one === mode);
  if (mode !== undefined && !is) return wrong(`mode: is one of ${modes.join(", ")}`);
  const numbers = numbersIn({ minutes, steps });
  if (!numbers.ok) return numbers;
  const about =
    description.length > ABOUT_CHARS_MAX
      ? `${description.slice(0, ABOUT_CHARS_MAX)}…`
      : description;
  return ok({
    ...{ name, about, text: (parts[2] ?? "").trim() },
    ...(known.value ? { tools: known.value } : {}),
    ...(is ? { mode: is } : {}),
    // `inherit` is how other programs say that it is the parent's.
    ...(model !== undefined && model !== "inherit" ? { model } : {}),
    ...numbers.value,
  });
}

/**
 * Lines of `key: value`, as people write them: a list is in brackets, between commas, or one item a
 * line; a value goes on in lines that are indented. That is all of YAML that it knows, and a colon
 * in a value is text.
 */
function headOf(text: string): Result<Head> {
  const head: Record<string, string> = {};
  let last = "";
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const item = /^\s+-\s+(.*)$/.exec(line)?.[1];
    const more = item === undefined ? /^\s+(.*)$/.exec(line)?.[1] : unquoted(item);
    if (more !== undefined && last !== "") {
      const sofar = head[last] ?? "";
      head[last] = sofar === "" ? more : `${sofar}${item === undefined ? " " : ", "}${more}`;
      continue;
    }
    const pair = /^([A-Za-z][\w-]*):(?:\s+(.*))?$/.exec(line);
    if (!pair) return wrong(`${JSON.stringify(line)} is no line of the form key: value`);
    last = (pair[1] ?? "").toLowerCase();
    const value = unquoted(pair[2] ?? "");
    head[last] = /^[|>][-+]?$/.test(value) ? "" : value;
  }
  return ok(head);
}

const unquoted = (text: string): string => text.trim().replace(/^(["'])(.*)\1$/, "$2");

function toolsIn(
  list: string | undefined,
  toolNamed: (name: string) => string | undefined,
): Result<readonly string[] | undefined> {
  if (list === undefined || list === "" || list === "*") return ok(undefined);
  const names = list
    .replace(/^\[(.*)\]$/, "$1")
    .split(",")
    .map(unquoted)
    .filter((name) => name !== "");
  const found = names.map((name) => ({ name, tool: toolNamed(name) }));
  const unknown = found.find(({ tool }) => tool === undefined);
  if (unknown) return wrong(`tools: there is no tool ${JSON.stringify(unknown.name)}`);
  return ok([...new Set(found.flatMap(({ tool }) => (tool === undefined ? [] : [tool])))]);
}

function numbersIn(given: {
  minutes: string | undefined;
  steps: string | undefined;
}): Result<Pick<Role, "minutes" | "steps">> {
  const numbers: Pick<Role, "minutes" | "steps"> = {};
  for (const [key, most] of [
    ["minutes", MINUTES_MAX],
    ["steps", STEPS_MAX],
  ] as const) {
    const text = given[key];
    if (text === undefined) continue;
    const number = Number(text);
    if (!Number.isInteger(number) || number < 1 || number > most) {
      return wrong(`${key}: is a whole number from 1 to ${most}`);
    }
    numbers[key] = number;
  }
  return ok(numbers);
}

const wrong = (say: string) =>
  fail("bad_input", say, { fix: "see docs/children.md for what a role's file holds" });

/** UTF-8 bytes, at most, of what a model is told of roles; the names of the others go without. */
const LINE_BYTES_MAX = 4_096;

/** The roles in a line, for the model that may use them: each with what it is for, as far as it goes. */
export function rolesLine(roles: readonly Role[]): string {
  const told: string[] = [];
  let bytes = 0;
  for (const { name, about } of roles) {
    const whole = `${name} (${about})`;
    bytes += bytesOf(whole) + 2;
    if (bytes > LINE_BYTES_MAX) break;
    told.push(whole);
  }
  const left = roles.length - told.length;
  return [...told, ...(left > 0 ? [`and ${left} more`] : [])].join("; ");
}

const bytesOf = (text: string): number =>
  encodeURIComponent(text.toWellFormed()).replace(/%../g, "x").length;
