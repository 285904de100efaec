// The scripted model: answers from a JSON script, in process, without any network. It streams like
// a real one, stops on its signal, and has no state, so a restarted process continues where the
// conversation is. Only a script's own `times` of a failure are counted per process.
import { setTimeout as wait } from "node:timers/promises";
import { bodyOf, jsonOf } from "#boundary/models/body.ts";
import type { ModelDelta, ModelEnd, ModelItem, ModelPort } from "#boundary/models/port.ts";
import {
  type Cue,
  callIdOf,
  cueIn,
  type Heard,
  inputText,
  piecesOf,
  type Script,
} from "#boundary/models/script.ts";
import { type Failure, fail } from "#core/failure.ts";
import { fieldsOf, listOf, parsed } from "#core/model/json.ts";
import {
  type AnswerPart,
  type Message,
  noUsage,
  type Stop,
  textOf,
  type Usage,
} from "#core/model/message.ts";
import { paired } from "#core/model/pairing.ts";
import { tokensAtMost } from "#core/model/tokens.ts";

export function scriptedModel(script: Script): ModelPort {
  /** Failures given so far, by position in the script: the one thing a process remembers. */
  const failed = new Map<number, number>();

  function isFailing({ answer, position }: Cue): boolean {
    if (!answer.failure) return false;
    const before = failed.get(position) ?? 0;
    failed.set(position, before + 1);
    return before < (answer.failure.times ?? Number.POSITIVE_INFINITY);
  }

  return {
    name: "scripted/json",
    encode({ model, system, messages, tools }) {
      const items = paired(messages).map((message) => jsonOf(message));
      const names = tools.map((tool) => tool.name);
      const body = bodyOf({ model, tools: names, system }, "messages", items);
      return { path: "script", body };
    },
    async *call(wire, { signal }) {
      const messages = listOf(fieldsOf(parsed(wire.body)).messages) as Message[];
      const cue = cueIn(script, messages.map(heard));
      if (!cue.ok) return yield endOf([], "broken", noUsage, cue.error);
      const failing = isFailing(cue.value);
      yield* played(cue.value, { failing, signal, body: wire.body });
    },
  };
}

const heard = (message: Message): Heard => ({ role: message.role, text: textOf(message.parts) });

type Playing = { failing: boolean; signal: AbortSignal; body: string };

async function* played(cue: Cue, playing: Playing): AsyncGenerator<ModelItem, void, void> {
  const { answer } = cue;
  const { failing, signal, body } = playing;
  const told: ModelDelta[] = [];
  const failure = failing ? answer.failure : undefined;
  let left = failure ? (failure.afterChars ?? 0) : Number.POSITIVE_INFINITY;
  let pauseMs = answer.delayMs ?? 0;
  for (const delta of deltasOf(cue)) {
    if (!(await waited(pauseMs, signal))) break;
    pauseMs = answer.pauseMs ?? 0;
    left -= "text" in delta ? delta.text.length : 0;
    if (left < 0) break;
    told.push(delta);
    yield delta;
  }
  if (!(await waited(0, signal))) {
    const { error } = fail("cancelled", "the call to the script was called off");
    return yield endOf(told, "broken", usageIn(told, body), error);
  }
  if (failure) {
    const stop = failure.code === "overflow" ? "overflow" : "broken";
    const usage = told.length === 0 ? noUsage : usageIn(told, body);
    const { error } = fail(failure.code, failure.say);
    const { retryAfterMs } = failure;
    const end = endOf(told, stop, usage, error);
    return yield retryAfterMs === undefined ? end : { ...end, retryAfterMs };
  }
  const stop = answer.stop ?? ((answer.calls ?? []).length > 0 ? "calls" : "done");
  const usage = answer.usage ? { ...answer.usage, exact: true } : usageIn(told, body);
  yield endOf(told, stop, usage);
}

/** Waits, and says whether the call still runs. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  if (ms > 0 && !signal.aborted) await wait(ms, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}

function* deltasOf({ answer, position }: Cue): Generator<ModelDelta> {
  for (const text of piecesOf(answer.reasoning ?? "")) yield { type: "reasoning", text };
  for (const text of piecesOf(answer.text ?? "")) yield { type: "text", text };
  for (const [at, { tool, input, id: given }] of (answer.calls ?? []).entries()) {
    const id = callIdOf(position, at, given);
    yield { type: "callStarted", id, tool };
    for (const text of piecesOf(inputText(input))) yield { type: "callInput", id, text };
  }
}

function partsOf(told: readonly ModelDelta[]): AnswerPart[] {
  const parts: AnswerPart[] = [];
  for (const delta of told) {
    const last = parts.at(-1);
    if (delta.type === "callStarted") {
      parts.push({ type: "call", id: delta.id, tool: delta.tool, input: "" });
    } else if (delta.type === "callInput") {
      if (last?.type === "call") last.input += delta.text;
    } else if (last?.type === delta.type) {
      last.text += delta.text;
    } else {
      parts.push({ type: delta.type, text: delta.text });
    }
  }
  return parts;
}

/** Nothing is billed here; the counts are bounds, as of a provider that gives none. */
function usageIn(told: readonly ModelDelta[], body: string): Usage {
  const text = told.map((delta) => ("text" in delta ? delta.text : "")).join("");
  const output = tokensAtMost(text);
  return { input: tokensAtMost(body), cached: 0, output, reasoning: 0, exact: false };
}

/** The end after these deltas; calls are among its parts only when it ends as `calls`. */
function endOf(told: readonly ModelDelta[], stop: Stop, usage: Usage, failure?: Failure): ModelEnd {
  const all = partsOf(told);
  const parts = all.filter((part) => stop === "calls" || part.type !== "call");
  const end: ModelEnd = { type: "end", stop, parts, usage };
  if (failure) end.failure = failure;
  if (parts.length < all.length) end.callsDropped = all.length - parts.length;
  return end;
}
