// The screen of a chat: what is finished goes into the terminal's own scrollback and is never drawn
// again; only the few lines below it (work under way, the editor) are kept and redrawn. So memory
// does not grow with the chat, and scrolling, selecting and searching stay the terminal's.
import { TuiMainScreen, truncateToWidth, visibleWidth } from "@earendil-works/pi-tui";

/** Begins and ends what a terminal shows at once (DEC private mode 2026). */
const TOGETHER = "\x1b[?2026h";
const SHOWN = "\x1b[?2026l";
const CLEAR_BELOW = "\x1b[J";

export class LiveScreen extends TuiMainScreen {
  /** Finished lines that wait for the next drawing. */
  #above: string[] = [];
  /** The lines that are redrawn, as they stand on the screen. */
  #drawn: string[] = [];
  /** The row of `#drawn` that the terminal's cursor is in. */
  #row = 0;
  #columns = 0;

  /** Puts finished lines above what is redrawn, for good. They must fit the width. */
  print(lines: readonly string[]): void {
    for (const line of lines) this.#above.push(line);
    this.requestRender();
  }

  /** Takes the redrawn lines away; what was printed stays. */
  protected override beforeTerminalStop(): void {
    this.terminal.write(`${this.#toTop()}${CLEAR_BELOW}${this.#finished()}`);
    this.#drawn = [];
    this.#row = 0;
  }

  protected override resetRenderState(): void {
    // A forced drawing begins where the cursor is; nothing above it is touched.
    this.#columns = 0;
  }

  protected override doRender(): void {
    if (this.stopped) return;
    const { columns, rows } = this.terminal;
    // One row stays free, so that the first line never scrolls away from where it is redrawn.
    const most = Math.max(1, rows - 1);
    const all = this.render(columns);
    const cursor = this.extractCursorPosition(all, rows);
    const left = Math.max(0, all.length - most);
    // A line that is too wide would take two rows, and every later drawing would be off by one.
    const fitting = all.slice(left).map((line) => truncateToWidth(line, columns));
    const lines = this.applyLineResets(fitting);
    const change = this.#change(lines, columns);
    const row = cursor ? Math.max(0, cursor.row - left) : lines.length - 1;
    const up = lines.length - 1 - row;
    const back = `${up > 0 ? `\x1b[${up}A` : ""}\x1b[${(cursor?.col ?? 0) + 1}G`;
    this.terminal.write(TOGETHER + change + back + SHOWN);
    this.#drawn = lines;
    this.#row = row;
    this.#columns = columns;
  }

  /** What brings the screen to these lines, the cursor at the end of the last one. */
  #change(lines: readonly string[], columns: number): string {
    const whole = this.#above.length > 0 || columns !== this.#columns;
    const same = whole ? 0 : this.#same(lines);
    if (!whole && same === lines.length && same === this.#drawn.length) {
      const down = lines.length - 1 - this.#row;
      return down > 0 ? `\x1b[${down}B` : "";
    }
    // Begins at the first line that differs; the last row of those that stay is always there.
    const from = Math.max(0, Math.min(same, lines.length - 1));
    const at = `${this.#toTop()}${from > 0 ? `\x1b[${from}B` : ""}${CLEAR_BELOW}`;
    return at + this.#finished() + lines.slice(from).join("\r\n");
  }

  #same(lines: readonly string[]): number {
    const differs = lines.findIndex((line, i) => line !== this.#drawn[i]);
    return differs === -1 ? lines.length : differs;
  }

  #finished(): string {
    const text = this.#above.map((line) => `${line}\r\n`).join("");
    this.#above = [];
    return text;
  }

  /** To the first redrawn row. Where the width changed, terminals have broken the lines anew. */
  #toTop(): string {
    const { columns } = this.terminal;
    const reflowed = this.#columns !== 0 && this.#columns !== columns;
    const up = reflowed
      ? this.#drawn
          .slice(0, this.#row)
          .reduce((rows, line) => rows + Math.max(1, Math.ceil(visibleWidth(line) / columns)), 0)
      : this.#row;
    return `${up > 0 ? `\x1b[${up}A` : ""}\r`;
  }
}
