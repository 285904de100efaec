// `aiex`: a conversation in a terminal. Without a model in reach it says what it looked for, and
// without a terminal it shows the demo.
import { textSetting } from "#config";
import type { Failure } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import { asksOf } from "#core/session/state.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { runDemo } from "#interfaces/cli/commands/demo.ts";
import type { ExitCode } from "#interfaces/cli/exit.ts";
import { isModelCheck, isModelInReach, noModelText } from "#interfaces/cli/no-model.ts";
import { beginTalk, modeOf, openingOf, talkOptions } from "#interfaces/cli/talk.ts";
import { confirm, quoted } from "#interfaces/cli/trusting.ts";

export const chat = defineCommand({
  name: "chat",
  level: "everyday",
  about: "Talk about this folder (the same as `aiex` alone).",
  more: `Type while it works to steer it. Ctrl-C cancels the turn, Ctrl-D quits.
/help shows what else can be typed.`,
  options: talkOptions,
  examples: ["aiex", "aiex --continue", "aiex --plan"],
  async run({ options }, cli) {
    const { terminal } = cli;
    if (!terminal.interactive || !terminal.live) {
      if (Object.values(options).some(Boolean)) return cli.fail(noTerminal);
      terminal.err('No terminal to talk in: this is the demo. `aiex ask "…"` asks once.\n\n');
      return await runDemo({ keep: false }, cli);
    }
    const asked = modeOf(options);
    if (!asked.ok) return cli.fail(asked.error);
    // As the talk opens it: else it would be opened twice.
    const opened = await cli.open({ ...openingOf(options, asked.value), screen: true });
    if (!opened.ok) return cli.fail(opened.error);
    const health = await opened.value.app.read({ type: "Health" });
    if (!health.ok) return cli.fail(health.error);
    const isNamed = Boolean(options.model) || options.session !== undefined || options.continue;
    if (!isNamed && !isModelInReach(opened.value.config, health.value.checks)) {
      return await offerDemo(noModelText(health.value.checks, terminal.paint.err), cli);
    }
    const talk = await beginTalk(options, cli, { ask: true, screen: true });
    if (!talk.ok) return cli.fail(talk.error);
    const { folder, config, state, session, mode, model } = talk.value;
    const inReach = health.value.checks.find((check) => isModelCheck(check) && check.ok)?.say;
    const named = model ?? state?.model ?? (textSetting(config, "model") || inReach);
    const modes = mode ?? state?.mode ?? String(config.settings.get("mode")?.value ?? "ask");
    const about = [`aiex ${cli.version}`, named, folder, `mode ${modes}`].filter(Boolean);
    const { dim } = terminal.paint.err;
    terminal.err(`${dim(reveal(about.join(" · ")))}\n`);
    if (session) terminal.err(`${dim(reveal(`session ${session} ${state?.title ?? ""}`))}\n`);
    terminal.err(`${dim("Ctrl-C cancels, Ctrl-D leaves, /help shows more.")}\n\n`);
    const asks = state ? asksOf(state) : [];
    // The screen's library takes longer to load than all else: only a chat pays for it.
    const { Chat } = await import("#interfaces/cli/chat/chat.ts");
    return await new Chat(talk.value, cli).run(asks);
  },
});

const noTerminal: Failure = {
  code: "bad_input",
  say: "there is no terminal to talk in",
  fix: '`aiex ask "…"` asks once and takes the same options',
};

async function offerDemo(text: string, cli: Cli): Promise<ExitCode> {
  const wanted = await confirm(cli, `${text}\n`, "Run the demo now?", { yesByDefault: true });
  if (wanted) return await runDemo({ keep: false }, cli);
  cli.terminal.err(`Nothing was done in ${quoted(cli.folder)}.\n`);
  return 5;
}
