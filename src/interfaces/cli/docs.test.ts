// The two documents of the command line are written from its tables: a change of one without the
// other fails here. `npx vitest run docs.test -u` writes them again.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { eventBodies } from "#core/session/events.ts";
import type { Command, Level } from "#interfaces/cli/command.ts";
import { commands } from "#interfaces/cli/commands/index.ts";
import { COMMAND, PROMPT } from "#interfaces/cli/demo-project.ts";
import { exitCodes } from "#interfaces/cli/exit.ts";
import { helpOf, overview } from "#interfaces/cli/help.ts";
import { JSON_VERSION } from "#interfaces/cli/json.ts";
import { plain } from "#interfaces/cli/paint.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const all = await Promise.all(Object.values(commands).map((load) => load()));
const titles: Record<Level, string> = {
  everyday: "Every day",
  advanced: "Now and then",
  operator: "Looking after it",
};

const section = (command: Command): string =>
  `### \`aiex ${command.name}\`\n\n\`\`\`text\n${helpOf(command)}\`\`\`\n`;

const cli = `# The command line

Written from the command table by \`src/interfaces/cli/docs.test.ts\`; do not edit it by hand.

\`aiex\` alone is \`aiex chat\`. \`aiex cli <command>\` is the same as \`aiex <command>\`. Standard output
carries what was asked for, standard error what is said about it. Colour is used in a terminal only;
\`NO_COLOR\` or \`--color never\` turn it off. A mistyped command or option names the right one.

## Exit codes

| code | meaning |
| --- | --- |
${Object.entries(exitCodes)
  .map(([code, about]) => `| ${code} | ${about} |`)
  .join("\n")}

## What leaves the sandbox

In a trusted folder a command runs in the sandbox without asking: it writes only there, sees no
secrets, and has no network. What leaves the sandbox is asked about, with the exact command and what
it opens:

- \`network\` with hosts (\`docs.rs\`, \`*.npmjs.org\`, \`localhost:3000\`): HTTP and HTTPS to exactly
  these, through a proxy; ports 443 and 80, others as written.
- \`network\` with \`*\`: the whole network, every host and every protocol, and this machine's servers.
- \`path\`, \`protected\`: writing to that path.
- \`unsandboxed\`: everything; the command runs as you would run it.

The proxy looks names up itself and connects to the address that it looked up. A name that leads to
this machine, to a private network or to a cloud's metadata is refused, unless that address is among
the hosts too; \`localhost\` is allowed by its name. The proxy sees names and addresses, not what is
inside TLS: a host that serves others can be asked for them. It ends with the command.

Leave is bound to the command's words, folder and environment, and to what opens. Given for a session
or a folder it also holds when the same command asks for fewer of the hosts. Rules of kind \`fetch\`
that ask or deny hold for these hosts as well.

${(["everyday", "advanced", "operator"] as const)
  .map((level) => {
    const members = all.filter((command) => command.level === level);
    return `## ${titles[level]}\n\n${members.map(section).join("\n")}`;
  })
  .join("\n")}`;

type Shape = {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Shape[];
  oneOf?: Shape[];
  items?: Shape;
  properties?: Record<string, Shape>;
  required?: string[];
  additionalProperties?: Shape | boolean;
};

/** A JSON Schema in one line. */
function brief(shape: Shape): string {
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  if (shape.enum) return shape.enum.map((value) => JSON.stringify(value)).join(" or ");
  const either = shape.anyOf ?? shape.oneOf;
  if (either) return either.map(brief).join(" or ");
  if (shape.type === "array") return `[${brief(shape.items ?? {})}, …]`;
  if (shape.properties) return `{ ${fields(shape).join(", ")} }`;
  if (typeof shape.additionalProperties === "object") {
    return `{ name: ${brief(shape.additionalProperties)} }`;
  }
  return shape.type ?? "any";
}

const fields = ({ properties = {}, required = [] }: Shape): string[] =>
  Object.entries(properties).map(
    ([name, inner]) => `${name}${required.includes(name) ? "" : "?"}: ${brief(inner)}`,
  );

const events = Object.entries(eventBodies).map(([type, schema]) => {
  const lines = fields(z.toJSONSchema(schema) as Shape).map((line) => `- \`${line}\``);
  return `### \`${type}\`\n\n${lines.join("\n")}\n`;
});

