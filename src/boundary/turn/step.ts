// One attempt at one step: the request is kept and named in the log, the model called, its deltas
// published, its end turned into an event.

import { sha256 } from "#boundary/digest.ts";
import type {
  Deadlines,
  ModelEnd,
  ModelItem,
  ModelPort,
  WireRequest,
} from "#boundary/models/port.ts";
import { offered, offerOf, toolsFor } from "#boundary/surfaces.ts";
import type { Landing, ModelOpened, TurnParts } from "#boundary/turn/parts.ts";
import { until } from "#boundary/until.ts";
import { mayFallBack, retryAfter } from "#core/backoff.ts";
import { type Failure, fail, ok, type Result } from "#core/failure.ts";
import { type SetAside, setAside } from "#core/ledger/set-aside.ts";
import { fieldsOf, textAt } from "#core/model/json.ts";
import {
  type BlobRef,
  type Message,
  noUsage,
  type ToolSpec,
  type Usage,
  withoutPlace,
} from "#core/model/message.ts";
import { type Price, priced } from "#core/model/money.ts";
import { requestTokensAtMost } from "#core/model/tokens.ts";
import { withinFacts } from "#core/model/within-facts.ts";
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import { messagesOf, type OpenStep, type Session } from "#core/session/state.ts";

export type StepCall = {
  port: ModelPort;
  model: string;
  price?: Price;
  wire: WireRequest;
  deadlines: Deadlines;
};

/** The model that is asked next, by its name and opened. */
export type Chosen = { name: string; opened: ModelOpened };

/** Builds the request of the next attempt and keeps it. Nothing of it is in the log yet. */
export async function prepareStep(
  parts: TurnParts,
  stream: string,
  { session: s, chosen }: { session: Session; chosen: Chosen },
): Promise<Result<StepCall & { name: string; request: BlobRef; reserved: number } & SetAside>> {
  if (!s.start || !s.tools) return fail("not_found", "the session has no beginning");
  const { name, opened } = chosen;
  const system = await textIn(parts, s.start.system.hash);
  const tools = await textIn(parts, s.tools.tools.hash);
  if (!system.ok) return system;
  if (!tools.ok) return tools;
  const { port, model, facts } = opened;
  const said = { messages: messagesOf(s).map(withoutPlace), effort: s.effort ?? undefined };
  const { messages, effort } = withinFacts(said, facts ?? {});
  const blobs = await base64Of(parts, messages);
  const deadlines = longer(parts.deadlines, opened.deadlines);
  const wire = port.encode({
    model,
    system: system.value,
    messages,
    tools: JSON.parse(tools.value) as ToolSpec[],
    outputTokensMax: facts?.outputTokensMax,
    cacheKey: stream,
    effort,
    facts,
    blobs,
  });
  const request = await parts.requests.put(stream, JSON.stringify(wire));
  if (!request.ok) return request;
  // An upper bound: a token has at least one byte, and an image does not cost its base64.
  const reserved = requestTokensAtMost(wire.body);
  const price = facts?.price;
  const call = { port, model, wire, deadlines, ...(price ? { price } : {}) };
  const aside = setAside(reserved, facts ?? {});
  return ok({ ...call, name, request: request.value, reserved, ...aside });
}

/** The models that may be asked for the present step, the one the turn is with first. */
async function modelsLeft(parts: TurnParts, s: Session): Promise<Result<readonly string[]>> {
  const present = s.turn?.model;
  const use = present ? "next" : "begin";
  const all = parts.modelsFor ? await parts.modelsFor(s.model, use) : ok([s.model]);
  if (!all.ok) return all;
  const gaveUp = new Set(s.turn?.gaveUp.map(({ model }) => model));
  const rest = all.value.filter((name) => !gaveUp.has(name) && name !== present);
  return ok(present && !gaveUp.has(present) ? [present, ...rest] : rest);
}

/**
 * Opens the first of the models that may be asked now, and that can be opened. Where none can, says
 * why of each. Ends at once at the signal. `told` gets what is to be in the log of it.
 */
export async function choose(
  parts: TurnParts,
  s: Session,
  { signal, told }: { signal: AbortSignal; told: (event: SessionEvent) => void },
): Promise<Result<Chosen>> {
  const names = await until(modelsLeft(parts, s), signal);
  if (!names) return fail("cancelled", "the choice of a model was called off");
  if (!names.ok) return names;
  const failures: { name: string; failure: Failure }[] = [];
  for (const name of names.value) {
    const probed = (usage: Usage) => told({ type: "ModelProbed", model: name, usage });
    const opened = await parts.openModel(name, { signal, probed });
    if (opened.ok) return ok({ name, opened: opened.value });
    failures.push({ name, failure: opened.error });
    if (!mayFallBack(opened.error.code)) break;
  }
  const [first, ...more] = failures;
  if (!first) return fail("no_model", `no model is left to ask for ${s.model}`);
  const { code, fix } = first.failure;
  if (more.length === 0) return { ok: false, error: first.failure };
  const all = failures.map(({ name, failure }) => `${name}: ${failure.say}`).join("; ");
  return fail(code, `no model of the chain can be asked (${all})`, { fix });
}

