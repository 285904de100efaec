// A turn in a chat. What is finished is printed once; what is under way (the end of an answer, tools
// that run, what is going on) is the few lines that this component draws again and again.
import { type Component, Markdown, visibleWidth, wrapTextWithAnsi } from "@earendil-works/pi-tui";
import type { Entry } from "#app";
import { noUsage } from "#core/model/message.ts";
import { screen as harmless, reveal } from "#core/security/screen.ts";
import {
  type AnswerItem,
  emptyTranscript,
  follow,
  type Item,
  isOpen,
  settled,
  type Transcript,
} from "#core/session/transcript.ts";
import { type Live, nothingShown, showFinished, showLive } from "#interfaces/cli/answer.ts";
import { finishedBlocks } from "#interfaces/cli/chat/blocks.ts";
import type { LiveScreen } from "#interfaces/cli/chat/live-screen.ts";
import { type Doing, statusText } from "#interfaces/cli/chat/status.ts";
import { type Highlight, markdownTheme } from "#interfaces/cli/chat/theme.ts";
import { cut } from "#interfaces/cli/figures.ts";
import type { Paint } from "#interfaces/cli/paint.ts";
import { first, type Line, linesOf, stopLines, titleOf } from "#interfaces/cli/render.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";
import { drawn, type TurnView } from "#interfaces/cli/view.ts";

/** Lines of a running command's output that are shown. */
const OUTPUT_LINES = 4;
/** Characters of that output that are kept to show them. */
const OUTPUT_CHARS = 4_000;
/** Characters at the end of an unfinished block that are drawn while it comes. */
const REST_CHARS = 6_000;
/** Tools under way that are named; more are counted. */
const TOOLS_SHOWN = 4;

export class Activity implements Component, TurnView {
  readonly #screen: LiveScreen;
  readonly #terminal: Terminal;
  readonly #highlight: Highlight;
  readonly #now: () => number;
  #transcript: Transcript = emptyTranscript;
  #shown = nothingShown;
  /** The end of the answer, whose block may still go on. */
  #rest = "";
  /** Whether the last line printed tells of a tool: an answer below it begins with an empty line. */
  #afterTool = false;
  #output = new Map<string, string>();
  #heard: Doing["heard"] = "nothing";
  #waiting: string | null = null;
  #beganAt: number | null = null;
  asked = false;

  constructor(parts: {
    screen: LiveScreen;
    terminal: Terminal;
    highlight: Highlight;
    now: () => number;
  }) {
    this.#screen = parts.screen;
    this.#terminal = parts.terminal;
    this.#highlight = parts.highlight;
    this.#now = parts.now;
  }

  get paint(): Paint {
    return this.#terminal.paint.err;
  }

  /** A turn is watched from here on. */
  begin(from: Transcript): void {
    this.#transcript = from;
    this.#beganAt = this.#now();
    this.#screen.requestRender();
  }

  /** Nobody watches any more. */
  end(): void {
    this.#flush();
    this.#beganAt = null;
    this.#transcript = emptyTranscript;
    this.#output.clear();
    this.#waiting = null;
    this.#screen.requestRender();
  }

