// The line that says what is going on while a turn runs. Pure.
import type { Usage } from "#core/model/message.ts";
import type { Transcript } from "#core/session/transcript.ts";
import { lasted, short } from "#interfaces/cli/figures.ts";

/** Frames of the spinner, one after the other. */
const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Milliseconds between two frames. */
export const FRAME_MS = 120;

export type Doing = {
  transcript: Transcript;
  /** What is heard of the model: nothing yet, thoughts, words, the arguments of a call. */
  heard: "nothing" | "thinking" | "writing" | { tool: string };
  /** Why nothing happens: a retry, a limit, another process. */
  waiting: string | null;
  /** Tokens of the turn so far, and characters of what is being written now. */
  usage: Usage;
  written: number;
  beganAt: number;
  /** Questions that the user must answer. */
  asked: boolean;
};

/** Characters of English text or code that are about one token. */
const CHARS_PER_TOKEN = 4;

export function statusText(doing: Doing, now: number): string {
  const frame = frames[Math.floor(now / FRAME_MS) % frames.length] ?? "";
  const { usage, written } = doing;
  const out = usage.output + Math.round(written / CHARS_PER_TOKEN);
  const figures = [lasted(Math.max(0, now - doing.beganAt))];
  if (usage.input > 0) figures.push(`${short(usage.input)} in`);
  if (out > 0) figures.push(`${short(out)} out`);
  return `${frame} ${whatOf(doing)} · ${figures.join(" · ")} · Ctrl-C cancels`;
}

function whatOf({ transcript, heard, waiting, asked }: Doing): string {
  if (asked) return "waiting for your answer";
  if (waiting) return waiting;
  const isRunning = transcript.items.some(
    (item) => item.type === "tool" && item.state === "started",
  );
  if (isRunning) return "running";
  if (!transcript.step) return "working";
  if (typeof heard === "object") return `preparing ${heard.tool}`;
  if (heard === "thinking") return "thinking";
  return heard === "writing" ? "answering" : `asking ${transcript.step.model}`;
}
