// A chat in a terminal: an editor below what was said. A prompt runs its turn; what is sent while it
// runs steers it; questions for the user's leave are answered in the same place.
import {
  CombinedAutocompleteProvider,
  type Component,
  Editor,
  getNativeClipboard,
  matchesKey,
  ProcessTerminal,
  truncateToWidth,
} from "@earendil-works/pi-tui";
import { fail, ok, type Result, sentenceOf } from "#core/failure.ts";
import { reveal, screen } from "#core/security/screen.ts";
import { contextLimit } from "#core/session/state.ts";
import { type Mode, modes } from "#core/session/tool-facts.ts";
import { emptyTranscript, type Transcript, transcriptFrom } from "#core/session/transcript.ts";
import { spoken } from "#interfaces/cli/attach.ts";
import { Activity } from "#interfaces/cli/chat/activity.ts";
import { filesIn } from "#interfaces/cli/chat/files.ts";
import { highlighter } from "#interfaces/cli/chat/highlight.ts";
import { LiveScreen } from "#interfaces/cli/chat/live-screen.ts";
import { orders } from "#interfaces/cli/chat/orders.ts";
import { PastedImages } from "#interfaces/cli/chat/pasted.ts";
import { Questions } from "#interfaces/cli/chat/questions.ts";
import { FRAME_MS } from "#interfaces/cli/chat/status.ts";
import { editorTheme } from "#interfaces/cli/chat/theme.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import type { ExitCode } from "#interfaces/cli/exit.ts";
import type { Ask } from "#interfaces/cli/permission.ts";
import { budgetGiven, speakingIn, strictIn, type Talk } from "#interfaces/cli/talk.ts";
import { answerLeft, childrenOf, type Watching, watchTurn } from "#interfaces/cli/turn.ts";

/** Prompts of before that the up key brings back. */
const HISTORY = 200;
/** Events in which a turn that began by itself is looked for. */
const FOLLOWING = 500;
/** A second Ctrl-C within this time leaves, in milliseconds. */
const TWICE_MS = 2_000;
/** Modes in the order in which Shift-Tab goes through them. */
const turning: readonly Mode[] = ["ask", "plan", "read-only"];

export class Chat {
  talk: Talk;
  readonly cli: Cli;
  readonly activity: Activity;
  readonly #screen: LiveScreen;
  readonly #editor: Editor;
  readonly #questions: Questions;
  readonly #pasted = new PastedImages(getNativeClipboard);
  /** What runs now; null between turns. */
  #running: Promise<void> | null = null;
  /** Texts that came too late to steer: prompts of the next turns. */
  #late: string[] = [];
  #leave: (code: ExitCode) => void = () => {};
  #interruptedAt = 0;

