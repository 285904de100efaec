// Opens STREAMS streams, PER_SECOND new ones a second, and reads them to their end: by a bare fetch
// or by our adapter, gateway and channel. Prints the first token's latencies and the peak memory.
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { localChannel } from "#boundary/channel/local.ts";
import { gateway } from "#boundary/models/gateway.ts";
import { openaiChat } from "#boundary/models/openai-chat.ts";
import { deadlinesDefault } from "#boundary/models/port.ts";

const STREAMS = 1_000;
const PER_SECOND = 100;

export type Streamed = { firstMs: number[]; deltas: number; streams: number; peakMiB: number };

type Stream = (n: number, first: () => void) => Promise<number>;

const [way = "bare", url = ""] = process.argv.slice(2);
const never = new AbortController().signal;

async function bare(_: number, first: () => void): Promise<number> {
  const body = JSON.stringify({ model: "m", stream: true, messages: [] });
  const response = await fetch(`${url}/chat/completions`, { method: "POST", body });
  if (!response.body) return 0;
  let text = "";
  for await (const bytes of response.body) {
    first();
    text += Buffer.from(bytes).toString();
  }
  return text.split('"content"').length - 1;
}

function own(): Stream {
  const channel = localChannel();
  const chat = openaiChat({ provider: "bench", baseUrl: url, isOpenAi: false });
  const port = gateway().through([{ port: chat, account: "bench" }]);
  return async (n, first) => {
    const topic = `s${n}`;
    const over = new AbortController();
    const heard = hear(channel.listen(topic, over.signal), first);
    const wire = port.encode({
      model: "m",
      system: "",
      messages: [{ role: "user", origin: "prompt", parts: [{ type: "text", text: "hello" }] }],
      tools: [],
      blobs: new Map(),
    });
    const options = { model: "m", signal: never, deadlines: deadlinesDefault };
    let seq = 0;
    for await (const item of port.call(wire, options)) {
      if (item.type !== "text") continue;
      seq += 1;
      const at = { step: 1, attempt: 1, seq };
      channel.publish(topic, { type: "delta", kind: "text", ...at, text: item.text });
    }
    await wait(0);
    over.abort();
    return await heard;
  };
}

type Listening = ReturnType<ReturnType<typeof localChannel>["listen"]>;

/** Counts what a listener gets; a gap in `seq` would be a delta that was lost. */
async function hear(items: Listening, first: () => void): Promise<number> {
  let last = 0;
  for await (const item of items) {
    first();
    if (item.type !== "delta") continue;
    if (item.seq !== last + 1) throw new Error(`delta ${last + 1} was lost`);
    last = item.seq;
  }
  return last;
}

const stream: Stream = way === "bare" ? bare : own();
const firstMs: number[] = [];
const running: Promise<number>[] = [];
const began = performance.now();
for (let n = 0; n < STREAMS; n += 1) {
  const due = began + (n * 1_000) / PER_SECOND;
  const left = due - performance.now();
  if (left > 1) await wait(left);
  const asked = performance.now();
  let isFirst = true;
  running.push(
    stream(n, () => {
      if (isFirst) firstMs.push(performance.now() - asked);
      isFirst = false;
    }),
  );
}
const counts = await Promise.all(running);
const status = readFileSync("/proc/self/status", "utf8");
const result: Streamed = {
  firstMs,
  streams: counts.length,
  deltas: counts.reduce((sum, count) => sum + count, 0),
  peakMiB: Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024,
};
console.log(JSON.stringify(result));
