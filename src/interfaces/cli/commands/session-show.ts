// `aiex session show`: the story of a session, or a window of a long one.
import type { Answers } from "#app";
import { standingOf } from "#core/evidence/standing.ts";
import { reveal } from "#core/security/screen.ts";
import { emptyTranscript, follow } from "#core/session/transcript.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { count, moment, moneyText, tokens } from "#interfaces/cli/figures.ts";
import { entryLine, lineOf } from "#interfaces/cli/json.ts";
import type { Paint } from "#interfaces/cli/paint.ts";
import { linesOf, standingLines } from "#interfaces/cli/render.ts";
import { drawn } from "#interfaces/cli/view.ts";

/** Events shown unless more are asked for. */
const LAST = 400;
/** Events of one window, at most: what the door gives at once. */
const LAST_MAX = 1_000;

export const show = defineCommand({
  name: "session show",
  level: "everyday",
  about: "Tell a session: prompts, answers, what was run and changed, how it ended.",
  more: `The newest events come last. A long session is shown in windows: what comes before one is
named at its top.`,
  args: [{ name: "id", about: "The session; a beginning of its id is enough." }],
  options: {
    last: { about: `How many events (${LAST}).`, short: "n", value: "n", number: true },
    before: { about: "Only events before this version.", value: "version", number: true },
    full: { about: "With the results of the tools.", short: "f" },
    json: {
      about: "One JSON object a line: the events as the log keeps them, then how it stands.",
    },
  },
  examples: ["aiex session show 3k2j9x", "aiex session show 3k2j9x --full --last 50"],
  async run({ args, options }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app } = opened.value;
    const found = await app.read({ type: "Session", session: args[0] ?? "" });
    if (!found.ok) return cli.fail(found.error);
    const { session } = found.value;
    const limit = Math.max(1, Math.min(options.last ?? LAST, LAST_MAX));
    const { before } = options;
    const entries = await app.read({ type: "Transcript", session, before, limit });
    if (!entries.ok) return cli.fail(entries.error);
    const { terminal } = cli;
    if (options.json) {
      for (const entry of entries.value) terminal.out(entryLine(entry));
      const { evidence } = found.value.state;
      terminal.out(lineOf("standing", { session, evidence: standingOf(evidence) }));
      return 0;
    }
    const paint = terminal.paint.out;
    const rows = await app.read({ type: "View", view: "sessions", where: { session }, limit: 1 });
    const title = rows.ok ? String(rows.value[0]?.title ?? "") : "";
    terminal.out(`${headText(title, found.value, paint)}\n`);
    const screenOf = { ...terminal, paint: { ...terminal.paint, err: paint } };
    for (const line of standingLines(standingOf(found.value.state.evidence))) {
      terminal.out(`${drawn(screenOf, line)}\n\n`);
    }
    const [oldest] = entries.value;
    if (oldest && oldest.record.version > 1) {
      const { version } = oldest.record;
      const earlier = `aiex session show ${session} --before ${version}`;
      terminal.out(paint.dim(`  (${version - 1} earlier events: ${earlier})\n`));
    }
    const kept = entries.value.filter(({ decoded }) => decoded.kind !== "erased");
    const erased = entries.value.length - kept.length;
    if (erased > 0) terminal.out(paint.dim(`  (${count(erased, "erased event")})\n`));
    const { items } = kept.reduce(
      (t, { record, decoded }) => follow(t, record, decoded),
      emptyTranscript,
    );
    for (const item of items) {
      const begins = item.type === "prompt";
      if (begins) terminal.out("\n");
      for (const line of linesOf(item, options.full ? "full" : "glance")) {
        terminal.out(`${drawn(screenOf, line)}\n`);
      }
      if (begins) terminal.out(paint.dim(`  ${moment(item.at)} · event ${item.from}\n`));
    }
    return 0;
  },
});

function headText(name: string, { session, state }: Answers["Session"], paint: Paint): string {
  const title = reveal(name || state.title || "(no name)");
  const begun = state.start ? [state.model, state.start.location.path, `mode ${state.mode}`] : [];
  const used = [tokens(state.usage), moneyText(state.usage)].filter((word) => word !== "");
  const facts = [session, ...begun, `${state.version} events`, ...used];
  return `${paint.bold(title)}\n${paint.dim(facts.join(" · "))}\n`;
}
