// How a chat is coloured: the terminal's own sixteen colours, so that it fits any background.
import type { EditorTheme, MarkdownTheme, SelectListTheme } from "@earendil-works/pi-tui";
import type { Paint } from "#interfaces/cli/paint.ts";

/** Code of a language as coloured lines. */
export type Highlight = (code: string, language: string | undefined) => string[];

export function markdownTheme(paint: Paint, highlight: Highlight): MarkdownTheme {
  return {
    heading: paint.bold,
    link: paint.underline,
    linkUrl: paint.dim,
    code: paint.cyan,
    codeBlock: (text) => text,
    codeBlockBorder: paint.dim,
    quote: paint.italic,
    quoteBorder: paint.dim,
    hr: paint.dim,
    listBullet: paint.dim,
    bold: paint.bold,
    italic: paint.italic,
    strikethrough: paint.struck,
    underline: paint.underline,
    highlightCode: highlight,
  };
}

export function editorTheme(paint: Paint): EditorTheme {
  const selectList: SelectListTheme = {
    selectedPrefix: paint.cyan,
    selectedText: paint.bold,
    description: paint.dim,
    scrollInfo: paint.dim,
    noMatch: paint.dim,
  };
  return { borderColor: paint.dim, selectList };
}