const json = `# \`--json\`

Written from the schemas by \`src/interfaces/cli/docs.test.ts\`; do not edit it by hand.

One JSON object a line on standard output. Every line has \`v\`, the version of this form (now
${JSON_VERSION}), and \`type\`. The version is raised when a field changes its meaning or goes away;
fields and types may be added at any time, so ignore what you do not know.

## \`aiex ask --json\`

Each durable event of the turn, as the log keeps it, in order:

\`\`\`json
{"v":1,"type":"ToolFinished","session":"…","version":12,"at":1795340111375,"actor":"runner","body":{…}}
\`\`\`

- \`session\`, \`version\`: which session, and the event's number in it
- \`at\`: milliseconds since 1970
- \`actor\`: who caused it
- \`body\`: the event itself (below); \`"erased"\`, \`"unknown"\` or \`"far"\` where it cannot be given

The last line is always the result:

- \`type: "result"\`
- \`session\`: string, or null where none was begun
- \`end\`: "done", "unproven", "cancelled", "failed", "refused", "filtered", "limit" or
  "permission_needed"
- \`exit\`: the exit code of the process
- \`text?\`: the last answer
- \`usage?\`: tokens of the turn as far as it was watched: { input, cached, written?, output,
  reasoning, exact }, and where it is known \`cost\`
- \`steps?\`: model calls of the turn
- \`failure?\`: { code, say, fix? }
- \`evidence?\`: how the session stood at the turn's end, as in \`TurnEnded\`; left out where nothing
  was changed, or where it was proven before and nothing is new
- \`asks?\`: the permissions that wait for an answer, each as in \`PermissionAsked\`;
  \`aiex ask --session <session> --allow <hash>\` allows exactly one of them

\`aiex session show --json\` gives the same event lines, then one of \`type: "standing"\`: session,
evidence (how it stands now).

## Other commands

| command | lines |
| --- | --- |
| \`session list\` | \`session\`: session, path, title, model, state, turns, version, startedAt, updatedAt … |
| \`session search\` | \`hit\`: session, at, version (null where only the name fits), text |
| \`map\` | \`map\`: text, symbols, files, tokens |
| \`symbol\` | \`symbol\`: path, name, kind, inside, line, endLine, signature, score; \`--refs\`: \`reference\`: path, line, text, kind, inside; \`--impact\`: \`impact\`: definitions, users (path, line, inside, times, calls, certain), importers (path, depth), tests |
| \`verify\` | \`verify\`: command, folder, from, definition, key, confirmed |
| \`session compactions\` | \`compaction\`: session, n, version, at, why, by, messages, tokens (before, after), leftOut, pinned, kept (event, line), leftOutMore, todo, files, reverted; \`--revert\`: \`reverted\`: session, n, version |
| \`doctor\` | \`check\`: name, ok, say, fix?; then \`result\`: ok, version, node, home |
| \`models\` | \`model\`: name, by, facts, sources, ways (account, breaker, why?, waitMs, open, left), why?; \`route\`: name, models, strategy |
| \`models probe\` | \`probe\`: model, ms, calls, said, usage, failure?, facts, sources |
| \`auth list\` | \`key\`: provider, keys (how many), at |
| \`usage\` | \`usage\`: by, key, calls, broken, inexact, input, cached, written, output, reasoning, nanoDollars, estimatedNanoDollars (priced only now), unpriced (tokens); with \`--by tool\`: by, key, results, tokens, sent; then \`usageTotal\`: by and the same sums |
| \`usage reconcile\` | \`reconciled\`: day, model, theirs, ours, difference (ours less theirs), each { requests?, input?, output?, nanoDollars? }, agrees, explanations |
| \`audit\` | \`record\`: record (the envelope with its hashes, and its body or null) |
| \`audit verify\` | \`result\`: ok, records, streams, erased, seals, unsealed (records after the last seal), head, keys, anchors, bad (position, stream, version, fault, or null) |
| \`audit report\` | \`entry\`: kind, at, stream, actor, what, outcome?; then \`result\`: since, until, counts (by kind), erased |
| \`config list\` | \`setting\`: key, value, from, where; a secret only as being set |

## Events

${events.join("\n")}`;

describe("the documents of the command line", () => {
  it("say what the command table says", async () => {
    await expect(cli).toMatchFileSnapshot("../../../docs/cli.md");
  });

  it("say what the events hold", async () => {
    await expect(json).toMatchFileSnapshot("../../../docs/json.md");
  });
});

describe("the recording of a chat", () => {
  it("shows the demo's turn as it is, small, and nothing of the machine it was made on", () => {
    const picture = readFileSync(join(root, "docs", "chat.svg"), "utf8");
    const shown = picture.replaceAll(/<[^>]+>/g, "");
    expect(picture.length).toBeLessThan(60_000);
    expect(shown).toContain(PROMPT);
    expect(shown).toContain(`run ${COMMAND}  exit 1`);
    expect(shown).toContain(`run ${COMMAND}  exit 0`);
    expect(picture).not.toMatch(/\/(home|root|work|Users|tmp)\//);
  });
});

describe("the help", () => {
  it("fits a terminal of 80 columns", () => {
    const texts = [overview(all, { whole: true }, plain), ...all.map((command) => helpOf(command))];
    for (const text of texts) {
      for (const line of text.split("\n")) expect([...line].length, line).toBeLessThanOrEqual(80);
    }
  });

  it("shows everyday commands at first and every command on request", () => {
    const short = overview(all, { whole: false }, plain);
    const whole = overview(all, { whole: true }, plain);
    for (const { name, level } of all) {
      const row = new RegExp(`^ {2}${name} `, "m");
      expect(row.test(short), name).toBe(level === "everyday");
      expect(whole).toMatch(row);
    }
  });
});
