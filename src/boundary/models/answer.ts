// From an exchange to the items of the model port: what is the same in every streamed dialect. A
// dialect brings a decoder, which is pure: it knows what its events mean and when an answer ended.
import { type Ending, type ExchangeOptions, exchange } from "#boundary/models/exchange.ts";
import type { HttpAsk } from "#boundary/models/http.ts";
import type { ModelDelta, ModelEnd, ModelItem } from "#boundary/models/port.ts";
import type { Refusal } from "#boundary/models/refusal.ts";
import type { SseEvent } from "#boundary/models/sse.ts";
import type { Failure } from "#core/failure.ts";
import { noUsage, type Usage } from "#core/model/message.ts";
import { requestTokensAtMost, tokensAtMost } from "#core/model/tokens.ts";

export type Taken = {
  deltas: readonly ModelDelta[];
  /** Whether the model is seen to be at work: pings and bookkeeping are not progress. */
  progress: boolean;
  /** `closing`: the last word was said, figures may follow · `ended`: nothing more is wanted. */
  state: "open" | "closing" | "ended";
};

export type Decoded = Omit<ModelEnd, "type" | "usage"> & {
  usage: Usage | undefined;
  /** What was counted before the answer was cut: the request, and of the answer its first tokens. */
  counted?: CountedSoFar;
};

export type CountedSoFar = Partial<Pick<Usage, "input" | "cached" | "written" | "output">>;

export type Decoder = {
  /** Takes the next event, whatever it holds; never throws. */
  take(event: SseEvent): Taken;
  /** What the answer came to. `cut` is why the stream did not end in good order, if it did not. */
  end(cut: Refusal | undefined): Promise<Decoded>;
};

/** Makes one exchange and yields its deltas, then exactly one `end`. */
export async function* answerOf(
  ask: HttpAsk,
  decoder: Decoder,
  options: ExchangeOptions,
): AsyncGenerator<ModelItem, void, void> {
  const under = exchange(ask, options);
  let shown = "";
  let ending: Ending = { how: "closed" };
  reading: for await (const item of under.items) {
    if (item.type === "ended") {
      ending = item.ending;
      break;
    }
    for (const event of item.events) {
      // Called off while a listener was busy: what else had arrived is not told any more.
      if (options.signal.aborted) continue reading;
      const taken = decoder.take(event);
      if (taken.progress) under.progress();
      for (const delta of taken.deltas) {
        shown += textIn(delta);
        yield delta;
      }
      if (taken.state === "closing") under.closing();
      if (taken.state === "ended") {
        under.done();
        break reading;
      }
    }
  }
  const decoded = await decoder.end(cutOf(ending));
  yield endOf({ ...decoded, usage: usageOf(decoded, ending, { body: ask.body ?? "", shown }) });
}

/** The end without the fields that say nothing. */
function endOf({
  stop,
  parts,
  usage,
  failure,
  callsDropped,
  retryAfterMs,
}: Omit<ModelEnd, "type">) {
  const end: ModelEnd = { type: "end", stop, parts, usage };
  if (failure) end.failure = failure;
  if (callsDropped) end.callsDropped = callsDropped;
  if (retryAfterMs !== undefined) end.retryAfterMs = retryAfterMs;
  return end;
}

/** What the provider counted, or what stands in for it: what was never sent cost nothing. */
function usageOf(
  { usage, counted = {} }: Decoded,
  ending: Ending,
  { body, shown }: { body: string; shown: string },
): Usage {
  const wasBilled = ending.how === "closed" || (ending.how === "failed" && !ending.unsent);
  return usage ?? (wasBilled ? usageAtMost(body, shown, counted) : noUsage);
}

function cutOf(ending: Ending): Refusal | undefined {
  if (ending.how === "closed") return undefined;
  return ending.how === "refused" ? ending.refusal : { failure: ending.failure, stop: "broken" };
}

const textIn = (delta: ModelDelta): string =>
  delta.type === "callStarted" ? delta.tool : delta.text;

/**
 * What stands in where the provider did not count to the end: what was sent and what was received,
 * at most. A count that it gave of the request before the answer was cut counts instead.
 */
function usageAtMost(body: string, shown: string, counted: CountedSoFar): Usage {
  const { input = requestTokensAtMost(body), cached = 0, written = 0 } = counted;
  const output = Math.max(tokensAtMost(shown), counted.output ?? 0);
  const usage = { input, cached, output, reasoning: 0, exact: false };
  return written > 0 ? { ...usage, written } : usage;
}

/** What a decoder returns for an event without news. */
export const nothing: Taken = { deltas: [], progress: false, state: "open" };

/** An answer that is not in its format. */
export const unreadable = (failure: Failure): Refusal => ({ failure, stop: "broken" });
