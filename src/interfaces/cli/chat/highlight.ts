// Colours code by its language. The grammars are loaded when a chat has been drawn, not before: they
// take longer than everything else; until then, and for languages nobody knows, code is plain.
import type { Highlight } from "#interfaces/cli/chat/theme.ts";
import type { Paint } from "#interfaces/cli/paint.ts";

/** Characters of a block beyond which it stays plain: it is drawn again and again while it comes. */
const CODE_CHARS_MAX = 20_000;

export type Highlighter = { highlight: Highlight; load(): Promise<void> };

export function highlighter(paint: Paint): Highlighter {
  let colour: ((code: string, language: string) => string) | null = null;
  return {
    highlight(code, language) {
      const isKnown = colour && language && code.length <= CODE_CHARS_MAX;
      return (isKnown ? coloured(colour, code, language) : code).split("\n");
    },
    async load() {
      const [{ common, createEmphasize }, { default: elixir }] = await Promise.all([
        import("emphasize"),
        import("highlight.js/lib/languages/elixir"),
      ]);
      const emphasize = createEmphasize({ ...common, elixir });
      const sheet = sheetOf(paint);
      colour = (code, language) =>
        emphasize.registered(language) ? emphasize.highlight(language, code, sheet).value : code;
    },
  };
}

function coloured(
  colour: ((code: string, language: string) => string) | null,
  code: string,
  language: string,
): string {
  try {
    return colour?.(code, language) ?? code;
  } catch {
    // A grammar that fails on half a program is no reason to lose the answer.
    return code;
  }
}

/** Colours by the classes of highlight.js: https://highlightjs.readthedocs.io/en/latest/css-classes-reference.html */
function sheetOf(paint: Paint): Record<string, (text: string) => string> {
  return {
    comment: paint.dim,
    quote: paint.dim,
    doctag: paint.dim,
    keyword: paint.magenta,
    literal: paint.magenta,
    built_in: paint.cyan,
    type: paint.cyan,
    string: paint.green,
    regexp: paint.green,
    symbol: paint.green,
    number: paint.yellow,
    title: paint.blue,
    section: paint.blue,
    name: paint.blue,
    attr: paint.blue,
    attribute: paint.blue,
    variable: paint.yellow,
    meta: paint.dim,
    addition: paint.green,
    deletion: paint.red,
    emphasis: paint.italic,
    strong: paint.bold,
  };
}
