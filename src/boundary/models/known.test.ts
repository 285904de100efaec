// What is known of a model over time: a server that is silent is asked again soon, what it said counts
// until it says something else.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { called, requestOf } from "#boundary/models/contract.ts";
import { opened, reachOver } from "#boundary/models/samples.ts";
import { type Fault, startStrictStub } from "../../../test/peers/strict.ts";

describe("a model of this machine", () => {
  it("is asked again soon while its server is silent, and keeps what it said over that", async () => {
    let said: number | undefined;
    let asked = 0;
    const server = createServer(({ url }, response) => {
      if (url === "/api/show") asked += 1;
      const model_info = { "general.architecture": "a", "a.context_length": said };
      response.writeHead(said ? 200 : 503).end(JSON.stringify({ model_info }));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    let nowMs = 0;
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const reach = reachOver({}, { OLLAMA_HOST: host }, { nowMs: () => nowMs });
    const seenAfter = async (ms: number) => {
      nowMs += ms;
      const { facts, unasked = false } = await opened(reach, "ollama/m");
      return [asked, facts.windowTokens, unasked];
    };
    // It loads the model: after five seconds, then ten, it is asked again.
    expect(await seenAfter(0)).toEqual([1, undefined, true]);
    expect(await seenAfter(4_999)).toEqual([1, undefined, true]);
    expect(await seenAfter(1)).toEqual([2, undefined, true]);
    expect(await seenAfter(9_999)).toEqual([2, undefined, true]);
    said = 8_192;
    expect(await seenAfter(1)).toEqual([3, 8_192, false]);
    expect(await seenAfter(299_999)).toEqual([3, 8_192, false]);
    said = undefined;
    expect(await seenAfter(1)).toEqual([4, 8_192, false]);
    said = 4_096;
    expect(await seenAfter(4_999)).toEqual([4, 8_192, false]);
    expect(await seenAfter(1)).toEqual([5, 4_096, false]);
    server.close();
  });

  it("that cannot be probed now is probed again soon, but not one that takes too long", async () => {
    let fault: Fault | undefined = { do: "answer", status: 503, body: "Loading model" };
    const stub = await startStrictStub({
      models: ["m"],
      script: { answers: [{ text: "hm" }] },
      fault: () => fault,
    });
    let nowMs = 0;
    const more = { probing: "first_use", nowMs: () => nowMs } as const;
    const reach = reachOver({ providers: [{ name: "near", url: stub.url }] }, {}, more);
    const callsAfter = async (ms: number) => {
      nowMs += ms;
      return [(await opened(reach, "near/m")).facts.calls, stub.requests.length];
    };
    expect(await callsAfter(0)).toEqual([undefined, 1]);
    expect(await callsAfter(4_999)).toEqual([undefined, 1]);
    // Four failures so far: a fifth would open the breaker, and a short patience is none.
    const { port, model } = await opened(reach, "near/m");
    for (let i = 0; i < 3; i += 1) await called(port, requestOf(model));
    fault = { do: "hang", after: "accept" };
    expect(await callsAfter(1)).toEqual([undefined, 5]);
    const { models } = await reach.list(new AbortController().signal);
    expect(models.map(({ ways }) => ways[0]?.breaker)).toEqual(["closed"]);
    fault = undefined;
    expect(await callsAfter(299_999)).toEqual([undefined, 5]);
    expect(await callsAfter(1)).toEqual(["text", 6]);
    await stub.close();
  });

  it("is probed by the gateway's ways: it counts for its rate and its breaker", async () => {
    let fault: Fault | undefined;
    const stub = await startStrictStub({
      script: { answers: [{ text: "hm" }] },
      fault: () => fault,
    });
    const providers = [{ name: "near", url: stub.url }];
    const rates = [{ models: "near/*", requestsPerMinute: 60 }];
    const reach = reachOver({ providers, rates }, {}, { probing: "first_use" });
    const leftOf = async () =>
      (await reach.list(new AbortController().signal)).models[0]?.ways[0]?.left.requests;
    expect(await leftOf()).toBe(60);
    await opened(reach, "near/stub");
    expect(await leftOf()).toBe(59);
    fault = { do: "answer", status: 503, body: "busy" };
    // The probe is the first of five failures.
    const sick = reachOver({ providers }, {}, { probing: "first_use" });
    const { port, model } = await opened(sick, "near/stub");
    for (let i = 0; i < 5; i += 1) await called(port, requestOf(model));
    expect(stub.requests).toHaveLength(1 + 5);
    await stub.close();
  });
});
