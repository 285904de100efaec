// The five deadlines over real connections: the right one fires and is named, and none fires on a
// slow server that is well. Times are short; their order is what counts.

import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { requestOf } from "#boundary/models/contract.ts";
import { watchDeadlines } from "#boundary/models/deadlines.ts";
import { openModel, probe } from "#boundary/models/index.ts";
import { openaiChat } from "#boundary/models/openai-chat.ts";
import type { Deadlines, ModelEnd } from "#boundary/models/port.ts";
import type { ScriptedAnswer } from "#boundary/models/script.ts";
import { dialectNames, spoken } from "../../../test/peers/dialects.ts";
import { type Fault, startStrictStub } from "../../../test/peers/strict.ts";

const long: Deadlines = {
  connectMs: 20_000,
  firstTokenMs: 20_000,
  silenceMs: 20_000,
  idleMs: 20_000,
  totalMs: 20_000,
};

const text = "four five six seven eight nine ten eleven twelve thirteen fourteen";
const words: ScriptedAnswer = { reasoning: "one two three", text };

async function ended(
  fault: Fault | undefined,
  deadlines: Partial<Deadlines>,
  answer = words,
): Promise<ModelEnd[]> {
  const stub = await startStrictStub({ script: { answers: [answer] }, fault: () => fault });
  const calls = dialectNames.map(async (dialect) => {
    const { model, port } = spoken[dialect];
    const to = port(stub.url);
    const options = {
      model,
      signal: AbortSignal.timeout(15_000),
      deadlines: { ...long, ...deadlines },
    };
    const items = await Array.fromAsync(to.call(to.encode(requestOf(model)), options));
    return items.at(-1) as ModelEnd;
  });
  const ends = await Promise.all(calls);
  await stub.close();
  return ends;
}

describe("a server that stops being well", () => {
  const table: [what: string, fault: Fault, deadlines: Partial<Deadlines>, named: string][] = [
    ["sends no headers", { do: "hang", after: "accept" }, { connectMs: 150 }, "connect"],
    ["sends headers and then nothing", { do: "hang", after: 0 }, { silenceMs: 150 }, "silence"],
    [
      "sends only pings before its first word",
      { do: "hang", after: 0, pingMs: 20 },
      { firstTokenMs: 150, silenceMs: 120 },
      "firstToken",
    ],
    ["is silent in the middle", { do: "hang", after: 1_500 }, { silenceMs: 150 }, "silence"],
    [
      "sends only pings in the middle",
      { do: "hang", after: 1_500, pingMs: 20 },
      { idleMs: 150, silenceMs: 120 },
      "idle",
    ],
    [
      "pings for ever under patient deadlines",
      { do: "hang", after: 1_500, pingMs: 20 },
      { totalMs: 250 },
      "total",
    ],
    [
      "drips a byte at a time without end",
      { do: "slow", bytes: 1, pauseMs: 10 },
      { totalMs: 250, silenceMs: 150 },
      "total",
    ],
  ];
  it.each(table)("and %s is named after its deadline", async (_, fault, deadlines, named) => {
    for (const end of await ended(fault, deadlines)) {
      expect(end).toMatchObject({
        stop: "broken",
        failure: { code: "timeout", detail: { deadline: named } },
        usage: { exact: false },
      });
    }
  });
});

describe("a slow server that is well", () => {
  const tight = { connectMs: 600, firstTokenMs: 600, silenceMs: 300, idleMs: 300 };

  it("may take its time for headers, the first word and each word", async () => {
    const faults: Fault[] = [
      { do: "slow", headersMs: 300 },
      { do: "slow", firstMs: 200 },
      { do: "slow", bytes: 400, pauseMs: 60 },
    ];
    for (const fault of faults) {
      for (const end of await ended(fault, tight))
        expect([fault, end.stop]).toEqual([fault, "done"]);
    }
  });

  it("may think aloud for longer than any pause: reasoning is progress", async () => {
    const thinker = { reasoning: "hm ".repeat(12), text: "so", pauseMs: 60 };
    for (const end of await ended(undefined, { ...tight, firstTokenMs: 150 }, thinker)) {
      expect(end.stop).toBe("done");
    }
  });

  it("is not blamed for a listener that takes its time", async () => {
    const stub = await startStrictStub({ script: { answers: [{ ...words, pauseMs: 5 }] } });
    const port = openaiChat({ provider: "stub", baseUrl: stub.url, isOpenAi: true });
    const request = requestOf("m");
    const options = {
      model: "m",
      signal: AbortSignal.timeout(15_000),
      deadlines: { ...long, silenceMs: 100, idleMs: 100, firstTokenMs: 100 },
    };
    let last: string | undefined;
    for await (const item of port.call(port.encode(request), options)) {
      if (item.type === "end") last = item.stop;
      else if (item.type === "text") await new Promise((go) => setTimeout(go, 150));
    }
    expect(last).toBe("done");
    await stub.close();
  });
});

