// Where a command reads and writes. Standard output carries what was asked for, standard error what
// is said about it. In a terminal both share one cursor, so each knows whether a line is open; a
// status line is shown only there and is gone before anything else is written.
import { reveal } from "#core/security/screen.ts";
import { type Keyboard, keyboardOn } from "#interfaces/cli/keyboard.ts";
import { type Paint, paintFor, plain } from "#interfaces/cli/paint.ts";

export type Sink = { write(text: string): unknown; isTTY?: boolean; columns?: number };
export type Source = NodeJS.ReadStream;

export type Streams = { stdin: Source; stdout: Sink; stderr: Sink };

export type Terminal = {
  out(text: string): void;
  err(text: string): void;
  /** A line that is replaced by whatever comes next; nothing without a terminal. */
  status(text: string): void;
  /** Whether standard output is a terminal: then an answer is shown as it comes. */
  readonly live: boolean;
  /** Whether a person can be asked. */
  readonly interactive: boolean;
  /** Whether standard input is a pipe or a file. */
  readonly piped: boolean;
  readonly columns: number;
  readonly paint: { out: Paint; err: Paint };
  /** All of standard input; fails by throwing where it cannot be read. */
  input(): AsyncIterable<Uint8Array>;
  /** Opens the keyboard; `interrupt` is called on Ctrl-C while it is open. */
  keyboard(interrupt: () => void): Keyboard;
};

/** Columns where nobody says how many there are. */
const COLUMNS = 80;
/** Characters kept back while somebody types; beyond that they are shown all the same. */
const HELD_CHARS_MAX = 1_000_000;

export function terminalOver(
  { stdin, stdout, stderr }: Streams,
  env: Readonly<Record<string, string | undefined>>,
  color: "auto" | "always" | "never",
): Terminal {
  const dumb = env.TERM === "dumb";
  const shared = Boolean(stdout.isTTY && stderr.isTTY);
  const open = { out: false, err: false };
  let shown = "";
  let held: { to: Sink; text: string }[] = [];
  let heldChars = 0;
  let keyboard: Keyboard | null = null;

  function unstatus(): void {
    if (shown) stderr.write("\r\x1b[2K");
    shown = "";
  }

  function write(to: Sink, text: string): void {
    if (text === "") return;
    if (keyboard?.typing() && heldChars < HELD_CHARS_MAX) {
      held.push({ to, text });
      heldChars += text.length;
      return;
    }
    unstatus();
    to.write(text);
    const line = !text.endsWith("\n");
    if (shared) open.out = open.err = line;
    else open[to === stdout ? "out" : "err"] = line;
  }

  /** Shows what was kept back while somebody typed. */
  function release(): void {
    const all = held;
    held = [];
    heldChars = 0;
    open.out = open.err = false;
    for (const { to, text } of all) write(to, text);
  }

  const terminal: Terminal = {
    out: (text) => write(stdout, text),
    err(text) {
      if (open.err) write(stderr, "\n");
      write(stderr, text);
    },
    status(text) {
      if (!stderr.isTTY || dumb || open.err || (keyboard && !keyboard.quiet())) return;
      unstatus();
      shown = reveal(text).slice(0, terminal.columns - 1);
      stderr.write(terminal.paint.err.dim(shown));
    },
    live: Boolean(stdout.isTTY),
    interactive: Boolean(stdin.isTTY && stderr.isTTY) && !dumb,
    piped: !stdin.isTTY,
    get columns() {
      // A terminal that was never told its size says 0.
      return stdout.columns || stderr.columns || COLUMNS;
    },
    paint: {
      out: paintFor(stdout, env, color),
      err: env.TERM === "dumb" ? plain : paintFor(stderr, env, color),
    },
    input: () => stdin,
    keyboard(interrupt) {
      unstatus();
      const before = () => {
        unstatus();
        if (open.err) stderr.write("\n");
        open.out = open.err = false;
      };
      keyboard = keyboardOn({ stdin, stderr, interrupt, before, release });
      const { close } = keyboard;
      keyboard.close = () => {
        close();
        keyboard = null;
        release();
      };
      return keyboard;
    },
  };
  return terminal;
}
