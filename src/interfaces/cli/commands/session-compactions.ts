// `aiex session compactions`: what each compaction of a session left out, and reverting one.
import type { Answers } from "#app";
import { fail, ok, type Result } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import { type Meant, sessionMeant } from "#interfaces/cli/bringing-back.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { count, moment, short } from "#interfaces/cli/figures.ts";
import { lineOf } from "#interfaces/cli/json.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";

type Compaction = Answers["Compactions"][number];

/** Lines of what was left out that are shown without --full. */
const LINES = 12;

export const compactions = defineCommand({
  name: "session compactions",
  level: "advanced",
  about: "Show what each compaction of a session left out, or revert one.",
  more: `Old messages are replaced by a digest when the model's window is nearly full, or by /compact.
The log has them whole: #n is the number of an event, as \`aiex session show\` names it. --revert brings
the messages back that a compaction and those after it replaced, if they fit the model's window.`,
  args: [{ name: "id", about: "The session; a beginning of its id is enough." }],
  options: {
    revert: { about: "Revert the compaction with this number.", value: "n", number: true },
    full: { about: "All lines of what was left out.", short: "f" },
    json: { about: "One JSON object a line: each compaction, or what reverted one." },
  },
  examples: ["aiex session compactions 3k2j9x", "aiex session compactions 3k2j9x --revert 2"],
  async run({ args: [id = ""], options }, cli) {
    const meant = await sessionMeant(cli, id, undefined);
    if (!meant.ok) return cli.fail(meant.error);
    const { terminal } = cli;
    const { revert, full, json } = options;
    const done =
      revert === undefined
        ? await shown(meant.value, terminal, { full, json })
        : await reverted(meant.value, terminal, { n: revert, json });
    return done.ok ? 0 : cli.fail(done.error);
  },
});

async function reverted(
  { app, session }: Meant,
  terminal: Terminal,
  { n, json }: { n: number; json: boolean },
): Promise<Result<void>> {
  if (!Number.isInteger(n) || n < 1) {
    return fail("bad_input", "--revert takes the number of a compaction", {
      fix: "`aiex session compactions` shows them, from 1 on",
    });
  }
  const sent = await app.send({ type: "RevertCompaction", session, n });
  if (!sent.ok) return sent;
  const { version } = sent.value;
  if (json) terminal.out(lineOf("reverted", { session, n, version }));
  else {
    terminal.out(
      `compaction ${n} is reverted by event ${version}: the model sees the older messages again\n`,
    );
  }
  return ok();
}

async function shown(
  { app, session }: Meant,
  terminal: Terminal,
  { full, json }: { full: boolean; json: boolean },
): Promise<Result<void>> {
  const all = await app.read({ type: "Compactions", session });
  if (!all.ok) return all;
  if (all.value.length === 0 && !json) terminal.out("No compaction: the model sees everything.\n");
  for (const compaction of all.value) {
    if (json) terminal.out(lineOf("compaction", { session, ...compaction }));
    else
      terminal.out(`${linesOf(compaction, full ? Number.POSITIVE_INFINITY : LINES).join("\n")}\n`);
  }
  return ok();
}

function linesOf(c: Compaction, most: number): string[] {
  const { n, version, at, why, by, messages, tokens } = c;
  const left = c.leftOut.slice(0, most);
  const more = c.leftOut.length - left.length + c.leftOutMore;
  const lists = [count(c.todo, "thing to do", "things to do"), count(c.files, "file")];
  return [
    `${n}  event ${version} · ${moment(at)} · ${reasons[why] ?? reveal(why)}`,
    `   ${messages.before} → ${count(messages.after, "message")} · about ${short(tokens.before)} → ${short(tokens.after)} tokens · ${by === null ? "no summary by a model" : `with a summary by ${reveal(by)}`}`,
    `   left out: ${count(c.leftOut.length + c.leftOutMore, "message")}`,
    ...left.map(row),
    ...(more > 0 ? [`     … and ${more} more (--full)`] : []),
    `   word for word: ${lists.join(", ")}, instructions (told again), and`,
    ...c.pinned.map(row),
    ...c.kept.map(row),
    ...(c.reverted === null ? [] : [`   reverted by event ${c.reverted}`]),
    "",
  ];
}

const row = ({ event, line }: Compaction["leftOut"][number]): string =>
  `     #${event} ${reveal(line)}`;

const reasons: Readonly<Record<string, string>> = {
  full: "the window was nearly full",
  overflow: "the request was too large",
  asked: "the user asked for it",
};
