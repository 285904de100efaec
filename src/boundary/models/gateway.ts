// The one way to a model: wraps a port so that a failing endpoint is left alone for a while. A call
// makes at most one attempt; whether and when another is made, the turn runner asks of
// `core/backoff.ts` and logs. Breakers live in this process, one per port, model and key.
import { type Clock, systemClock } from "#boundary/models/deadlines.ts";
import type { ModelEnd, ModelItem, ModelPort } from "#boundary/models/port.ts";
import {
  type Breaker,
  type BreakerEvent,
  breakerClosed,
  evolveBreaker,
  letsThrough,
} from "#core/breaker.ts";
import { type FailureCode, fail } from "#core/failure.ts";
import { noUsage } from "#core/model/message.ts";

/** Breakers kept at most; the one used longest ago is forgotten first, which closes it. */
const BREAKERS_MAX = 1_000;

export type Gateway = {
  /** The same port behind its breaker. `account` tells keys apart and is no secret. */
  through(port: ModelPort, account: string): ModelPort;
};

export type GatewayOptions = { clock?: Pick<Clock, "nowMs">; random?: () => number };

/** Failures that tell that the endpoint is unwell; any other answer shows that it is there. */
const unwell: ReadonlySet<FailureCode> = new Set<FailureCode>([
  "overloaded",
  "timeout",
  "unreachable",
  "broken",
]);

/** Ends that tell nothing about the endpoint. */
const untold: ReadonlySet<FailureCode> = new Set<FailureCode>(["cancelled", "closed"]);

export function gateway(options: GatewayOptions = {}): Gateway {
  const { clock = systemClock, random = Math.random } = options;
  const breakers = new Map<string, Breaker>();

  function note(key: string, event: BreakerEvent): void {
    const next = evolveBreaker(breakers.get(key) ?? breakerClosed, event);
    breakers.delete(key);
    breakers.set(key, next);
    const [oldest] = breakers.keys();
    if (breakers.size > BREAKERS_MAX && oldest !== undefined) breakers.delete(oldest);
  }

  function outcome(end: ModelEnd | undefined): BreakerEvent {
    const nowMs = clock.nowMs();
    const code = end?.failure?.code;
    if (!end || (code && untold.has(code))) return { type: "untold", nowMs };
    if (code && unwell.has(code)) return { type: "failed", nowMs, random: random() };
    return { type: "succeeded", nowMs };
  }

  return {
    through: (port, account) => ({
      name: port.name,
      encode: (request) => port.encode(request),
      async *call(wire, callOptions) {
        const key = `${port.name} ${callOptions.model} ${account}`;
        const nowMs = clock.nowMs();
        const passage = letsThrough(breakers.get(key) ?? breakerClosed, nowMs);
        if (!passage.go) return yield refused(`${port.name} ${callOptions.model}`, passage);
        note(key, { type: "asked", nowMs });
        let end: ModelEnd | undefined;
        try {
          for await (const item of port.call(wire, callOptions)) {
            if (item.type === "end") end = item;
            yield item;
          }
        } finally {
          // Also when the listener leaves in the middle: a probe must give its place back.
          note(key, outcome(end));
        }
      },
    }),
  };
}

function refused(who: string, { inMs, why }: { inMs: number; why: string }): ModelItem {
  const seconds = Math.ceil(inMs / 1_000);
  const { error } = fail("overloaded", `${who} ${why}; it is left alone for ${seconds} s more`, {
    fix: "wait, or choose another model",
    detail: { breaker: "open", inMs: Math.ceil(inMs) },
  });
  const retryAfterMs = Math.ceil(inMs);
  return { type: "end", stop: "broken", parts: [], usage: noUsage, failure: error, retryAfterMs };
}
