// Questions for the user's leave in a chat, one at a time. A draft in the editor is put aside and
// comes back; keys that were meant for the draft do not become an answer.
import { type Component, type Editor, wrapTextWithAnsi } from "@earendil-works/pi-tui";
import { reveal, screen } from "#core/security/screen.ts";
import type { Activity } from "#interfaces/cli/chat/activity.ts";
import { type Ask, KEYS, questionText, type Reply, replyOf } from "#interfaces/cli/permission.ts";

/** So long must the keys rest before one counts as an answer: a hand that types goes on a while. */
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
    } else {
      this.#editor.setText("");
      const say = text === "" ? "" : `"${text}" is no answer: `;
      this.#activity.say([{ kind: "note", text: reveal(`${say}y, s, w, n, or why not`) }]);
    }
    return true;
  }

  /** Takes a key that still belongs to what was being typed when the question came: to its draft. */
  takes(data: string): boolean {
    if (this.#open === null || this.#now() - this.#open.since >= SETTLE_MS) return false;
    this.#open.since = this.#now();
    const text = screen(data.replaceAll(/\x1b\[20[01]~/g, "")).replaceAll("\r", "");
    this.#open.draft += text;
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#open?.settle(null);
  }

  invalidate(): void {}

  render(columns: number): string[] {
    return this.#open ? wrapTextWithAnsi(this.#activity.paint.bold(KEYS), columns) : [];
  }
}
