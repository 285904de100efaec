// The call for the summary of what a compaction drops, an effect like any other: its request is kept
// and its tokens are set aside before it, its usage counts after it. It is bounded in length and
// time, and whatever comes of it the compaction goes on, with its text or without.
import type { ModelEnd } from "#boundary/models/port.ts";
import type { Need } from "#boundary/turn/budget.ts";
import type { Landing, ModelOpened, TurnParts } from "#boundary/turn/parts.ts";
import { atMost, choose } from "#boundary/turn/step.ts";
import { type Failed, type Failure, ok, type Result } from "#core/failure.ts";
import { setAside } from "#core/ledger/set-aside.ts";
import { type Message, noUsage, type Usage } from "#core/model/message.ts";
import { priced } from "#core/model/money.ts";
import { requestTokensAtMost } from "#core/model/tokens.ts";
import { summaryChars } from "#core/session/compact.ts";
import type { EventOf, SessionEvent } from "#core/session/events.ts";
import { contextLimit, type Session, type Summary } from "#core/session/state.ts";
import { summarySystem, summaryTask, usableSummary } from "#core/session/summary.ts";

/** How long a summary may take, in milliseconds. */
const SUMMARY_MS_MAX = 60_000;
/** Characters of the record for each token of the model's window: half of what about fits. */
const CHARS_PER_TOKEN = 3 / 2;
/** Tokens that a model may answer with, however small the window. */
const OUTPUT_TOKENS_MIN = 256;
/** Times its room that an answer may grow to before it is called off. */
const ANSWER_MAX = 2;

/** What is to be appended; with `run`, what is then under way. */
export type Asked = {
  events: readonly SessionEvent[];
  /** What it needs of every budget, and what is appended where one has no room for it. */
  need?: Need;
  without?: (failure: Failure) => readonly SessionEvent[];
  run?: (signal: AbortSignal) => Promise<Landing>;
};

/** Null where no model is to be asked, or one was for this compaction. */
export async function summaryFor(
  parts: TurnParts,
  stream: string,
  { session: s, signal: open }: { session: Session; signal: AbortSignal },
): Promise<Asked | null> {
  const named = parts.summariser;
  if (named === undefined || s.summary) return null;
  const probes: SessionEvent[] = [];
  const opening = { signal: open, told: (event: SessionEvent) => void probes.push(event) };
  const asked =
    named === "session" ? await choose(parts, s, opening) : await opened(parts, named, opening);
  if (!asked.ok) return failed(named, asked, probes);
  const { name, opened: model } = asked.value;
  const outputTokensMax = Math.min(
    Math.max(OUTPUT_TOKENS_MIN, Math.ceil(summaryChars(s) / 2)),
    model.facts?.outputTokensMax ?? Number.POSITIVE_INFINITY,
  );
  const wire = model.port.encode({
    model: model.model,
    system: summarySystem,
    messages: [taskOf(s, model)],
    tools: [],
    outputTokensMax,
    cacheKey: stream,
    ...(model.facts ? { facts: model.facts } : {}),
    blobs: new Map(),
  });
  const request = await parts.requests.put(stream, JSON.stringify(wire));
  if (!request.ok) return failed(name, request, probes);
  const reserved = requestTokensAtMost(wire.body);
  const { budget, ...aside } = setAside(reserved, { ...model.facts, outputTokensMax });
  const held = { reserved, ...aside };
  const started = { type: "SummaryStarted", model: name, request: request.value, budget } as const;
  return {
    events: [...probes, { ...started, ...held }],
    need: { model: name, budget },
    without: (error) => failed(name, { ok: false, error }, probes).events,
    async run(signal) {
      parts.channel.publish(stream, {
        type: "waiting",
        forMs: SUMMARY_MS_MAX,
        why: "old messages are being summarised",
      });
      const lost = atMost(held);
      const end = await answered(model, { parts, wire, signal, charsMax: summaryChars(s), lost });
      const event = eventOf(s, { name, held }, end, model);
      return { events: [event], fits: (now) => now.summary?.state === "open" };
    },
  };
}

