// `aiex symbol parseHeader`: where a name is defined, with --refs where it stands, with --impact what
// breaks if it becomes another.
import type { Answers, App } from "#app";
import { fail } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import type { ExitCode } from "#interfaces/cli/exit.ts";
import { count } from "#interfaces/cli/figures.ts";
import { upToDate } from "#interfaces/cli/indexing.ts";
import { lineOf } from "#interfaces/cli/json.ts";

/** Hits where nobody says how many. */
const LIMIT = 20;
const LIMIT_MAX = 200;

export const symbol = defineCommand({
  name: "symbol",
  level: "everyday",
  about: "Find where a name is defined and used, and what depends on it.",
  more: `Class.method and parts of a name are understood, too; what is exactly so named comes first.
    --impact takes a path as well. What uses a name is told by its text and by imports, not by types.`,
  args: [{ name: "name", about: "A name, or with --impact a path." }],
  options: {
    refs: { about: "Every line that has it, and as what." },
    impact: { about: "What breaks if it becomes another: users, importers, tests." },
    limit: { about: `Hits, at most ${LIMIT_MAX}.`, value: "n", number: true, short: "n" },
    cwd: { about: "The folder instead of this one.", value: "folder" },
    json: { about: "One JSON object a line." },
  },
  examples: ["aiex symbol Reader.read", "aiex symbol --impact src/parse.ts"],
  async run({ args: [name = ""], options }, cli) {
    const limit = options.limit ?? LIMIT;
    if (limit < 1 || limit > LIMIT_MAX) {
      const wrong = fail("bad_input", `--limit is from 1 to ${LIMIT_MAX}`, { fix: "give another" });
      return cli.fail(wrong.error);
    }
    const opened = await cli.open(options.cwd === undefined ? {} : { folder: options.cwd });
    if (!opened.ok) return cli.fail(opened.error);
    const { app, location } = opened.value;
    const { path } = location;
    const fresh = await upToDate(app, cli.terminal, { path });
    if (!fresh.ok) return cli.fail(fresh.error);
    const asked = { path, name, limit, json: options.json };
    if (options.impact) return await impact(app, cli, asked);
    return options.refs ? await references(app, cli, asked) : await definitions(app, cli, asked);
  },
});

type Asked = { path: string; name: string; limit: number; json: boolean };

async function definitions(
  app: App,
  cli: Cli,
  { path, name, limit, json }: Asked,
): Promise<ExitCode> {
  const found = await app.read({ type: "Symbols", path, name, limit });
  if (!found.ok) return cli.fail(found.error);
  const hits = found.value as Answers["Symbols"];
  for (const hit of hits) {
    if (json) cli.terminal.out(lineOf("symbol", { ...hit, score: Number(hit.score.toFixed(4)) }));
    else cli.terminal.out(`${symbolShown(hit, cli)}\n`);
  }
  return ended(hits.length, cli);
}

function symbolShown(hit: Answers["Symbols"][number], cli: Cli): string {
  const { dim, bold } = cli.terminal.paint.out;
  const inside = hit.inside.length > 0 ? dim(` in ${reveal(hit.inside.join(" › "))}`) : "";
  const lines = hit.endLine > hit.line ? `${hit.line}-${hit.endLine}` : `${hit.line}`;
  const where = bold(`${reveal(hit.path)}:${lines}`);
  return `${where}  ${hit.kind}${inside}\n    ${reveal(hit.signature || hit.name)}`;
}

async function references(
  app: App,
  cli: Cli,
  { path, name, limit, json }: Asked,
): Promise<ExitCode> {
  const found = await app.read({ type: "References", path, name, limit });
  if (!found.ok) return cli.fail(found.error);
  const { places, total } = found.value as Answers["References"];
  const { dim, bold } = cli.terminal.paint.out;
  for (const place of places) {
    if (json) {
      cli.terminal.out(lineOf("reference", { ...place }));
      continue;
    }
    const inside = place.inside.length > 0 ? ` in ${place.inside.join(" › ")}` : "";
    const head = bold(`${reveal(place.path)}:${place.line}`);
    cli.terminal.out(`${head}  ${dim(place.kind + reveal(inside))}\n    ${reveal(place.text)}\n`);
  }
  if (total > places.length) {
    cli.terminal.err(`${count(total - places.length, "line")} more; --limit shows more\n`);
  }
  return ended(places.length, cli);
}

async function impact(app: App, cli: Cli, { path, name, limit, json }: Asked): Promise<ExitCode> {
  const found = await app.read({ type: "Impact", path, name, limit });
  if (!found.ok) return cli.fail(found.error);
  const known = found.value as Answers["Impact"];
  const { definitions: defined, users, importers, tests } = known;
  if (json) cli.terminal.out(lineOf("impact", { ...known }));
  else {
    const used = users.map(({ path: file, line, inside, calls, certain }) => {
      const where = inside.length > 0 ? ` in ${inside.join(" › ")}` : "";
      const how = `${calls ? "calls it" : "mentions it"}${certain ? "" : ", perhaps another one"}`;
      return `${file}:${line}${where} (${how})`;
    });
    const parts: [string, readonly string[]][] = [
      ["defined", defined.map((one) => `${one.path}:${one.line} ${one.signature || one.name}`)],
      ["used by", used],
      [
        "imported by",
        importers.map((one) => (one.depth === 1 ? one.path : `${one.path} (indirectly)`)),
      ],
      ["tested by", tests],
    ];
    const { bold } = cli.terminal.paint.out;
    for (const [head, lines] of parts) {
      if (lines.length === 0) continue;
      cli.terminal.out([bold(head), ...lines.map((line) => `    ${reveal(line)}`), ""].join("\n"));
    }
  }
  return ended(defined.length + users.length + importers.length + tests.length, cli);
}

function ended(hits: number, cli: Cli): ExitCode {
  if (hits > 0) return 0;
  cli.terminal.err("nothing found; a part of the name may do better\n");
  return 1;
}
