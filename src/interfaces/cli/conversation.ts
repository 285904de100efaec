// The prompt loop: a prompt, its turn, again. What is typed while a turn runs steers it; a question
// for the user's leave takes the next line.
import { fail, type Result } from "#core/failure.ts";
import { modes } from "#core/session/tool-facts.ts";
import { transcriptFrom } from "#core/session/transcript.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import type { ExitCode } from "#interfaces/cli/exit.ts";
import type { Keyboard } from "#interfaces/cli/keyboard.ts";
import { type Ask, askFor } from "#interfaces/cli/permission.ts";
import { speakingIn, type Talk } from "#interfaces/cli/talk.ts";
import { type Outcome, type Watching, watchTurn } from "#interfaces/cli/turn.ts";
import { textView } from "#interfaces/cli/view.ts";

const HELP = `  /help          this
  /model <name>  another model from now on
  /mode <mode>   ask, plan, read-only, yes
  /new           a new session
  /quit          leave (or Ctrl-D); the session stays
  anything else is a prompt; while a turn runs it steers it
`;

export class Conversation {
  #talk: Talk;
  readonly #cli: Cli;
  readonly #keyboard: Keyboard;
  /** Lines that came too late to steer: prompts of the next turns. */
  #late: string[] = [];

  constructor(talk: Talk, cli: Cli) {
    this.#talk = talk;
    this.#cli = cli;
    this.#keyboard = cli.terminal.keyboard(cli.interrupts.fire);
  }

  /** Runs until the user leaves. `asks` are questions that were left open. */
  async run(asks: readonly Ask[]): Promise<ExitCode> {
    const { terminal, interrupts } = this.#cli;
    try {
      if (this.#talk.state?.turn) await this.#resume(asks);
      while (true) {
        const idle = interrupts.during(() => {
          terminal.err("  (Ctrl-D or /quit leaves)\n");
          this.#keyboard.again();
        });
        const typed = this.#late.shift() ?? (await this.#keyboard.ask("> "));
        idle();
        if (typed === null) return 0;
        const text = typed.trim();
        if (text === "/quit" || text === "/exit") return 0;
        if (text.startsWith("/")) await this.#order(text);
        else if (text !== "") await this.#speak(text);
      }
    } finally {
      this.#keyboard.close();
    }
  }

  /** A line that begins with a slash. */
  async #order(text: string): Promise<void> {
    const { terminal } = this.#cli;
    const [word, ...rest] = text.split(/\s+/);
    const [value = ""] = rest;
    switch (word) {
      case "/help":
        return terminal.err(HELP);
      case "/new":
        this.#talk = { ...this.#talk, session: null, state: null };
        return terminal.err("  the next prompt begins a new session\n");
      case "/model":
        if (value === "") return terminal.err("  usage: /model provider/name\n");
        return await this.#change({ model: value }, `model ${value}`);
      case "/mode": {
        const mode = modes.find((known) => known === value);
        if (!mode) return terminal.err(`  usage: /mode ${modes.join("|")}\n`);
        return await this.#change({ mode }, `mode ${mode}`);
      }
      default:
        return terminal.err(`  there is no ${word}; /help shows what there is\n`);
    }
  }

  /** Switches at once where a session has begun, else with the next one. */
  async #change(change: Pick<Talk, "model" | "mode">, said: string): Promise<void> {
    this.#talk = { ...this.#talk, ...change };
    if (this.#talk.session !== null && !this.#report(await speakingIn(this.#talk))) return;
    this.#cli.terminal.err(`  ${said}\n`);
  }

  async #speak(text: string): Promise<void> {
    const speaking = await speakingIn(this.#talk);
    if (!this.#report(speaking)) return;
    const session = speaking.value;
    this.#talk = { ...this.#talk, session };
    const { app } = this.#talk;
    const sent = await app.send({ type: "SubmitPrompt", session, text });
    if (!this.#report(sent)) return;
    const at = sent.value.version;
    await this.#watch({ session, after: at - 1, turn: { at } });
  }

  async #resume(asks: readonly Ask[]): Promise<void> {
    const { app, state, session } = this.#talk;
    if (!state?.turn || session === null) return;
    const sent = await app.send({ type: "Resume", session });
    if (!this.#report(sent)) return;
    this.#cli.terminal.err("  (going on with the open turn)\n");
    await this.#watch({ session, after: state.version, turn: { id: state.turn.id }, asks });
  }

  async #watch(watching: Pick<Watching, "session" | "after" | "turn" | "asks">): Promise<void> {
    const { terminal, interrupts } = this.#cli;
    const { app, state } = this.#talk;
    const { session } = watching;
    const calledOff = interrupts.during(() => {
      terminal.err("  (cancelling)\n");
      void app.send({ type: "Cancel", session, why: "the user pressed Ctrl-C" });
    });
    this.#keyboard.onLine((text) => void this.#steer(session, text));
    try {
      const view = textView(terminal, { from: transcriptFrom(state) });
      const answer = (ask: Ask, signal: AbortSignal) =>
        askFor(ask, this.#keyboard, terminal.err, { paint: terminal.paint.err, signal });
      const outcome = await watchTurn({ ...watching, app, view, answer });
      if (this.#report(outcome)) await this.#refresh(session, outcome.value);
    } finally {
      calledOff();
      this.#keyboard.onLine(() => {});
      terminal.err("\n");
    }
  }

  /** Keeps the state that the next prompt is compared with. */
  async #refresh(session: string, outcome: Outcome): Promise<void> {
    const read = await this.#talk.app.read({ type: "Session", session });
    if (read.ok) this.#talk = { ...this.#talk, state: read.value.state };
    if (outcome.end === "permission_needed") {
      const open = fail("permission_needed", "the question stays open", {
        fix: `answer it later: aiex --session ${session}`,
      });
      this.#report(open);
    }
  }

  async #steer(session: string, text: string): Promise<void> {
    const sent = await this.#talk.app.send({ type: "Steer", session, text });
    if (sent.ok) this.#cli.terminal.err("  (said)\n");
    else if (sent.error.code === "conflict") this.#late.push(text);
    else this.#report(sent);
  }

  #report<T>(result: Result<T>): result is { ok: true; value: T } {
    if (!result.ok) this.#cli.fail(result.error);
    return result.ok;
  }
}