describe("a chat server that says it finished but never closes", () => {
  it("has ended its answer all the same, a few seconds later", async () => {
    const text =
      'data: {"choices":[{"index":0,"delta":{"content":"so"},"finish_reason":"stop"}]}\n\n';
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${text}`);
      });
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const { port: number } = server.address() as AddressInfo;
    const open = openaiChat({
      provider: "stub",
      baseUrl: `http://127.0.0.1:${number}/v1`,
      isOpenAi: false,
    });
    const request = requestOf("m");
    const options = { model: "m", signal: AbortSignal.timeout(15_000), deadlines: long };
    const items = await Array.fromAsync(open.call(open.encode(request), options));
    expect(items.at(-1)).toMatchObject({ stop: "done", parts: [{ text: "so" }] });
    server.close();
  });
});

describe("a probe of a model that is still loading", () => {
  it("ends after five seconds, and guesses nothing", async () => {
    const fault: Fault = { do: "hang", after: "accept" };
    const stub = await startStrictStub({ script: { answers: [words] }, fault: () => fault });
    const opened = await openModel("ollama/m", { OLLAMA_HOST: new URL(stub.url).host });
    if (!opened.ok) throw new Error(opened.error.say);
    const { found } = await probe(opened.value, {}, AbortSignal.timeout(60_000));
    expect(found).toMatchObject({
      error: { code: "timeout", say: expect.stringContaining("not answer within 5 s") },
    });
    await stub.close();
  });
});

describe("the clocks", () => {
  const clockAt = () => {
    const at = { nowMs: 0, bootMs: 0 };
    return { at, clock: { nowMs: () => at.nowMs, bootMs: () => at.bootMs } };
  };
  const passing = (
    deadlines: Partial<Deadlines>,
    set: (at: { nowMs: number; bootMs: number }) => void,
  ) =>
    new Promise((passed) => {
      const { at, clock } = clockAt();
      const watch = watchDeadlines({ ...long, ...deadlines }, passed, clock);
      watch.headers();
      set(at);
    });

  it("tell a machine that slept from a server that was silent", async () => {
    const slept = await passing({ totalMs: 5 }, (at) => {
      at.bootMs = 600_000;
      at.nowMs = 5;
    });
    expect(slept).toMatchObject({ type: "slept", ms: expect.closeTo(600_000, -2) });
    const silent = await passing({ silenceMs: 5 }, (at) => {
      at.nowMs = at.bootMs = 10_000;
    });
    expect(silent).toMatchObject({ type: "deadline", name: "silence" });
  });

  it.each([
    ["first token", { firstTokenMs: 5 }, "firstToken"],
    ["idle", { idleMs: 5 }, "idle"],
  ] as const)("leave the %s deadline where it stood when a ping was read", async (_, set, name) => {
    const passed = await new Promise((passed) => {
      const { at, clock } = clockAt();
      const watch = watchDeadlines({ ...long, ...set }, passed, clock);
      watch.headers();
      if (name === "idle") watch.progress();
      // The reader is busy for a second, then for no time at all: only the first one is not counted.
      watch.hold();
      at.nowMs = 1_000;
      watch.release();
      at.nowMs = 1_005;
      watch.hold();
      watch.release();
    });
    expect(passed).toMatchObject({ type: "deadline", name });
  });

  it("do not follow the wall clock", async () => {
    const { now } = Date;
    try {
      Date.now = () => now() + 3_600_000;
      const ends = await ended({ do: "slow", bytes: 500, pauseMs: 20 }, { silenceMs: 2_000 });
      expect(ends.map(({ stop }) => stop)).toEqual(dialectNames.map(() => "done"));
    } finally {
      Date.now = now;
    }
  });
});
