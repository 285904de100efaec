// The whole job against a real model, llama.cpp on the CPU, in both APIs that local servers have. It
// understands nothing, so what it asks for is absurd, yet every call is one that the tool's schema
// allows: each is carried out or answered with the reason why not, and the turn comes to its end.
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { jsonOf } from "#boundary/models/body.ts";
import { type Fields, fieldsOf, listOf } from "#core/model/json.ts";
import { type Answered, type LlamaServer, startLlama } from "../peers/llama.ts";
import { type LlamaModel, llamaFile, openLlama } from "../peers/llama-model.ts";
import { desk, eventsOf, modelAt } from "./kit.ts";

const at = llamaFile();
let model: LlamaModel | undefined;
let server: LlamaServer | undefined;
beforeAll(async () => {
  if ("missing" in at) return;
  model = await openLlama(at.file);
  // Nobody is here to give the leave that `escalate` asks for: the turn would rest there.
  server = await startLlama(model, { leaveOut: ["escalate"] });
});
afterAll(async () => {
  await server?.close();
  await model?.close();
});

const apis: Record<string, (url: string) => Record<string, string>> = {
  "OpenAI's": (url) => ({ ...modelAt(`${url}/v1`), AIEX_MODEL: "openai/llama" }),
  "Ollama's": (url) => ({ OLLAMA_HOST: url, AIEX_MODEL: "ollama/llama" }),
};

describe.each(Object.entries(apis))(
  "aiex ask against llama.cpp behind %s API",
  (_, environment) => {
    it("answers every call that the model makes up, and ends", async ({ skip }) => {
      if ("missing" in at) return skip(at.missing);
      if (!server) throw new Error("the server did not start");
      const { aiex } = desk({ "story.txt": "Once upon a time.\n" }, environment(server.url));
      const from = server.answers.length;
      const ran = await aiex("ask", "--trust", "--yes", "--json", "tell me a story");
      const answers = server.answers.slice(from);
      expect(answers.flatMap(({ problems }) => problems)).toEqual([]);
      expect([ran.code, ran.err]).toEqual([0, ""]);

      const events = eventsOf(ran.out);
      expect(events.some(({ type }) => type === "StepBroken")).toBe(false);
      const { calls, tools } = conversationIn(answers.at(-1));
      expect(tools.size).toBeGreaterThan(1);
      expect(calls.map(({ name }) => name).toSorted()).toEqual([...tools.keys()].toSorted());
      expect(calls.map(({ name, input }) => name + jsonOf(input))).toEqual(
        answers.slice(0, -1).map(({ pieces }) => saidIn(pieces.join(""))),
      );
      for (const { name, input } of calls) {
        const fits = new Ajv().compile(tools.get(name) ?? {});
        expect(fits(input), `${name} ${JSON.stringify(input)}`).toBe(true);
      }
      const finished = events.filter(({ type }) => type === "ToolFinished").map(bodyOf);
      expect(finished.map(({ callId }) => callId)).toEqual(calls.map(({ id }) => id));
      for (const { end, parts } of finished) {
        expect(["ok", "failed", "denied"]).toContain(end);
        expect(listOf(parts)).not.toEqual([]);
      }

      const total = (key: "promptTokens" | "outputTokens") =>
        answers.reduce((sum, answer) => sum + answer[key], 0);
      const usage = { input: total("promptTokens"), output: total("outputTokens"), exact: true };
      const text = answers.at(-1)?.pieces.join("");
      expect(text).toMatch(/[\u{1f300}-\u{1f64f}]\./u);
      expect(events.at(-1)).toMatchObject({ type: "result", end: "done", text, usage });
      expect((await aiex("audit", "verify")).code).toBe(0);
    });
  },
);

/** A call as the model wrote it, with its arguments as Aiex's own JSON has them. */
function saidIn(call: string): string {
  const brace = call.indexOf("{");
  return call.slice(0, brace) + jsonOf(JSON.parse(call.slice(brace)));
}

const bodyOf = (event: Fields): Fields => fieldsOf(event.body);

/** The calls of a conversation as the last request of it has them, and the tools by name. */
function conversationIn(answer: Answered | undefined) {
  const { messages, tools } = answer?.body ?? {};
  const specs = listOf(tools).map((tool) => fieldsOf(fieldsOf(tool).function));
  return {
    tools: new Map(specs.map(({ name, parameters }) => [String(name), fieldsOf(parameters)])),
    calls: listOf(messages)
      .flatMap((message) => listOf(fieldsOf(message).tool_calls))
      .map(fieldsOf)
      .map(({ id, function: named }) => ({ id, ...fieldsOf(named) }))
      .map(({ id, name, arguments: input }: Fields) => ({
        id,
        name: String(name),
        input: typeof input === "string" ? JSON.parse(input) : input,
      })),
  };
}