/**
 * What says that `model` is to have other tools than the session was told; nothing where it has
 * the same: this program has others, or the model was switched to one of another family.
 */
export async function changedTools(
  parts: TurnParts,
  s: Session,
  model: string,
): Promise<Result<SessionEvent[]>> {
  const place = await parts.placeOf(s);
  if (!place.ok) return place;
  const surface = await parts.familyOf(model);
  const { specs, effects: toolEffects } = offerOf(
    await offered(toolsFor(place.value.tools, s.start), surface),
  );
  const bytes = Buffer.from(JSON.stringify(specs));
  const hash = sha256(bytes);
  if (hash === s.tools?.tools.hash && surface === s.tools.surface) return ok([]);
  const kept = await parts.blobs.put(bytes);
  if (!kept.ok) return kept;
  const blob = { hash, bytes: bytes.length, media: "application/json" };
  const changed: SessionEvent = { type: "ToolsChanged", tools: blob, toolEffects, surface };
  if (surface === s.tools?.surface) return ok([changed]);
  // The prompt and the calls so far are in the words of another family.
  const names = specs.map(({ name }) => name).join(", ");
  const text = `From here on your tools have other names than above: ${names}.`;
  return ok([changed, { type: "ContextAdded", origin: "notice", text }]);
}

/** Of each deadline the one that waits longer: the user's, or what the provider needs. */
function longer(ours: Deadlines, needed: Deadlines = ours): Deadlines {
  return {
    connectMs: Math.max(ours.connectMs, needed.connectMs),
    firstTokenMs: Math.max(ours.firstTokenMs, needed.firstTokenMs),
    silenceMs: Math.max(ours.silenceMs, needed.silenceMs),
    idleMs: Math.max(ours.idleMs, needed.idleMs),
    totalMs: Math.max(ours.totalMs, needed.totalMs),
  };
}

async function textIn(parts: TurnParts, hash: string): Promise<Result<string>> {
  const bytes = await parts.blobs.get(hash);
  return bytes.ok ? ok(Buffer.from(bytes.value).toString()) : bytes;
}

/** The blobs that messages name, for the wire; one that is gone is simply not there. */
async function base64Of(parts: TurnParts, messages: readonly Message[]) {
  const found = new Map<string, string>();
  for (const message of messages) {
    for (const part of message.parts) {
      if (part.type !== "blob" || found.has(part.blob.hash)) continue;
      const bytes = await parts.blobs.get(part.blob.hash);
      if (bytes.ok) found.set(part.blob.hash, Buffer.from(bytes.value).toString("base64"));
    }
  }
  return found;
}

/** What else of a step is to be in the log. */
type Telling = { parts: TurnParts; told: (event: SessionEvent) => void };

export type StepOptions = { call: StepCall; open: OpenStep; session: Session; signal: AbortSignal };

/** Calls the model and answers with the event that ends the step. Never rejects. */
export async function runStep(
  parts: TurnParts,
  stream: string,
  options: StepOptions,
): Promise<Landing> {
  const { call, open, signal } = options;
  const { step, attempt } = open;
  const publish = publisher(parts, stream, open);
  // Of a call that an adapter lost nobody knows whether it was made.
  const lost: ModelEnd = { ...silent, usage: atMost(open) };
  let end: ModelEnd | undefined;
  const { deadlines, model } = call;
  const waiting = (forMs: number, forWhat: string) =>
    parts.channel.publish(stream, { type: "waiting", forMs, why: forWhat });
  try {
    const asked = call.port.call(call.wire, { model, signal, deadlines, waiting });
    for await (const item of asked) {
      if (item.type === "end") end = item;
      else publish(item);
    }
  } catch (error) {
    end = { ...lost, failure: { code: "broken", say: `the model adapter failed: ${error}` } };
  }
  const settled = { ...(end ?? lost) };
  settled.usage = priced(settled.usage, call.price);
  const events: SessionEvent[] = [];
  const told = (event: SessionEvent) => void events.push(event);
  events.push(await eventOf(settled, { parts, told, ...options }));
  const fits = (s: Session) => s.step?.step === step && s.step.attempt === attempt;
  return { events, fits };
}

/** All of the request, and of the answer what was set aside for it. */
export function atMost({
  reserved,
  output = 0,
  costAtMost,
}: Pick<OpenStep, "reserved" | "output" | "costAtMost">): Usage {
  const usage = { ...noUsage, input: reserved, output, exact: false };
  return costAtMost === undefined
    ? usage
    : { ...usage, cost: { nanoDollars: costAtMost, whole: true } };
}

/** A model call whose runner died: what it cost is not known, so it counts as what was set aside. */
export function settled(open: OpenStep): EventOf<"StepBroken"> {
  return {
    type: "StepBroken",
    step: open.step,
    attempt: open.attempt,
    model: open.model,
    failure: { code: "broken", say: "Aiex stopped while the model answered" },
    usage: atMost(open),
    retryInMs: 0,
  };
}