  constructor(talk: Talk, cli: Cli) {
    this.talk = talk;
    this.cli = cli;
    const { terminal } = cli;
    this.#screen = new LiveScreen(new ProcessTerminal());
    const { highlight, load } = highlighter(terminal.paint.out);
    this.activity = new Activity({ screen: this.#screen, terminal, highlight, now: cli.now });
    this.#editor = new Editor(this.#screen, editorTheme(terminal.paint.err));
    this.#questions = new Questions(this.activity, this.#editor, cli.now);
    const names = Object.entries(orders).map(([name, { about, takes }]) => ({
      name,
      description: about,
      ...(takes ? { argumentHint: takes } : {}),
    }));
    this.#editor.setAutocompleteProvider(new CombinedAutocompleteProvider(names, talk.folder));
    this.#editor.onSubmit = (text) => this.#submitted(text);
    for (const part of [this.activity, this.#questions, this.#editor, this.#footer()]) {
      this.#screen.addChild(part);
    }
    // After the first drawing: nobody waits for colours.
    setImmediate(() => void load().then(() => this.#screen.requestRender()));
  }

  /** Runs until the user leaves. `asks` are questions that were left open. */
  async run(asks: readonly Ask[]): Promise<ExitCode> {
    const left = new Promise<ExitCode>((leave) => {
      this.#leave = leave;
    });
    this.#screen.addInputListener((data) => (this.#key(data) ? { consume: true } : undefined));
    this.#screen.setFocus(this.#editor);
    this.#screen.start();
    // However the process ends, the terminal is given back as it was.
    const restore = () => this.#screen.stop();
    process.once("exit", restore);
    const frames = setInterval(() => this.#running && this.#screen.requestRender(), FRAME_MS);
    const outside = this.cli.interrupts.during(() => this.#interrupt());
    try {
      await this.#remember();
      if (this.talk.state?.turn) this.#start(() => this.#resume(asks));
      return await left;
    } finally {
      clearInterval(frames);
      outside();
      this.#questions.close();
      process.removeListener("exit", restore);
      this.#screen.stop();
    }
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  quit(): void {
    this.#leave(0);
  }

  note(text: string): void {
    this.activity.say([{ kind: "note", text: reveal(text) }]);
  }

  /** Says what went wrong, where something did. */
  report<T>(result: Result<T>): result is { ok: true; value: T } {
    if (!result.ok) {
      this.activity.say([{ kind: "fault", text: reveal(sentenceOf(result.error)) }]);
    }
    return result.ok;
  }

  /** A prompt in the session, begun where there is none; queued where `behind` a running turn. */
  async speak(text: string, { behind }: { behind: "nothing" | "turn" }): Promise<void> {
    const prompt = await this.#prompt(text);
    if (!this.report(prompt)) return;
    const speaking = await speakingIn(this.talk);
    if (!this.report(speaking)) return;
    const session = speaking.value;
    this.talk = { ...budgetGiven(this.talk), session };
    const said = { session, ...prompt.value, ...strictIn(this.talk) };
    const sent = await this.talk.app.send({ type: "SubmitPrompt", ...said });
    if (sent.ok) this.#pasted.sent(text);
    if (!this.report(sent) || behind === "turn") return;
    const at = sent.value.version;
    await this.#watch({ session, after: at - 1, turn: { at } });
  }

  /** Begins something that takes its time, one at a time. */
  #start(work: () => Promise<void>): void {
    const run = async () => {
      try {
        await work();
      } catch (error) {
        this.report(fail("broken", `the chat itself failed: ${(error as Error).message}`));
      }
      this.#running = null;
      const next = this.#late.shift();
      if (next !== undefined) this.#start(() => this.speak(next, { behind: "nothing" }));
      this.#screen.requestRender();
    };
    this.#running = run();
  }

  #submitted(typed: string): void {
    const text = typed.trim();
    const [word = ""] = text.startsWith("/") ? text.slice(1).split(/\s/, 1) : [];
    const order = Object.hasOwn(orders, word) ? orders[word] : undefined;
    // An order is no answer to a question, and neither is a word that only looks like one.
    const isOrder = order !== undefined || /^\/\w+$/.test(text);
    if (!isOrder && this.#questions.answer(text)) return;
    if (text === "") return;
    this.#editor.addToHistory(text);
    const value = text.slice(1 + word.length).trim();
    if (order && value !== "" && !order.takes) this.note(`/${word} takes nothing after it`);
    else if (order) this.#order(() => order.run(this, value), order.atOnce);
    else if (isOrder) this.note(`there is no ${text}; /help shows what there is`);
    else if (this.#running) void this.#steer(text);
    else this.#start(() => this.speak(text, { behind: "nothing" }));
  }

  #order(run: () => Promise<void>, atOnce: boolean): void {
    if (!this.#running) this.#start(run);
    else if (atOnce) void run().catch((error: Error) => this.note(error.message));
    else this.note("a turn is running; that has to wait for its end");
  }

  async #steer(text: string): Promise<void> {
    const { app, session } = this.talk;
    // The session is only just beginning: this is said as soon as its first turn is over.
    if (session === null) {
      this.#late.push(text);
      return;
    }
    const prompt = await this.#prompt(text);
    if (!this.report(prompt)) return;
    const sent = await app.send({ type: "Steer", session, ...prompt.value });
    if (sent.ok) this.#pasted.sent(text);
    else if (sent.error.code === "conflict") this.#late.push(text);
    else this.report(sent);
  }

  /** The words with the files that they name. */
  async #prompt(text: string) {
    const { folder } = this.talk;
    const files = filesIn(text, folder);
    const prompt = await spoken(
      { words: [text], files, folder },
      { ...this.cli.terminal, piped: false },
    );
    if (!prompt.ok) return prompt;
    const attachments = [...prompt.value.attachments, ...this.#pasted.namedIn(text)];
    return ok({ ...prompt.value, attachments });
  }

  async #resume(asks: readonly Ask[]): Promise<void> {
    const { app, state, session } = this.talk;
    if (!state?.turn || session === null) return;
    const sent = await app.send({ type: "Resume", session });
    if (!this.report(sent)) return;
    this.note("going on with the open turn");
    // Who asked may not have seen an answer of which only the turn's end was missing.
    const after = (await answerLeft(app, session, state)) ?? state.version;
    const open = { asks, children: childrenOf(state) };
    await this.#watch({ session, after, turn: { id: state.turn.id }, ...open });
  }

  /** A turn to its end, then those that were queued behind it. */
  async #watch(
    watching: Pick<Watching, "session" | "after" | "turn" | "asks" | "children">,
  ): Promise<void> {
    const { session } = watching;
    const { state } = this.talk;
    let now = watching;
    let from = transcriptFrom(state);
    while (true) {
      const seen = await this.#watchOne(now, from);
      if (seen === null) return;
      const next = await this.#after(session, seen);
      if (next === null) return;
      now = { session, after: seen, turn: { id: next } };
      from = emptyTranscript;
    }
  }

  /** Up to which version the turn was seen to its end; null where it did not come to one. */
  async #watchOne(
    watching: Pick<Watching, "session" | "after" | "turn" | "asks" | "children">,
    from: Transcript,
  ): Promise<number | null> {
    const { app } = this.talk;
    this.activity.begin(from);
    try {
      const outcome = await watchTurn({
        ...watching,
        app,
        view: this.activity,
        answer: (ask, signal) => this.#questions.ask(ask, signal),
      });
      if (!this.report(outcome)) return null;
      await this.refresh();
      if (outcome.value.end !== "permission_needed") return outcome.value.version;
      this.note("the question stays open");
      return null;
    } finally {
      this.activity.end();
    }
  }

  /** The turn that follows a version, be it running, over or still in the queue. */
  async #after(session: string, version: number): Promise<string | null> {
    const query = { type: "Transcript", session, limit: FOLLOWING } as const;
    const entries = await this.talk.app.read(query);
    if (!this.report(entries)) return null;
    for (const { record, decoded } of entries.value) {
      if (record.version <= version || decoded.kind !== "event") continue;
      if (decoded.event.type === "TurnStarted") return decoded.event.turn;
    }
    return this.talk.state?.queue[0]?.turn ?? null;
  }

  /** Reads again what the next prompt and the last line are compared with. */
  async refresh(): Promise<void> {
    const { app, session } = this.talk;
    if (session === null) return;
    const read = await app.read({ type: "Session", session });
    if (read.ok) this.talk = { ...this.talk, state: read.value.state };
    this.#screen.requestRender();
  }

  /** Keys that mean something to the chat; the editor has all others. */
  #key(data: string): boolean {
    if (matchesKey(data, "ctrl+c")) this.#interrupt();
    else if (matchesKey(data, "escape") && this.#running && !this.#editor.isShowingAutocomplete()) {
      this.#cancel();
    } else if (matchesKey(data, "ctrl+v")) void this.#paste();
    else if (matchesKey(data, "ctrl+d") && this.#editor.getText() === "") this.quit();
    else if (matchesKey(data, "shift+tab")) void this.#turnMode();
    else return this.#questions.takes(data);
    return true;
  }

  async #paste(): Promise<void> {
    const pasted = await this.#pasted.paste();
    if ("insert" in pasted) this.#editor.insertTextAtCursor(screen(pasted.insert));
    else this.note(pasted.say);
    this.#screen.requestRender();
  }

  /** Ctrl-C: cancels the turn, else empties the editor; twice in a row, it leaves. */
  #interrupt(): void {
    const now = this.cli.now();
    const isTwice = now - this.#interruptedAt < TWICE_MS;
    const works = this.#running && this.talk.session !== null;
    if (!works && this.#editor.getText() !== "") {
      this.#editor.setText("");
    } else if (isTwice) {
      this.quit();
    } else {
      this.#interruptedAt = now;
      if (works) this.#cancel();
      else this.note("Ctrl-C again or Ctrl-D leaves; the session stays");
    }
  }

  #cancel(): void {
    const { app, session } = this.talk;
    if (session === null) return;
    this.note("cancelling");
    void app.send({ type: "Cancel", session, why: "the user cancelled in the chat" });
  }