/** A summary whose runner died: what it cost is not known, so it counts as what was set aside. */
export const settledSummary = (open: Summary): EventOf<"SummaryEnded"> => ({
  type: "SummaryEnded",
  model: open.model,
  usage: atMost(open),
  failure: { code: "broken", say: "Aiex stopped while the summary was made" },
});

/** The first model behind the name of the user's choice. */
async function opened(
  parts: TurnParts,
  named: string,
  { signal, told }: { signal: AbortSignal; told: (event: SessionEvent) => void },
) {
  const names = parts.modelsFor ? await parts.modelsFor(named, "next") : ok([named]);
  if (!names.ok) return names;
  const [name = named] = names.value;
  const probed = (usage: Usage) => told({ type: "ModelProbed", model: name, usage });
  const model = await parts.openModel(name, { signal, probed });
  return model.ok ? ok({ name, opened: model.value }) : model;
}

const failed = (model: string, { error }: Failed, probes: readonly SessionEvent[]): Asked => ({
  events: [...probes, { type: "SummaryEnded", model, usage: noUsage, failure: plain(error) }],
});

const plain = ({ code, say, fix }: Failure) => ({ code, say, ...(fix ? { fix } : {}) });

function taskOf(s: Session, { facts }: ModelOpened): Message {
  const tokens = Math.min(contextLimit(s), facts?.windowTokens ?? Number.POSITIVE_INFINITY);
  const text = summaryTask(s, Math.floor(tokens * CHARS_PER_TOKEN));
  return { role: "user", origin: "prompt", parts: [{ type: "text", text }] };
}

type Asking = {
  parts: TurnParts;
  wire: { path: string; body: string };
  signal: AbortSignal;
  charsMax: number;
  /** What counts of a call that an adapter lost: nobody knows whether it was made. */
  lost: Usage;
};

/** The answer as far as it is wanted; undefined where none came to its end. */
async function answered(
  { port, model, deadlines }: ModelOpened,
  { parts, wire, signal, charsMax, lost }: Asking,
): Promise<{ text: string; end?: ModelEnd; isLong: boolean }> {
  const long = new AbortController();
  const totalMs = Math.min(SUMMARY_MS_MAX, (deadlines ?? parts.deadlines).totalMs);
  let text = "";
  let end: ModelEnd | undefined;
  try {
    const call = port.call(wire, {
      model,
      signal: AbortSignal.any([signal, long.signal, AbortSignal.timeout(SUMMARY_MS_MAX)]),
      deadlines: { ...parts.deadlines, ...deadlines, totalMs },
    });
    for await (const item of call) {
      if (item.type === "end") end = item;
      if (item.type === "text") text += item.text;
      if (text.length > charsMax * ANSWER_MAX) long.abort();
    }
  } catch (error) {
    const failure = { code: "broken" as const, say: `the model adapter failed: ${error}` };
    end = { type: "end", stop: "broken", parts: [], usage: lost, failure };
  }
  return { text, isLong: long.signal.aborted, ...(end ? { end } : {}) };
}

function eventOf(
  s: Session,
  { name, held }: { name: string; held: Parameters<typeof atMost>[0] },
  { text, end, isLong }: Awaited<ReturnType<typeof answered>>,
  { facts }: ModelOpened,
): EventOf<"SummaryEnded"> {
  const usage = priced(end?.usage ?? atMost(held), facts?.price);
  const whole: Result<string> =
    end?.failure && !isLong
      ? { ok: false, error: end.failure }
      : usableSummary(s, wholeText(end) || text);
  const said = whole.ok ? { text: whole.value } : { failure: plain(whole.error) };
  return { type: "SummaryEnded", model: name, usage, ...said };
}

const wholeText = (end: ModelEnd | undefined): string =>
  (end?.parts ?? []).flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