  event({ record, decoded }: Entry): void {
    const { items, rest } = settled(follow(this.#transcript, record, decoded));
    this.#transcript = rest;
    this.#waiting = null;
    if (rest.step) this.#heard = "nothing";
    for (const item of items) {
      if (item.type === "answer") this.#answered(item);
      else this.#finished(item);
    }
    this.#screen.requestRender();
  }

  live(item: Live): void {
    if (item.type === "waiting") this.#waiting = item.why;
    else if (item.type === "output") this.#more(item.callId, item.text);
    else if (item.type === "call") this.#heard = { tool: item.tool };
    else if (item.type === "delta") {
      this.#heard = item.kind === "reasoning" ? "thinking" : "writing";
      const { shown, print } = showLive(this.#shown, item);
      this.#shown = shown;
      this.#write(print);
    }
    this.#screen.requestRender();
  }

  /** Lines about the chat itself, for good. */
  say(lines: readonly Line[]): void {
    const { columns } = this.#terminal;
    for (const line of lines) {
      // What goes on in the next row stands under the beginning of the line.
      const indent = line.kind === "prompt" ? "" : "  ";
      const rows = drawn(this.#terminal, line)
        .split("\n")
        .flatMap((row) =>
          visibleWidth(row) <= columns ? [row] : wrapTextWithAnsi(row, columns - indent.length),
        );
      const [first = "", ...rest] = rows;
      this.#screen.print([first, ...rest.map((row) => indent + row)]);
    }
  }

  /** Text that has its colours. */
  print(text: string): void {
    const { columns } = this.#terminal;
    this.#screen.print(text.split("\n").flatMap((row) => wrapTextWithAnsi(row, columns)));
  }

  #finished(item: Item): void {
    if (item.type === "note" && item.event.type === "CancelRequested") return;
    this.#flush();
    if (item.type === "tool") this.#output.delete(item.callId);
    // A question and its answer have been on the screen.
    const lines = linesOf(item, "glance").filter(({ kind }) => kind !== "ask");
    this.say(lines);
    this.#afterTool = item.type === "tool";
    if (item.type === "prompt" || item.type === "end") this.#screen.print([""]);
  }

  #answered(item: AnswerItem): void {
    const { shown, print } = showFinished(this.#shown, item);
    this.#shown = shown;
    this.#write(print);
    this.#flush();
    this.say(stopLines(item));
  }

  /** Text of an answer; what is finished of it goes up. */
  #write(text: string): void {
    if (text === "") return;
    const { blocks, rest } = finishedBlocks(this.#rest, text);
    this.#rest = rest;
    for (const block of blocks) this.#block(block);
  }

  #flush(): void {
    if (this.#rest.trim() !== "") this.#block(this.#rest);
    this.#rest = "";
  }

  #block(text: string): void {
    const lines = this.#markdown(text, this.#terminal.columns);
    while (lines.at(-1)?.trim() === "") lines.pop();
    if (lines.length === 0) return;
    this.#screen.print([...(this.#afterTool ? [""] : []), ...lines, ""]);
    this.#afterTool = false;
  }

  #markdown(text: string, columns: number): string[] {
    const theme = markdownTheme(this.#terminal.paint.out, this.#highlight);
    return new Markdown(text.trim(), 0, 0, theme).render(columns);
  }

  #more(callId: string, text: string): void {
    const all = (this.#output.get(callId) ?? "") + harmless(text);
    this.#output.set(callId, all.slice(-OUTPUT_CHARS));
  }

  invalidate(): void {}

  render(columns: number): string[] {
    if (this.#beganAt === null) return [];
    const lines = this.#rest.trim() === "" ? [] : this.#markdown(this.#tail(), columns);
    const { dim } = this.#terminal.paint.err;
    const doing = this.#doing(this.#beganAt);
    const status = cut(reveal(statusText(doing, this.#now())), columns);
    return [...lines, ...this.#tools(columns), dim(status)];
  }

  /** The end of a long unfinished block, as a block of the same kind. */
  #tail(): string {
    if (this.#rest.length <= REST_CHARS) return this.#rest;
    const fence = /^ {0,3}(?:```|~~~)[^\n]*\n/.exec(this.#rest)?.[0] ?? "";
    const from = this.#rest.indexOf("\n", this.#rest.length - REST_CHARS) + 1;
    return fence + this.#rest.slice(from);
  }

  #tools(columns: number): string[] {
    const { dim } = this.#terminal.paint.err;
    const open = this.#transcript.items.filter((item) => item.type === "tool" && isOpen(item));
    const lines = open.slice(0, TOOLS_SHOWN).flatMap((item) => {
      if (item.type !== "tool") return [];
      const output = (this.#output.get(item.callId) ?? "").trimEnd().split("\n");
      const tail = output.slice(-OUTPUT_LINES).filter((line) => line !== "");
      return [`  … ${first(titleOf(item))}`, ...tail.map((line) => `    ${line}`)];
    });
    const left = open.length - TOOLS_SHOWN;
    if (left > 0) lines.push(`  … and ${left} more`);
    return lines.map((line) => dim(cut(line.replaceAll("\t", "  "), columns)));
  }

  #doing(beganAt: number): Doing {
    return {
      transcript: this.#transcript,
      heard: this.#heard,
      waiting: this.#waiting,
      usage: this.#transcript.turn?.usage ?? noUsage,
      written: this.#shown.text.length,
      beganAt,
      asked: this.asked,
    };
  }
}
