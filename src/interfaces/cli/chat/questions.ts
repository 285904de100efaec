// Questions for the user's leave in a chat, one at a time. A draft in the editor is put aside and
// comes back; keys that were meant for the draft do not become an answer.
import type { Component, Editor } from "@earendil-works/pi-tui";
import type { Activity } from "#interfaces/cli/chat/activity.ts";
import { type Ask, KEYS, questionText, type Reply, replyOf } from "#interfaces/cli/permission.ts";

/** Keys within this time of a question were meant for something else, in milliseconds. */
const SETTLE_MS = 700;

type Open = { settle: (reply: Reply | null) => void; since: number; draft: string };

export class Questions implements Component {
  readonly #activity: Activity;
  readonly #editor: Editor;
  readonly #now: () => number;
  #open: Open | null = null;
  #closed = false;

  constructor(activity: Activity, editor: Editor, now: () => number) {
    this.#activity = activity;
    this.#editor = editor;
    this.#now = now;
  }

  /** Asks; null where nobody answers, because the question is void or the chat is left. */
  ask(ask: Ask, signal: AbortSignal): Promise<Reply | null> {
    if (signal.aborted || this.#closed) return Promise.resolve(null);
    return new Promise((resolve) => {
      const settle = (reply: Reply | null) => {
        signal.removeEventListener("abort", gone);
        const draft = this.#open?.draft ?? "";
        this.#open = null;
        this.#activity.asked = false;
        this.#editor.setText(draft);
        resolve(reply);
      };
      const gone = () => settle(null);
      signal.addEventListener("abort", gone, { once: true });
      this.#open = { settle, since: this.#now(), draft: this.#editor.getExpandedText() };
      this.#editor.setText("");
      this.#activity.asked = true;
      this.#activity.print(`\n${questionText(ask, this.#activity.paint)}`);
    });
  }

  /** Takes a line as the answer, where there is a question; one that means nothing is not taken. */
  answer(text: string): boolean {
    if (!this.#open) return false;
    const reply = replyOf(text);
    if (reply) {
      const said = reply.answer === "allow" ? `allowed: ${reply.scope}` : "not allowed";
      this.#activity.say([{ kind: "ask", text: said }]);
      this.#open.settle(reply);
    } else this.#editor.setText("");
    return true;
  }

  /** Whether keys still belong to what was being typed when the question came. */
  isSettling(): boolean {
    return this.#open !== null && this.#now() - this.#open.since < SETTLE_MS;
  }

  close(): void {
    this.#closed = true;
    this.#open?.settle(null);
  }

  invalidate(): void {}

  render(): string[] {
    return this.#open ? [this.#activity.paint.bold(KEYS)] : [];
  }
}
