// `aiex session search`: the sessions in whose prompts or names a text occurs.
import { reveal } from "#core/security/screen.ts";
import type { Row } from "#core/views/view.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { ID_CHARS } from "#interfaces/cli/commands/session-list.ts";
import { ago, column, cut } from "#interfaces/cli/figures.ts";
import { lineOf } from "#interfaces/cli/json.ts";

const LIMIT = 50;
/** Characters before the hit that are shown. */
const BEFORE_CHARS = 30;
const AFTER_CHARS = 120;

export const search = defineCommand({
  name: "session search",
  level: "advanced",
  about: "Find sessions by a text in their prompts or names.",
  args: [{ name: "text", about: "What to look for; case does not matter.", many: true }],
  options: { json: { about: "One JSON object a line." } },
  examples: ["aiex session search login test"],
  async run({ args, options }, cli) {
    const text = args.join(" ");
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app } = opened.value;
    const [titles, prompts] = await Promise.all([
      app.read({
        type: "View",
        view: "sessions",
        contains: { column: "title", text },
        limit: LIMIT,
      }),
      app.read({ type: "View", view: "prompts", contains: { column: "text", text }, limit: LIMIT }),
    ]);
    if (!titles.ok) return cli.fail(titles.error);
    if (!prompts.ok) return cli.fail(prompts.error);
    const hits = hitsOf(titles.value, prompts.value);
    const { terminal } = cli;
    if (hits.length === 0) {
      terminal.err(`nothing found for "${reveal(text)}"\n`);
      return 1;
    }
    for (const hit of hits) {
      if (options.json) terminal.out(lineOf("hit", hit));
      else {
        const when = column(ago(hit.at, cli.now()), 12);
        const left = terminal.paint.out.dim(`${hit.session.slice(0, ID_CHARS)}  ${when}`);
        const snippet = around(hit.text, text);
        const room = Math.max(20, terminal.columns - ID_CHARS - 15);
        terminal.out(`${left} ${terminal.live ? cut(snippet, room) : snippet}\n`);
      }
    }
    return 0;
  },
});

type Hit = { session: string; at: number; version: number | null; text: string };

/** Prompts first told, then the sessions that only their name names; newest first. */
function hitsOf(titles: readonly Row[], prompts: readonly Row[]): Hit[] {
  const said = prompts.map((row) => ({
    session: String(row.session),
    at: Number(row.at),
    version: Number(row.version),
    text: String(row.text),
  }));
  const found = new Set(said.map(({ session }) => session));
  const named = titles
    .filter((row) => !found.has(String(row.session)))
    .map((row) => ({
      session: String(row.session),
      at: Number(row.updatedAt),
      version: null,
      text: String(row.title),
    }));
  return [...said, ...named].sort((a, b) => b.at - a.at);
}

/** The text around the first hit, on one line. */
function around(text: string, wanted: string): string {
  const line = reveal(text.replaceAll(/\s+/g, " ").trim());
  const at = Math.max(0, line.toLowerCase().indexOf(wanted.toLowerCase()));
  const from = Math.max(0, at - BEFORE_CHARS);
  const to = at + wanted.length + AFTER_CHARS;
  return `${from > 0 ? "…" : ""}${line.slice(from, to)}${to < line.length ? "…" : ""}`;
}
