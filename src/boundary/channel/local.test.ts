// The channel: a late listener has no gap and no repeat, a new attempt voids the old text, and a
// slow listener costs the publisher nothing.
import { expect, it } from "vitest";
import { localChannel } from "#boundary/channel/local.ts";
import { type Live, QUEUE_ITEMS_MAX } from "#boundary/channel/port.ts";

const delta = (seq: number, text: string, attempt = 1): Live => ({
  type: "delta",
  kind: "text",
  step: 1,
  attempt,
  seq,
  text,
});

const textOf = (items: readonly Live[]): string =>
  items.flatMap((item) => (item.type === "delta" ? [item.text] : [])).join("");

/** Takes items until `count` came, or the listening ended. */
async function take(items: AsyncIterable<Live>, count: number): Promise<Live[]> {
  const taken: Live[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

it("a late listener gets the text so far as one item, then each new one, once", async () => {
  const channel = localChannel();
  for (const [i, word] of ["a ", "b ", "c "].entries()) channel.publish("s", delta(i + 1, word));
  const stop = new AbortController();
  const taken = take(channel.listen("s", stop.signal), 3);
  await Promise.resolve();
  channel.publish("s", delta(4, "d "));
  channel.publish("s", delta(5, "e"));
  const items = await taken;
  expect(textOf(items)).toBe("a b c d e");
  expect(items.map((item) => "seq" in item && item.seq)).toEqual([3, 4, 5]);
});

it("a new attempt voids the text of the one before", async () => {
  const channel = localChannel();
  channel.publish("s", delta(1, "broken"));
  channel.publish("s", delta(1, "whole", 2));
  const items = await take(channel.listen("s", new AbortController().signal), 1);
  expect(textOf(items)).toBe("whole");
});

it("after the answer is in the log there is no text so far", async () => {
  const channel = localChannel();
  channel.publish("s", delta(1, "old"));
  channel.clear("s");
  const taken = take(channel.listen("s", new AbortController().signal), 1);
  await Promise.resolve();
  channel.publish("s", delta(1, "new", 2));
  expect(textOf(await taken)).toBe("new");
});

it("tells also those who come late why a session stopped, until it is run again", async () => {
  const channel = localChannel();
  const stopped: Live = { type: "stopped", failure: { code: "storage", say: "the disk is full" } };
  channel.publish("s", delta(1, "old"));
  channel.publish("s", stopped);
  const { signal } = new AbortController();
  expect(await take(channel.listen("s", signal), 1)).toEqual([stopped]);
  channel.publish("s", delta(1, "again", 2));
  expect(textOf(await take(channel.listen("s", signal), 1))).toBe("again");
});

it("a slow listener loses the oldest items, and no other topic's reach it", async () => {
  const channel = localChannel();
  const stop = new AbortController();
  const listening = channel.listen("s", stop.signal)[Symbol.asyncIterator]();
  const first = listening.next();
  channel.publish("other", delta(1, "not for s"));
  channel.publish("s", delta(1, "1"));
  expect((await first).value).toMatchObject({ seq: 1 });
  const rest = QUEUE_ITEMS_MAX + 10;
  for (let seq = 2; seq < rest + 2; seq += 1) channel.publish("s", delta(seq, "x"));
  expect((await listening.next()).value).toMatchObject({ seq: 12 });
  stop.abort();
  await listening.return?.();
});

it("listening ends with its signal, also while nothing is said", async () => {
  const stop = new AbortController();
  const taken = take(localChannel().listen("s", stop.signal), 1);
  await Promise.resolve();
  stop.abort();
  expect(await taken).toEqual([]);
});
