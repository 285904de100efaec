// From the words that were typed to a command and its options. Whatever is not understood is a
// failure that names the nearest thing that would be.
import { parseArgs } from "node:util";
import { nearest } from "#config";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import {
  type Command,
  type Given,
  type Option,
  type Options,
  usageOf,
} from "#interfaces/cli/command.ts";

/** What every command understands. */
export const commonOptions = {
  help: { about: "Explain this command.", short: "h" },
  color: { about: "Use colour.", value: "when", choices: ["auto", "always", "never"] },
} as const satisfies Options;

/** The command that is meant when none is named. */
export const DEFAULT_COMMAND = "chat";

export type Routed = { name: string; rest: string[] };

/** Which command the words name: the longest name that they begin with. */
export function route(argv: readonly string[], names: readonly string[]): Result<Routed> {
  const words = argv[0] === "cli" ? argv.slice(1) : [...argv];
  const [first = "", second = ""] = words;
  if (first === "--help" || first === "-h") return ok({ name: "help", rest: words.slice(1) });
  if (["--version", "-V", "-v"].includes(first)) {
    return ok({ name: "version", rest: words.slice(1) });
  }
  if (first === "" || first.startsWith("-")) return ok({ name: DEFAULT_COMMAND, rest: words });
  const both = `${first} ${second}`;
  if (names.includes(both)) return ok({ name: both, rest: words.slice(2) });
  if (names.includes(first)) return ok({ name: first, rest: words.slice(1) });
  const verbs = names.filter((name) => name.startsWith(`${first} `));
  return verbs.length > 0 ? inGroup(first, second, verbs) : unknown(first, second, names);
}

function inGroup(group: string, verb: string, names: readonly string[]): Result<Routed> {
  if (verb === "--help" || verb === "-h" || verb === "help") {
    return ok({ name: "help", rest: [group] });
  }
  const verbs = names.map((name) => name.slice(group.length + 1));
  const near = verb === "" ? null : nearest(verb, verbs);
  const say = verb === "" ? `${group} needs a verb` : `there is no "aiex ${group} ${verb}"`;
  const fix = near
    ? `did you mean "aiex ${group} ${near}"?`
    : `it has: ${verbs.join(", ")}; \`aiex help ${group}\` explains them`;
  return fail("bad_input", say, { fix });
}

function unknown(typed: string, second: string, names: readonly string[]): Failed {
  if (/\s/.test(typed)) {
    return fail("bad_input", "there is no command of that name", {
      fix: `to ask something, type: aiex ask "…"`,
    });
  }
  const firsts = [...new Set(names.flatMap((name) => [name.split(" ")[0] ?? name, name]))];
  const near = nearest(`${typed} ${second}`.trim(), names) ?? nearest(typed, firsts);
  return fail("bad_input", `there is no command "${typed}"`, {
    fix: near ? `did you mean "aiex ${near}"?` : "`aiex help` shows the commands",
  });
}

/** The words after a command's name as its arguments and options; `help` asks to explain it. */
export function parse(
  command: Command,
  rest: readonly string[],
): Result<Given & { help: boolean; color: "auto" | "always" | "never" }> {
  const options: Options = { ...command.options, ...commonOptions };
  const { tokens } = parseArgs({
    args: [...rest],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { short, value }]) => [
        name,
        {
          type: value === undefined ? "boolean" : "string",
          multiple: true,
          ...(short ? { short } : {}),
        } as const,
      ]),
    ),
    strict: false,
    tokens: true,
  });
  const args: string[] = [];
  const values = emptyValues(options);
  for (const token of tokens) {
    if (token.kind === "positional") args.push(token.value);
    if (token.kind !== "option") continue;
    const option = options[token.name];
    if (!option) return unknownOption(token.rawName, command, options);
    const taken = take(token, option, values);
    if (taken) return taken;
  }
  const { help, color, ...own } = values as { help: boolean; color?: "auto" | "always" | "never" };
  if (!help) {
    const wrong = wrongArgs(command, args);
    if (wrong) return wrong;
  }
  return ok({ args, options: own, help, color: color ?? "auto" });
}

type Typed = { name: string; rawName: string; value?: string; inlineValue?: boolean };

/** Puts one typed option among the values, or says what is wrong with it. */
function take(typed: Typed, option: Option, values: Record<string, unknown>): Failed | null {
  const { name, rawName, value, inlineValue } = typed;
  if (option.value === undefined) {
    if (value !== undefined) return fail("bad_input", `${rawName} takes no value`);
    values[name] = true;
    return null;
  }
  const looksLikeOption = !inlineValue && /^-./.test(value ?? "");
  if (value === undefined || value === "" || looksLikeOption) {
    return fail("bad_input", `${rawName} needs a value`, { fix: `${rawName} <${option.value}>` });
  }
  if (option.choices && !option.choices.includes(value)) {
    const near = nearest(value, option.choices);
    return fail("bad_input", `${rawName} cannot be "${value}"`, {
      fix: near ? `did you mean "${near}"?` : `it is one of: ${option.choices.join(", ")}`,
    });
  }
  if (option.many) (values[name] as string[]).push(value);
  else if (!option.number) values[name] = value;
  else {
    const number = Number(value);
    if (!Number.isInteger(number) || number < 0) {
      return fail("bad_input", `${rawName} must be a whole number, not "${value}"`);
    }
    values[name] = number;
  }
  return null;
}

const emptyValues = (options: Options): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).map(([name, { value, many }]) => [
      name,
      value === undefined ? false : many ? [] : undefined,
    ]),
  );

function unknownOption(typed: string, command: Command, options: Options): Failed {
  const names = Object.keys(options).map((name) => `--${name}`);
  const near = typed.startsWith("--") ? nearest(typed, names) : null;
  return fail("bad_input", `"aiex ${command.name}" has no option ${typed}`, {
    fix: near ? `did you mean ${near}?` : `\`aiex help ${command.name}\` shows its options`,
  });
}

function wrongArgs(command: Command, given: readonly string[]): Failed | null {
  const { args = [] } = command;
  const usage = { fix: `usage: ${usageOf(command)}` };
  const missing = args.filter(({ optional }) => !optional)[given.length];
  if (missing) return fail("bad_input", `<${missing.name}> is missing`, usage);
  if (given.length > args.length && !args.some(({ many }) => many)) {
    const word = command.unquoted ? "the last" : `"${given[args.length]}"`;
    return fail("bad_input", `${word} is one word too many`, usage);
  }
  return null;
}
