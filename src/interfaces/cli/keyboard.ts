// What a person types, line by line. While somebody types, what is printed waits, so that the two
// do not mix; lines that were pasted together arrive together.
import { createInterface } from "node:readline";
import type { Sink, Source } from "#interfaces/cli/terminal.ts";

export type Keyboard = {
  /** Asks and waits for the answer; null at the end of input (Ctrl-D) or when called off. */
  ask(question: string, signal?: AbortSignal): Promise<string | null>;
  /** Shows the open question again, after something was printed below it. */
  again(): void;
  /** Takes the lines that were typed while nobody asked. */
  onLine(take: (line: string) => void): void;
  /** Whether something is typed and not yet sent. */
  typing(): boolean;
  /** Whether nothing is typed and nobody is asked: the line is free. */
  quiet(): boolean;
  close(): void;
};

/** Lines that arrive within this many milliseconds were pasted together. */
const PASTE_MS = 20;
/** Lines remembered for the up key. */
const HISTORY_LINES = 500;

export function keyboardOn(options: {
  stdin: Source;
  stderr: Sink;
  interrupt: () => void;
  /** Called before the first character of a line is echoed. */
  before: () => void;
  /** Called when a line was sent. */
  release: () => void;
}): Keyboard {
  const { stdin, stderr, interrupt, before, release } = options;
  // An earlier keyboard of this terminal let go of it.
  stdin.ref?.();
  const lines = createInterface({
    input: stdin,
    output: stderr as unknown as NodeJS.WritableStream,
    terminal: true,
    prompt: "",
    historySize: HISTORY_LINES,
  });
  let asking: ((line: string | null) => void) | null = null;
  let take: (line: string) => void = () => {};
  let ended = false;
  let pasted: string[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const typing = (): boolean => !ended && !asking && lines.line !== "";

  /** Ahead of readline's own listener: the line that is being printed ends first. */
  const ahead = () => {
    if (!asking && lines.line === "") before();
  };
  stdin.prependListener("keypress", ahead);

  function sent(): void {
    const text = pasted.join("\n");
    pasted = [];
    const answer = asking;
    asking = null;
    lines.setPrompt("");
    release();
    if (answer) answer(text);
    else if (text.trim() !== "") take(text);
  }

  lines.on("line", (line) => {
    pasted.push(line);
    clearTimeout(timer);
    timer = setTimeout(sent, PASTE_MS);
  });
  lines.on("SIGINT", () => {
    if (lines.line !== "") {
      lines.write(null, { ctrl: true, name: "e" });
      lines.write(null, { ctrl: true, name: "u" });
      return;
    }
    if (asking) stderr.write("\n");
    interrupt();
  });
  lines.on("close", () => {
    ended = true;
    if (asking) stderr.write("\n");
    asking?.(null);
    asking = null;
  });

  return {
    typing,
    quiet: () => !asking && lines.line === "",
    onLine(taker) {
      take = taker;
    },
    ask(question, signal) {
      if (ended || signal?.aborted) return Promise.resolve(null);
      before();
      return new Promise((resolve) => {
        const done = (line: string | null) => {
          signal?.removeEventListener("abort", called);
          resolve(line);
        };
        const called = () => {
          if (asking !== done) return;
          asking = null;
          lines.setPrompt("");
          before();
          done(null);
        };
        asking = done;
        signal?.addEventListener("abort", called, { once: true });
        lines.setPrompt(question);
        lines.prompt();
      });
    },
    again() {
      if (asking) lines.prompt();
    },
    close() {
      clearTimeout(timer);
      stdin.removeListener("keypress", ahead);
      lines.close();
      stdin.unref?.();
    },
  };
}
