// What hooks say around a turn and its calls. All of it is turned into events before it changes
// anything, and a hook that throws says so in its text; it ends neither the turn nor the runner.
import type { HookContext, Hooks } from "#boundary/hooks/port.ts";
import type { Prepared, ToolOutcome } from "#boundary/tools/port.ts";
import { maskOf } from "#boundary/turn/masking.ts";
import type { TurnParts } from "#boundary/turn/parts.ts";
import { type ToolCall, textOf } from "#core/model/message.ts";
import type { EventOf } from "#core/session/events.ts";
import { messagesOf, type Session } from "#core/session/state.ts";

/** How often a hook may make a finished turn go on, in one drive. */
const GO_ON_MAX = 3;

type Said = EventOf<"HookRan">;

export type TurnHooks = {
  /** What is said before a turn's first step and is not in the log yet. Hooks are asked once. */
  beforePrompt(s: Session): Promise<readonly Said[]>;
  /** What `beforePrompt` answered is in the log now. */
  logged(s: Session): void;
  /** What makes a finished turn go on, or null. */
  turnEnded(s: Session): Promise<Said | null>;
};

/** The hooks of one drive. What they said is kept here until it is in the log. */
export function turnHooks(parts: TurnParts, context: HookContext): TurnHooks {
  /** Turns whose beginning the hooks saw, and what they said that is not appended yet. */
  const begun = new Map<string, readonly Said[]>();
  const goneOn = new Map<string, number>();

  async function hooksAt(s: Session): Promise<readonly Hooks[]> {
    const place = await parts.placeOf(s);
    return place.ok ? place.value.hooks : [];
  }

  /** What is said before a prompt, masked: a hook may have read files. */
  async function saidBefore(s: Session): Promise<Said[]> {
    const place = await parts.placeOf(s);
    if (!place.ok || place.value.hooks.length === 0) return [];
    const mask = await maskOf({ place: place.value, session: s }, [], {});
    const readable = await place.value.readable(s);
    const said: Said[] = [];
    for (const hooks of place.value.hooks) {
      const asked = { ...context, prompt: promptOf(s), readable };
      const say = await speaking(() => hooks.beforePrompt?.(asked));
      if (say) said.push({ type: "HookRan", hook: hooks.name, say: mask(say) });
    }
    return said;
  }

  return {
    async beforePrompt(s) {
      const { turn } = s;
      if (!turn || turn.steps > 0) return [];
      const known = begun.get(turn.id);
      if (known) return known;
      const said = await saidBefore(s);
      begun.set(turn.id, said);
      return said;
    },
    logged({ turn }) {
      if (turn) begun.set(turn.id, []);
    },
    async turnEnded(s) {
      const turn = s.turn?.id ?? "";
      const times = goneOn.get(turn) ?? 0;
      if (times >= GO_ON_MAX) return null;
      for (const hooks of await hooksAt(s)) {
        const say = await speaking(() => hooks.turnEnded?.(context));
        if (!say) continue;
        goneOn.set(turn, times + 1);
        return { type: "HookRan", hook: hooks.name, say };
      }
      return null;
    },
  };
}

/** What the user said last. */
function promptOf(s: Session): string {
  const said = messagesOf(s).findLast(({ role }) => role === "user");
  return said ? textOf(said.parts) : "";
}

/** The first refusal of a call, or null. A hook that throws refuses: it may be there to guard. */
export async function refusalBy(
  all: readonly Hooks[],
  { call, prepared, context }: { call: ToolCall; prepared: Prepared; context: HookContext },
): Promise<Said | null> {
  for (const hooks of all) {
    const say = await speaking(async () => {
      const said = await hooks.beforeTool?.(call, prepared, context);
      return said ? said.deny : null;
    });
    if (say) return { type: "HookRan", hook: hooks.name, callId: call.id, say };
  }
  return null;
}

export async function saidAfter(
  all: readonly Hooks[],
  { call, outcome, context }: { call: ToolCall; outcome: ToolOutcome; context: HookContext },
): Promise<Said[]> {
  const said: Said[] = [];
  for (const hooks of all) {
    const say = await speaking(() => hooks.afterTool?.(call, outcome, context));
    if (say) said.push({ type: "HookRan", hook: hooks.name, callId: call.id, say });
  }
  return said;
}

async function speaking(
  hook: () => Promise<string | null> | undefined,
): Promise<string | null | undefined> {
  try {
    return await hook();
  } catch (error) {
    return `the hook itself failed: ${error instanceof Error ? error.message : String(error)}`;
  }
}