  async #turnMode(): Promise<void> {
    const at = turning.indexOf(this.mode);
    const mode = turning[(at + 1) % turning.length];
    if (mode) await this.change({ mode });
  }

  get mode(): Mode {
    const set = String(this.talk.config.settings.get("mode")?.value ?? "ask");
    const configured = modes.find((mode) => mode === set) ?? "ask";
    return this.talk.mode ?? this.talk.state?.mode ?? configured;
  }

  /** Switches at once where a session has begun, else with the next prompt. */
  async change(change: Pick<Talk, "model" | "mode">): Promise<boolean> {
    const before = this.talk;
    this.talk = { ...before, ...change };
    if (before.session !== null && !this.report(await speakingIn(this.talk))) {
      this.talk = before;
      return false;
    }
    if (before.session !== null) this.talk = budgetGiven(this.talk);
    await this.refresh();
    return true;
  }

  async #remember(): Promise<void> {
    const query = { type: "View", view: "prompts", newestFirst: true, limit: HISTORY } as const;
    const rows = await this.talk.app.read(query);
    if (!rows.ok) return;
    for (const row of rows.value.toReversed()) {
      this.#editor.addToHistory(screen(String(row.text)));
    }
  }

  /** What answers, in which mode, where: the line under the editor. */
  #footer(): Component {
    const { dim } = this.cli.terminal.paint.err;
    return {
      invalidate() {},
      render: (columns) => {
        const { state, model, folder } = this.talk;
        const limit = state ? contextLimit(state) : 0;
        const full = limit > 0 ? Math.round(((state?.contextTokens ?? 0) / limit) * 100) : 0;
        const effort = state?.effort ? `effort ${state.effort}` : "";
        const window = full > 0 ? `context ${full} %` : "";
        // The folder last: it is the longest, and the first to be cut.
        const parts = [model ?? state?.model, `mode ${this.mode}`, effort, window, folder];
        const text = parts.filter((part) => part !== "" && part !== undefined).join(" · ");
        return [dim(truncateToWidth(` ${reveal(text)}`, columns, "…"))];
      },
    };
  }
}
