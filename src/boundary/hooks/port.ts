// Where others may speak in a turn. Promises: what a hook says is data: it becomes an event before it can
// change anything, so a replay needs no hook. A hook that fails says so in its text.

import type { Prepared, ToolOutcome } from "#boundary/tools/port.ts";
import type { ToolCall } from "#core/model/message.ts";

export type HookContext = { session: string; signal: AbortSignal };

export type Hooks = {
  readonly name: string;
  /** Before a turn's first step: text for the model, or null. */
  beforePrompt?(context: HookContext): Promise<string | null>;
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
