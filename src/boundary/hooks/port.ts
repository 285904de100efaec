// Where others may speak in a turn. Promises:
// - what a hook says is data: it becomes an event before it can change anything, so a replay needs
//   no hook, and what is in the log is never asked for again within a drive of the session;
// - a hook may run twice: where the process dies after a hook ran and before what it said is in the
//   log, the next drive asks it again. `beforePrompt` is asked again by each drive that finds the
//   turn without a step, `beforeTool` by each that prepares the call (also after the user's leave),
//   `turnEnded` by each that finds the turn done. So a hook that acts must bear being repeated;
// - `beforeTool` ends before its call's `ToolStarted`: a refused call has not begun. `afterTool` is
//   asked at most once for each run of a tool, and not at all where the process died while it ran;
//   its text and the tool's result enter the log together or not at all;
// - a hook that throws says so in its text; thrown by `beforeTool` that is a refusal.
import type { Prepared, Readable, ToolOutcome } from "#boundary/tools/port.ts";
import type { ToolCall } from "#core/model/message.ts";

export type HookContext = { session: string; signal: AbortSignal };

export type PromptContext = HookContext & {
  /** What the user said. */
  prompt: string;
  /** Which files may be read without a question. */
  readable: Readable;
};

export type Hooks = {
  readonly name: string;
  /** Before a turn's first step: text for the model, or null. Secrets in it are masked. */
  beforePrompt?(context: PromptContext): Promise<string | null>;
  /** Before a tool acts: `deny` ends the call as denied with that text. */
  beforeTool?(
    call: ToolCall,
    prepared: Prepared,
    context: HookContext,
  ): Promise<{ deny: string } | null>;
  /** After a tool acted: text for the model, or null. */
  afterTool?(call: ToolCall, outcome: ToolOutcome, context: HookContext): Promise<string | null>;
  /** When the model is done: text that makes it go on, or null to let the turn end. */
  turnEnded?(context: HookContext): Promise<string | null>;
};
