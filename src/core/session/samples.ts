// Events and sessions for tests: built from events, as real ones are.
import type { Draft } from "#core/record.ts";
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import { evolve } from "#core/session/evolve.ts";
import { emptySession, type Session } from "#core/session/state.ts";

export const draft = (type: string, body: unknown = {}): Draft => ({
  type,
  schema: 1,
  body: JSON.stringify(body),
  actor: "user",
  epoch: 0,
});

const blob = { hash: "0".repeat(64), bytes: 0, media: "application/json" };

export const started: EventOf<"SessionStarted"> = {
  type: "SessionStarted",
  workspace: "w",
  location: { node: "n", path: "/w" },
  system: blob,
  tools: blob,
  toolEffects: { read: "pure", edit: "verifiable", ask: "keyed", run: "opaque" },
  environment: {},
  model: "scripted/test",
  mode: "ask",
  limits: { contextTokens: 10_000, stepsPerTurn: 20 },
};

export const adopted = (epoch: number): EventOf<"SessionAdopted"> => ({
  type: "SessionAdopted",
  epoch,
  node: "n",
});

export const prompted = (text = "do it", turn = "t1"): EventOf<"TurnStarted"> => ({
  type: "TurnStarted",
  turn,
  text,
  attachments: [],
});

export const stepStarted = (step = 1, attempt = 1): EventOf<"StepStarted"> => ({
  type: "StepStarted",
  step,
  attempt,
  model: "scripted/test",
  request: blob,
  reserved: 0,
});

type Call = { id: string; tool: string; input?: string };

export const answered = (
  said: string | Call[],
  more: Partial<EventOf<"StepCompleted">> = {},
): EventOf<"StepCompleted"> => ({
  type: "StepCompleted",
  step: 1,
  attempt: 1,
  model: "scripted/test",
  parts:
    typeof said === "string"
      ? said === ""
        ? []
        : [{ type: "text", text: said }]
      : said.map((call) => ({ type: "call", input: "{}", ...call })),
  stop: typeof said === "string" ? "done" : "calls",
  usage: { input: 10, cached: 0, output: 5, reasoning: 0, exact: true },
  ...more,
});

export const broke = (retryInMs: number | null): EventOf<"StepBroken"> => ({
  type: "StepBroken",
  step: 1,
  attempt: 1,
  model: "scripted/test",
  failure: { code: "overloaded", say: "try later" },
  usage: { input: 10, cached: 0, output: 0, reasoning: 0, exact: false },
  retryInMs,
});

export const toolStarted = (
  callId: string,
  effect: EventOf<"ToolStarted">["effect"] = "opaque",
): EventOf<"ToolStarted"> => ({
  type: "ToolStarted",
  callId,
  tool: "run",
  effect,
  title: "run",
  intent: {},
});

export const finished = (
  callId: string,
  more: Partial<EventOf<"ToolFinished">> = {},
): EventOf<"ToolFinished"> => ({
  type: "ToolFinished",
  callId,
  end: "ok",
  parts: [{ type: "text", text: `result of ${callId}` }],
  facts: [],
  ...more,
});

export const asked = (callId: string, hash = "h1"): EventOf<"PermissionAsked"> => ({
  type: "PermissionAsked",
  callId,
  title: "run it",
  why: "it leaves the sandbox",
  what: "curl example.com",
  opens: { network: true },
  hash,
  keys: [`key of ${hash}`],
});

/** A session after these events, started and adopted first. */
export const given = (...events: SessionEvent[]): Session =>
  [started, adopted(1), ...events].reduce(evolve, emptySession);