const silent: ModelEnd = {
  type: "end",
  stop: "broken",
  parts: [],
  usage: noUsage,
  failure: { code: "broken", say: "the model's stream ended without an end" },
};

function publisher(parts: TurnParts, stream: string, { step, attempt }: OpenStep) {
  let seq = 0;
  return (item: Exclude<ModelItem, ModelEnd>) => {
    seq += 1;
    const at = { step, attempt, seq };
    switch (item.type) {
      case "text":
      case "reasoning":
        parts.channel.publish(stream, { type: "delta", kind: item.type, ...at, text: item.text });
        return;
      case "callStarted":
        parts.channel.publish(stream, {
          type: "call",
          ...at,
          callId: item.id,
          tool: item.tool,
          input: "",
        });
        return;
      case "callInput":
        return;
    }
  };
}

async function eventOf(end: ModelEnd, options: StepOptions & Telling): Promise<SessionEvent> {
  const { step, attempt, model } = options.open;
  const at = { step, attempt, model };
  const failure = end.failure ?? (end.stop === "broken" ? silent.failure : undefined);
  if (failure && end.stop !== "overflow") {
    const partial = end.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
    const { retryInMs, next } = await afterwards(end, failure, options);
    const fix = next === undefined ? failure.fix : `${next} is asked instead`;
    return {
      type: "StepBroken",
      ...at,
      failure: { code: failure.code, say: failure.say, fix },
      ...(partial ? { partial } : {}),
      usage: end.usage,
      retryInMs,
      ...(next === undefined ? {} : { next }),
    };
  }
  const notice = noticeFor(end);
  return {
    type: "StepCompleted",
    ...at,
    parts: end.parts,
    stop: end.stop,
    usage: end.usage,
    ...(notice ? { notice } : {}),
  } satisfies EventOf<"StepCompleted">;
}

/** Whether the step is tried again, with this model or the next of the chain. */
async function afterwards(
  end: ModelEnd,
  failure: Failure,
  { parts, told, open, session, signal }: StepOptions & Telling,
): Promise<{ retryInMs: number | null; next?: string }> {
  if (signal.aborted) return { retryInMs: null };
  const { tries = 0, waitedMs = 0 } = session.turn?.broken ?? {};
  const verdict = retryAfter({
    code: failure.code,
    deadline: detailOf(failure, "deadline"),
    attempt: tries + 1,
    retryAfterMs: end.retryAfterMs,
    random: parts.random(),
    waitedMs,
    ...(end.otherKey ? { otherKey: true } : {}),
  });
  // A model that is left alone for a while anyway need not be waited for where there is another.
  const isLeftAlone = detailOf(failure, "breaker") === "open" && !end.otherKey;
  if (verdict.do === "retry" && !isLeftAlone) return { retryInMs: verdict.inMs };
  const next = mayFallBack(failure.code)
    ? await nextModel(parts, session, { failed: open.model, signal, told })
    : undefined;
  if (next !== undefined) return { retryInMs: 0, next };
  return { retryInMs: verdict.do === "retry" ? verdict.inMs : null };
}

/** The next model of the chain that can be opened, if there is one. */
async function nextModel(
  parts: TurnParts,
  session: Session,
  { failed, signal, told }: { failed: string; signal: AbortSignal; told: Telling["told"] },
): Promise<string | undefined> {
  const left = await until(modelsLeft(parts, session), signal);
  for (const name of left?.ok ? left.value : []) {
    const probed = (usage: Usage) => told({ type: "ModelProbed", model: name, usage });
    if (name !== failed && (await parts.openModel(name, { signal, probed })).ok) return name;
  }
  return undefined;
}

/** A word in a failure's detail: the name of the deadline behind a timeout, the breaker's state. */
const detailOf = ({ detail }: Failure, key: string): string | undefined =>
  textAt(fieldsOf(detail), key);

/** What a model is told when its answer was cut or empty, so that it does not simply repeat it. */
function noticeFor(end: ModelEnd): string | undefined {
  const called = (end.callsDropped ?? 0) > 0 || end.parts.some((part) => part.type === "call");
  const spoke = end.parts.some((part) => part.type === "text" && part.text.trim() !== "");
  if (end.stop === "length") {
    return called || !spoke
      ? "Your answer was cut off by the output limit before it was whole, so nothing of it was run. Do the same in smaller pieces."
      : "Your answer was cut off by the output limit. Go on exactly where it ended.";
  }
  if (end.stop === "paused") return "Go on where you stopped.";
  if (end.stop === "overflow" && (spoke || called)) {
    return "Your answer was cut off because the context was full; it was shortened. Go on.";
  }
  if ((end.stop === "done" || end.stop === "calls") && !called && !spoke) {
    return "Your answer was empty. Go on with the task, or say what you did and what is left.";
  }
  return undefined;
}
