// The rules a user writes: allow, ask or deny, by program and words, path, or host. Each carries
// examples of what it means and what it does not, which are tried when it is loaded.
import * as z from "zod/mini";
import { fail, ok, type Result } from "#core/failure.ts";
import type { Access } from "#core/security/access.ts";
import { wantedHosts } from "#core/security/hosts.ts";
import { relativeTo } from "#core/security/paths.ts";
import { hostOf } from "#core/security/permission.ts";
import { readShell } from "#core/security/shell.ts";

/** Rules in one file, and examples of one rule. */
const RULES_MAX = 500;
const EXAMPLES_MAX = 50;

const examples = z.strictObject({
  match: z.array(z.string()).check(z.minLength(1), z.maxLength(EXAMPLES_MAX)),
  not: z.optional(z.array(z.string()).check(z.maxLength(EXAMPLES_MAX))),
});
const common = {
  do: z.enum(["allow", "ask", "deny"]),
  why: z.optional(z.string()),
  examples,
};
const word = z.string().check(z.minLength(1));

const ruleSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    ...common,
    kind: z.literal("run"),
    /** A bare name: `git`. */
    program: z.string().check(z.regex(/^[^\s/]+$/)),
    /** To allow: the first words after the program. To ask or deny: words that occur, in order. */
    args: z.optional(z.array(word)),
    /** Only for `allow`: the flags that may follow, exactly; any other is no match. */
    flags: z.optional(z.array(word)),
    /** What an allowed command may also open; without it, only the plain sandbox is meant. */
    opens: z.optional(z.enum(["network", "unsandboxed"])),
  }),
  z.strictObject({ ...common, kind: z.enum(["read", "write"]), path: word }),
  z.strictObject({ ...common, kind: z.literal("fetch"), host: word }),
]);

export type Rule = z.infer<typeof ruleSchema>;
export type Rules = {
  rules: readonly Rule[];
  /** What a project's file said and may not say, for the user to see. */
  ignored: readonly string[];
};
export const noRules: Rules = { rules: [], ignored: [] };

/**
 * Reads rules from parsed JSON (`[{kind, …}]`). Fails as `bad_input`, naming the rule, where one is
 * malformed or does not do what its examples say. A project's rules can only narrow: those of it
 * that allow are left out and named.
 */
export function loadRules(json: unknown, from: "user" | "project"): Result<Rules> {
  if (!Array.isArray(json)) return fail("bad_input", "rules are a list");
  if (json.length > RULES_MAX) return fail("too_large", `there are more than ${RULES_MAX} rules`);
  const rules: Rule[] = [];
  const ignored: string[] = [];
  for (const [at, value] of json.entries()) {
    const parsed = ruleSchema.safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const place = issue?.path.join(".") ?? "";
      return fail("bad_input", `rule ${at + 1} is malformed: ${place} ${issue?.message ?? ""}`);
    }
    const rule = parsed.data;
    const wrong = failedExample(rule);
    if (wrong) return fail("bad_input", `rule ${at + 1} (${titleOf(rule)}): ${wrong}`);
    if (from === "project" && rule.do === "allow") ignored.push(titleOf(rule));
    else rules.push(rule);
  }
  return ok({ rules, ignored });
}

/** A rule in one line. */
export function titleOf(rule: Rule): string {
  const what =
    rule.kind === "run"
      ? [rule.program, ...(rule.args ?? [])].join(" ")
      : rule.kind === "fetch"
        ? rule.host
        : rule.path;
  return `${rule.do} ${rule.kind} ${what}`;
}

function failedExample(rule: Rule): string | null {
  const root = "/workspace";
  const does = (text: string) => matches(rule, accessOf(rule, text), root);
  const missed = rule.examples.match.find((text) => !does(text));
  if (missed !== undefined) return `it should match ${JSON.stringify(missed)} and does not`;
  const caught = rule.examples.not?.find(does);
  return caught === undefined ? null : `it should not match ${JSON.stringify(caught)} and does`;
}

function accessOf(rule: Rule, text: string): Access {
  switch (rule.kind) {
    case "run":
      return { kind: "run", command: text, cwd: ".", env: {}, sandboxed: true };
    case "read":
      return { kind: "read", path: text };
    case "write":
      return { kind: "write", path: text, diff: "" };
    case "fetch":
      return { kind: "fetch", url: text };
  }
}

/**
 * Whether a rule speaks about an access. For a command of several parts, `ask` and `deny` match
 * when one part does; `allow` needs each part to be allowed, which `isAllowedByAll` asks part by
 * part.
 */
