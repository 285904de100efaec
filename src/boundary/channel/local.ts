// The channel within one process.
import { type Channel, type Live, QUEUE_ITEMS_MAX } from "#boundary/channel/port.ts";

type At = { step: number; attempt: number };
type Listener = { queue: Live[]; wake: () => void };

export function localChannel(): Channel {
  const listeners = new Map<string, Set<Listener>>();
  const soFar = new Map<string, Live[]>();

  return {
    publish(topic, item) {
      remember(soFar, topic, item);
      for (const listener of listeners.get(topic) ?? []) {
        listener.queue.push(item);
        if (listener.queue.length > QUEUE_ITEMS_MAX) listener.queue.shift();
        listener.wake();
      }
    },
    async *listen(topic, signal) {
      const listener: Listener = { queue: [...(soFar.get(topic) ?? [])], wake: () => {} };
      const all = listeners.get(topic) ?? new Set();
      listeners.set(topic, all.add(listener));
      const wakeUp = () => listener.wake();
      signal.addEventListener("abort", wakeUp);
      try {
        while (!signal.aborted) {
          const items = listener.queue.splice(0);
          if (items.length > 0) yield* items;
          else if (listener.queue.length === 0) await new Promise<void>((r) => (listener.wake = r));
        }
      } finally {
        signal.removeEventListener("abort", wakeUp);
        all.delete(listener);
        if (all.size === 0) listeners.delete(topic);
      }
    },
    clear(topic) {
      soFar.delete(topic);
    },
  };
}

const isSameAttempt = (a: At, b: At): boolean => a.step === b.step && a.attempt === b.attempt;

/** Keeps what a late listener needs: the deltas of the present attempt, joined where they can be, or why it stopped. */
function remember(soFar: Map<string, Live[]>, topic: string, item: Live): void {
  if (item.type === "stopped") {
    soFar.set(topic, [item]);
    return;
  }
  if (item.type !== "delta" && item.type !== "call") return;
  const kept = soFar.get(topic) ?? [];
  const last = kept.at(-1);
  const isOther = last && (!("step" in last) || !isSameAttempt(last, item));
  if (isOther) {
    soFar.set(topic, [item]);
    return;
  }
  if (last?.type === "delta" && item.type === "delta" && last.kind === item.kind) {
    kept[kept.length - 1] = { ...item, text: last.text + item.text };
  } else {
    kept.push(item);
  }
  soFar.set(topic, kept);
}
