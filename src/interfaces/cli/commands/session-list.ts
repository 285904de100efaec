// `aiex session list`: the sessions of this folder, newest first.
import { reveal } from "#core/security/screen.ts";
import type { Row } from "#core/views/view.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { ago, column, count, cut, width } from "#interfaces/cli/figures.ts";
import { lineOf } from "#interfaces/cli/json.ts";

/** Sessions shown unless more are asked for. */
const LIMIT = 20;
/** Characters of an id that are shown: 40 random bits, told apart by hand and by prefix. */
export const ID_CHARS = 8;

export const list = defineCommand({
  name: "session list",
  level: "everyday",
  about: "The sessions of this folder, newest first.",
  options: {
    all: { about: "The sessions of every folder.", short: "a" },
    children: { about: "With the sessions that other ones gave work to." },
    limit: { about: `How many (${LIMIT}).`, short: "n", value: "n", number: true },
    cwd: { about: "Of this folder.", short: "C", value: "folder" },
    json: { about: "One JSON object a line." },
  },
  examples: ["aiex session list", "aiex session list --all -n 100"],
  async run({ options }, cli) {
    const opened = await cli.open({ folder: options.cwd });
    if (!opened.ok) return cli.fail(opened.error);
    const { app, location } = opened.value;
    const limit = Math.max(1, Math.min(options.limit ?? LIMIT, 1_000));
    const where = {
      ...(options.all ? {} : { path: location.path }),
      ...(options.children ? {} : { child: 0 }),
    };
    const rows = await app.read({ type: "View", view: "sessions", where, limit: limit + 1 });
    if (!rows.ok) return cli.fail(rows.error);
    const shown = rows.value.slice(0, limit);
    const { terminal } = cli;
    if (options.json) {
      for (const row of shown) terminal.out(lineOf("session", row));
      return 0;
    }
    if (shown.length === 0) {
      const place = options.all ? "anywhere" : `in ${location.path}`;
      terminal.err(`no sessions ${place}; aiex ask "…" begins one\n`);
      return 0;
    }
    const { dim } = terminal.paint.out;
    for (const row of shown) {
      const { left, right } = sessionRow(row, { now: cli.now(), path: options.all });
      const room = Math.max(20, terminal.columns - width(left) - 1);
      terminal.out(`${dim(left)} ${terminal.live ? cut(right, room) : right}\n`);
    }
    if (rows.value.length > limit) terminal.err(dim(`more: -n ${limit * 5}\n`));
    return 0;
  },
});

const states: Readonly<Record<string, string>> = {
  idle: "",
  asks: "waits for you",
  // Nobody may be at it any more: the process that ran it could have been killed.
  running: "not finished",
};

/** A session on one line: what identifies it, and what it is about. */
export function sessionRow(row: Row, options: { now: number; path: boolean }) {
  const state = states[String(row.state)] ?? String(row.state);
  const when = ago(Number(row.updatedAt), options.now);
  const notes = [state, count(Number(row.turns), "turn"), options.path ? String(row.path) : ""];
  const title = reveal(String(row.title) || "(nothing was said yet)");
  const about = notes.filter((part) => part !== "").join(", ");
  return {
    left: `${String(row.session).slice(0, ID_CHARS)}  ${column(when, 12)}`,
    right: `${title}  (${about})`,
  };
}
