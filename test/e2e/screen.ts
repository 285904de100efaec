// A terminal that a person would sit at: a real pseudo-terminal, its screen drawn by an emulator.
import pty from "@lydell/node-pty";
import headless from "@xterm/headless";
import { onTestFinished } from "vitest";
import { type Desk, program } from "./kit.ts";

/** How long a test waits for something to show, in milliseconds; it ends at once when it does. */
const PATIENCE_MS = 30_000;

export type Screen = {
  /** What is typed, as a terminal sends it. */
  type(keys: string): void;
  /** Everything on the screen and above it, without the empty lines at the end. */
  text(): string;
  /** Waits until the screen fits, and answers it; fails with what is there. */
  until(fits: (text: string) => boolean): Promise<string>;
  shows(part: string): Promise<string>;
  resize(columns: number, rows: number): void;
  /** The exit code, once the program has ended. */
  ended: Promise<number>;
  kill(): void;
  /** Asks the program to end (SIGTERM). */
  end(): void;
  /** Every byte that the program wrote. */
  written(): string;
};

export const ENTER = "\r";

export function screenOf(at: Desk, args: string[], env: Record<string, string> = {}): Screen {
  const emulator = new headless.Terminal({
    cols: 80,
    rows: 24,
    scrollback: 5_000,
    allowProposedApi: true,
  });
  const child = pty.spawn(program, args, {
    name: "xterm-256color",
    cols: 80,
    rows: 24,
    cwd: at.folder,
    env: { ...at.env, ...env },
  });
  let all = "";
  child.onData((data) => {
    all += data;
  });
  const watchers = new Set<() => void>();
  child.onData((data) => emulator.write(data, () => watchers.forEach((look) => void look())));
  // What the terminal answers to the program's questions about itself.
  emulator.onData((data) => child.write(data));
  const ended = new Promise<number>((end) => child.onExit(({ exitCode }) => end(exitCode)));
  onTestFinished(() => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  });

  function text(): string {
    const { active } = emulator.buffer;
    const lines = Array.from(
      { length: active.length },
      (_, i) => active.getLine(i)?.translateToString(true) ?? "",
    );
    return lines.join("\n").trimEnd();
  }

  const until = (fits: (text: string) => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const over = (settle: () => void) => {
        clearTimeout(timer);
        watchers.delete(look);
        settle();
      };
      const look = () => {
        if (fits(text())) over(() => resolve(text()));
      };
      const timer = setTimeout(
        () => over(() => reject(new Error(`this does not show:\n${fits}\n${text()}`))),
        PATIENCE_MS,
      );
      watchers.add(look);
      look();
    });

  return {
    type: (keys) => child.write(keys),
    text,
    until,
    shows: (part) => until((all) => all.includes(part)),
    resize(columns, rows) {
      emulator.resize(columns, rows);
      child.resize(columns, rows);
    },
    ended,
    kill: () => child.kill("SIGKILL"),
    end: () => child.kill("SIGTERM"),
    written: () => all,
  };
}