export function matches(rule: Rule, access: Access, root: string): boolean {
  if (rule.kind === "run") {
    if (access.kind !== "run") return false;
    const parts = partsOf(access.command);
    if (parts === null) return rule.do !== "allow" && mentions(access.command, rule.program);
    if (rule.do === "allow") return parts.every((argv) => isAllowed(rule, argv));
    return parts.some((argv) => isMeant(rule, argv));
  }
  if (rule.kind === "fetch") {
    if (access.kind === "run") return rule.do !== "allow" && wantsHost(access, rule.host);
    return access.kind === "fetch" && isHost(rule.host, hostOf(access.url));
  }
  if (access.kind !== rule.kind) return false;
  const name = relativeTo(root, access.path);
  return name.ok && isPath(rule.path, name.value, { anyCase: rule.do !== "allow" });
}

/** Whether each part of a literal command is allowed by one of the rules. */
export function isAllowedByAll(rules: readonly Rule[], access: Access): boolean {
  if (access.kind !== "run") return false;
  const parts = partsOf(access.command);
  return parts?.every((argv) => rules.some((rule) => isAllowed(rule, argv))) ?? false;
}

/** The simple commands in a command, or null where it is opaque. */
export function partsOf(
  command: string | readonly string[],
): readonly (readonly string[])[] | null {
  if (typeof command !== "string") return [command];
  const read = readShell(command);
  return read.kind === "literal" ? read.commands : null;
}

function isAllowed(rule: Rule, argv: readonly string[]): boolean {
  if (rule.kind !== "run" || argv[0] !== rule.program) return false;
  const { args = [], flags = [] } = rule;
  if (!args.every((text, at) => argv[at + 1] === text)) return false;
  const rest = argv.slice(args.length + 1);
  return rest.every((text) => !text.startsWith("-") || flags.includes(text));
}

/** Programs that run the words after them. Their own flags are skipped, and so are assignments. */
const WRAPPERS = new Set(
  `env nice nohup timeout time command builtin exec sudo doas stdbuf setsid ionice chrt
   taskset unbuffer caffeinate watch xargs busybox`.split(/\s+/),
);

/** Meant by `ask` and `deny`: wide on purpose, because what they miss is done unasked. */
function isMeant(rule: Rule & { kind: "run" }, argv: readonly string[]): boolean {
  const [first = "", ...rest] = argv;
  const name = first.split("/").at(-1) ?? "";
  if (name === rule.program && occursInOrder(rule.args ?? [], rest)) return true;
  if (WRAPPERS.has(name) || isShell(name)) {
    return rest.some((_, at) => isMeant(rule, rest.slice(at))) || mentions(rest, rule.program);
  }
  // `find -exec git push`: the words after are a command of their own.
  const exec = rest.findIndex((text) => /^-(exec|execdir|ok|okdir)$/.test(text));
  return exec !== -1 && isMeant(rule, rest.slice(exec + 1));
}

const isShell = (name: string): boolean =>
  /^(ba|da|z|k|c|tc|fi)?sh$|^eval$|^source$|^\.$/.test(name);

function occursInOrder(wanted: readonly string[], words: readonly string[]): boolean {
  let at = 0;
  for (const text of words) if (at < wanted.length && text === wanted[at]) at += 1;
  return at === wanted.length;
}

/** Whether a text that nobody can take apart names a program at all. */
function mentions(command: string | readonly string[], program: string): boolean {
  const text = typeof command === "string" ? command : command.join(" ");
  return text.split(/[^A-Za-z0-9_.+-]+/).includes(program);
}

/** Whether a command asks for a host that a rule asks about or denies, however widely. */
function wantsHost(access: Access & { kind: "run" }, pattern: string): boolean {
  const wanted = wantedHosts(access.escalate?.hosts ?? []);
  if (access.escalate?.kind !== "network" || !wanted.ok) return false;
  if ("network" in wanted.value) return true;
  const meant = pattern.toLowerCase();
  return wanted.value.hosts.some((host) => {
    const name = host.replace(/:\d+$/, "");
    return isHost(meant, host) || isHost(meant, name) || isHost(name, meant);
  });
}

/** `docs.rs` is that host; `*.example.org` is every host below it, and not itself. */
function isHost(pattern: string, host: string | null): boolean {
  if (host === null) return false;
  const wanted = pattern.toLowerCase();
  return wanted.startsWith("*.") ? host.endsWith(wanted.slice(1)) : host === wanted;
}

/** `*` stands for anything within a name, `**` for any number of whole names. */
function isPath(pattern: string, path: string, { anyCase }: { anyCase: boolean }): boolean {
  const source = pattern
    .split("/")
    .map((name) =>
      name === "**" ? "**" : name.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*"),
    )
    .join("/")
    .replaceAll("**/", "(?:[^/]+/)*")
    .replaceAll("/**", "(?:/[^/]+)*")
    .replaceAll("**", ".*");
  return new RegExp(`^${source}$`, anyCase ? "siu" : "su").test(path);
}
