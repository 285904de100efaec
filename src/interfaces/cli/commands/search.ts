// `aiex search "where is the retry delay"`: the places in the code that answer, or with --files the
// files that a text of any length is about. Works offline and without a model.
import type { Answers, App } from "#app";
import { fail, ok, type Result } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import type { ExitCode } from "#interfaces/cli/exit.ts";
import { upToDate } from "#interfaces/cli/indexing.ts";
import { lineOf } from "#interfaces/cli/json.ts";

/** Hits where nobody says how many. */
const LIMIT = 10;
const LIMIT_MAX = 200;
/** Bytes of a text that is read from standard input. */
const INPUT_BYTES_MAX = 1_000_000;
/** Lines of a hit that are shown. */
const LINES_MAX = 8;

export const search = defineCommand({
  name: "search",
  level: "everyday",
  about: "Search the code by what it does, by names, or by a whole issue.",
  more: `The index is made on first need and brought up to date before each search; it holds what
    .gitignore and .aiexignore do not hide, and no secret files. With --files a text of any length
    ranks the files it is about: the first line is its title, and the repository's history is used as
    far as the checked-out commit stands on it.`,
  args: [
    { name: "text", about: "A name, a question, an issue; - reads standard input.", many: true },
  ],
  options: {
    files: { about: "Rank files instead of places in them." },
    limit: { about: `Hits, at most ${LIMIT_MAX}.`, value: "n", number: true, short: "n" },
    cwd: { about: "The folder to search instead of this one.", value: "folder" },
    json: { about: "One JSON object a line." },
  },
  examples: [
    'aiex search "where is the retry delay computed"',
    "aiex search --files --limit 20 - < issue.md",
  ],
  async run({ args, options }, cli) {
    const text = await textOf(args, cli);
    if (!text.ok) return cli.fail(text.error);
    const limit = options.limit ?? LIMIT;
    if (limit < 1 || limit > LIMIT_MAX) {
      const wrong = fail("bad_input", `--limit is from 1 to ${LIMIT_MAX}`, { fix: "give another" });
      return cli.fail(wrong.error);
    }
    const opened = await cli.open(options.cwd === undefined ? {} : { folder: options.cwd });
    if (!opened.ok) return cli.fail(opened.error);
    const { app, location } = opened.value;
    const fresh = await upToDate(app, cli.terminal, { path: location.path });
    if (!fresh.ok) return cli.fail(fresh.error);
    const asked = { path: location.path, text: text.value, limit, json: options.json };
    return options.files ? await files(app, cli, asked) : await places(app, cli, asked);
  },
});

type Asked = { path: string; text: string; limit: number; json: boolean };

async function textOf(args: readonly string[], cli: Cli): Promise<Result<string>> {
  if (args.join(" ") !== "-") return ok(args.join(" "));
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of cli.terminal.input()) {
    bytes += piece.length;
    if (bytes > INPUT_BYTES_MAX) {
      return fail("too_large", `the text is over ${INPUT_BYTES_MAX} bytes`, { fix: "shorten it" });
    }
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString("utf8");
  if (text.trim() !== "") return ok(text);
  return fail("bad_input", "there is nothing to search for", { fix: "give a text" });
}

async function files(app: App, cli: Cli, { path, text, limit, json }: Asked): Promise<ExitCode> {
  const found = await app.read({ type: "Locate", path, text, limit });
  if (!found.ok) return cli.fail(found.error);
  const hits = found.value as Answers["Locate"];
  for (const { path: file, score, why } of hits) {
    const rounded = Number(score.toFixed(4));
    if (json) cli.terminal.out(lineOf("file", { path: file, score: rounded, why }));
    else {
      const { dim, bold } = cli.terminal.paint.out;
      cli.terminal.out(`${bold(reveal(file))}  ${dim(`${score.toFixed(2)} ${why.join(", ")}`)}\n`);
    }
  }
  return ended(hits.length, cli);
}

async function places(app: App, cli: Cli, { path, text, limit, json }: Asked): Promise<ExitCode> {
  const found = await app.read({ type: "Search", path, text, limit });
  if (!found.ok) return cli.fail(found.error);
  const hits = found.value as Answers["Search"];
  for (const hit of hits) {
    if (json) cli.terminal.out(lineOf("hit", { ...hit, score: Number(hit.score.toFixed(4)) }));
    else cli.terminal.out(`${shown(hit, cli)}\n`);
  }
  return ended(hits.length, cli);
}

function shown(hit: Answers["Search"][number], cli: Cli): string {
  const { dim, bold } = cli.terminal.paint.out;
  const inside = [...hit.inside, hit.symbols.slice(0, 3).join(", ")].filter(Boolean).join(" › ");
  const head = `${bold(`${reveal(hit.path)}:${hit.line}`)}  ${reveal(inside)}`;
  const why = dim(`  ${hit.score.toFixed(2)} ${hit.why.join(", ")}`);
  const lines = hit.text.split("\n");
  const some = lines.slice(0, LINES_MAX).map((line) => `    ${reveal(line)}`);
  const more =
    lines.length > LINES_MAX ? [dim(`    … ${lines.length - LINES_MAX} more lines`)] : [];
  return [head + why, ...some, ...more, ""].join("\n");
}

function ended(hits: number, cli: Cli): ExitCode {
  if (hits > 0) return 0;
  cli.terminal.err("nothing found; other words may do better\n");
  return 1;
}
