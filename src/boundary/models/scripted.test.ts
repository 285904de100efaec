// The scripted model: the contract, and the rules of scripts.
import { describe, expect, it } from "vitest";
import { called, modelContract, requestOf, resultOf, said } from "#boundary/models/contract.ts";
import { piecesOf, readScript, type Script } from "#boundary/models/script.ts";
import { scriptedModel } from "#boundary/models/scripted.ts";
import type { Message } from "#core/model/message.ts";

const answered: Message = { role: "assistant", parts: [{ type: "text", text: "first" }] };

modelContract("scripted", async (script) => ({
  port: scriptedModel(script),
  model: "demo",
  close: async () => {},
}));

describe("a script", () => {
  const script: Script = { answers: [{ text: "first" }, { text: "second" }] };

  it("goes on where the conversation is, in a new process too", async () => {
    const messages = [said("a"), answered, said("b")];
    const { end } = await called(scriptedModel(script), requestOf("demo", { messages }));
    expect(end.parts).toEqual([{ type: "text", text: "second" }]);
  });

  it("fails plainly when it is over", async () => {
    const messages = [said("a"), answered, said("b"), answered, said("c")];
    const { end } = await called(scriptedModel(script), requestOf("demo", { messages }));
    expect(end.failure).toEqual({
      code: "bad_input",
      say: "the script has 2 answers and is asked for number 3",
    });
  });

  it("fails plainly when the conversation is not what it expects", async () => {
    const picky: Script = {
      answers: [
        { calls: [{ tool: "run", input: { command: "npm test" } }] },
        { text: "fixed", expect: { from: "tool", contains: "1 failed", lacks: "panic" } },
      ],
    };
    const call: Message = {
      role: "assistant",
      parts: [{ type: "call", id: "c1", tool: "run", input: "{}" }],
    };
    const port = scriptedModel(picky);
    const hearing = (text: string) =>
      called(port, requestOf("demo", { messages: [said("a"), call, resultOf("c1", text)] }));
    expect((await hearing("3 passed, 1 failed")).end.stop).toBe("done");
    expect((await hearing("4 passed")).end.failure?.say).toBe(
      'answer 2 of the script does not fit: no tool message contains "1 failed"; it got "4 passed"',
    );
    expect((await hearing("1 failed: panic")).end.failure?.code).toBe("bad_input");
  });

  it("may fail a few times before it answers", async () => {
    const failure = { code: "overloaded", say: "busy", times: 2 } as const;
    const port = scriptedModel({ answers: [{ text: "at last", failure }] });
    const ends = [];
    for (let i = 0; i < 3; i += 1) ends.push((await called(port, requestOf("demo"))).end.stop);
    expect(ends).toEqual(["broken", "broken", "done"]);
  });

  it("is checked as it is read, and says where it is wrong", () => {
    expect(readScript("{", "demo.json")).toMatchObject({
      error: { code: "bad_input", say: "demo.json is not JSON" },
    });
    const bad = readScript('{"answers":[{"text":"a"},{"txt":"b"}]}', "demo.json");
    expect(bad).toMatchObject({ ok: false, error: { say: expect.stringContaining("answers.1") } });
    const pattern = readScript('{"answers":[{"expect":{"matches":"("}}]}', "demo.json");
    expect(pattern).toMatchObject({ ok: false, error: { code: "bad_input" } });
    const good = { answers: [{ text: "a", calls: [{ tool: "read", input: { path: "x" } }] }] };
    expect(readScript(JSON.stringify(good), "demo.json")).toEqual({ ok: true, value: good });
  });

  it("streams in pieces that add up", () => {
    const text = `  a bb\n\nccc ${"x".repeat(100)} 🙂  `;
    expect(piecesOf(text).join("")).toBe(text);
    expect(piecesOf("")).toEqual([]);
    expect(piecesOf("   ")).toEqual(["   "]);
  });
});
