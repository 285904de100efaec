// An answer is shown as it comes and never twice, however its pieces and its end arrive.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { screen } from "#core/security/screen.ts";
import {
  AGAIN,
  type Live,
  nothingShown,
  type Shown,
  showFinished,
  showLive,
} from "#interfaces/cli/answer.ts";

type Item = { live: Live } | { finished: Parameters<typeof showFinished>[1] };

const delta = (text: string, seq: number, attempt = 1, step = 1): Item => ({
  live: { type: "delta", kind: "text", step, attempt, seq, text },
});
const finished = (text: string, attempt = 1, step = 1): Item => ({
  finished: { text, attempt, step },
});

function printed(...items: Item[]): string {
  let shown: Shown = nothingShown;
  let out = "";
  for (const item of items) {
    const next = "live" in item ? showLive(shown, item.live) : showFinished(shown, item.finished);
    shown = next.shown;
    out += next.print;
  }
  return out;
}

describe("an answer on a screen", () => {
  it("is printed once, whole and screened, for any pieces of it that came before its end", () => {
    const pieces = fc.array(
      fc.oneof(
        fc.string({ unit: "binary", minLength: 1, maxLength: 6 }),
        fc.constantFrom("\x1b", "[31m", "\x1b]0;t\x07", "\n", "word "),
      ),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(pieces, fc.nat(12), (texts, came) => {
        const whole = texts.join("");
        const deltas = texts.slice(0, came).map((text, i) => delta(text, i + 1));
        const out = printed(...deltas, finished(whole), ...deltas);
        expect(out).toBe(screen(whole.endsWith("\n") ? whole : `${whole}\n`));
      }),
      { numRuns: 2_000 },
    );
  });

  it("takes the text so far as one piece, and ignores what it already contains", () => {
    const out = printed(
      delta("Hello wor", 4),
      delta("wor", 4),
      delta("ld", 5),
      finished("Hello world"),
    );
    expect(out).toBe("Hello world\n");
  });

  it("says so where a new attempt voids what was shown", () => {
    expect(printed(delta("Hel", 1), delta("Good", 1, 2), finished("Good day", 2))).toBe(
      `Hel\n${AGAIN}Good day\n`,
    );
    expect(printed(delta("Hel", 1), finished("Good day", 2))).toBe(`Hel\n${AGAIN}Good day\n`);
  });

  it("says nothing of it where nothing of the first attempt was shown", () => {
    expect(printed(delta("Good", 1, 2), finished("Good day", 2))).toBe("Good day\n");
  });

  it("shows the whole again where a piece was lost", () => {
    expect(printed(delta("He", 1), delta("world", 3), finished("Hello world"))).toBe(
      `Heworld\n${AGAIN}Hello world\n`,
    );
  });

  it("keeps steps apart", () => {
    const out = printed(
      ...[delta("one", 1), finished("one"), delta("tw", 1, 1, 2), finished("two", 1, 2)],
    );
    expect(out).toBe("one\ntwo\n");
  });

  it("prints nothing for an answer without words", () => {
    expect(printed(finished(""))).toBe("");
  });
});
