// What a chat leaves on a real terminal's screen and in its scrollback, whatever is printed and
// redrawn: every finished line once and in order, the redrawn lines once, below them.
import { ProcessTerminal, type Terminal } from "@earendil-works/pi-tui";
import headless from "@xterm/headless";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LiveScreen } from "#interfaces/cli/chat/live-screen.ts";

/** A terminal of this size that is drawn by an emulator, and what it shows. */
function emulated(columns: number, rows: number) {
  const emulator = new headless.Terminal({
    cols: columns,
    rows,
    scrollback: 10_000,
    allowProposedApi: true,
  });
  let resized = () => {};
  const terminal: Terminal = Object.assign(Object.create(ProcessTerminal.prototype), {
    start: (_: unknown, onResize: () => void) => {
      resized = onResize;
    },
    stop: () => {},
    hideCursor: () => {},
    showCursor: () => {},
    drainInput: async () => {},
    write: (data: string) => emulator.write(data),
  });
  Object.defineProperties(terminal, {
    columns: { get: () => emulator.cols },
    rows: { get: () => emulator.rows },
  });
  const written = () => new Promise<void>((done) => emulator.write("", done));
  return {
    terminal,
    async resize(to: number) {
      await written();
      emulator.resize(to, rows);
      resized();
    },
    /** All lines, scrollback first, without the empty ones at the end. */
    async lines(): Promise<string[]> {
      await written();
      const { active } = emulator.buffer;
      const all = Array.from(
        { length: active.length },
        (_, i) => active.getLine(i)?.translateToString(true) ?? "",
      );
      while (all.at(-1) === "") all.pop();
      return all;
    },
  };
}

const line = fc
  .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 20 })
  .map((text) => text.trim() || "x");
const step = fc.record({
  printed: fc.array(line, { maxLength: 4 }),
  live: fc.array(line, { minLength: 1, maxLength: 9 }),
});

describe("the screen of a chat", () => {
  it("has every finished line once, in order, and below them what is redrawn", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const { terminal, lines } = emulated(20, 8);
        const screen = new LiveScreen(terminal);
        let live: string[] = [];
        screen.addChild({ render: () => live, invalidate: () => {} });
        screen.start();
        for (const now of steps) {
          screen.print(now.printed);
          live = now.live;
          screen.renderNow();
        }
        const finished = steps.flatMap(({ printed }) => printed);
        // One row stays free: of more lines the last ones are drawn.
        expect(await lines()).toEqual([...finished, ...live.slice(-7)]);
        screen.stop();
        expect(await lines()).toEqual(finished);
      }),
      { numRuns: 300 },
    );
  });

  it("keeps what was finished when the terminal becomes narrower or wider", async () => {
    const { terminal, lines, resize } = emulated(20, 10);
    const screen = new LiveScreen(terminal);
    const live = ["-".repeat(18), "typed", "-".repeat(18)];
    screen.addChild({ render: (columns) => live.map((l) => l.slice(0, columns)), invalidate() {} });
    screen.start();
    screen.print(["one", "two"]);
    screen.renderNow();
    for (const columns of [12, 30]) {
      await resize(columns);
      screen.renderNow();
      const shown = await lines();
      expect(shown.slice(0, 2)).toEqual(["one", "two"]);
      expect(shown.slice(2)).toEqual(live.map((l) => l.slice(0, columns)));
    }
  });
});
