// The whole job against a model server that nobody here wrote: read, edit, test, answer; the log
// replays to the same state, and `session show` tells the story.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LLMock } from "@copilotkit/aimock";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dialectNames } from "../peers/dialects.ts";
import { desk, eventsOf, modelAt } from "./kit.ts";

const mock = new LLMock({ port: 0 });
const call = (name: string, input: unknown) => ({ name, arguments: JSON.stringify(input) });

beforeAll(async () => {
  const turn = (turnIndex: number) => ({ userMessage: /fix the sum/, turnIndex });
  mock.on(turn(0), { toolCalls: [call("read", { path: "sum.js" })] });
  const edits = [{ old: "a - b", new: "a + b" }];
  mock.on(turn(1), { toolCalls: [call("edit", { path: "sum.js", edits })] });
  mock.on(turn(2), { toolCalls: [call("run", { command: "node --test" })] });
  mock.on(turn(3), { content: "Fixed: sum.js:1 added where it subtracted." });
  await mock.start();
});
afterAll(() => mock.stop());

const files = {
  "package.json": '{"type":"module"}',
  "sum.js": "export const sum = (a, b) => a - b;\n",
  "sum.test.js":
    'import test from "node:test";\nimport assert from "node:assert";\nimport { sum } from "./sum.js";\ntest("sum", () => assert.equal(sum(2, 3), 5));\n',
};

describe.each(dialectNames)("aiex ask against aimock, in the %s dialect", (dialect) => {
  it("reads, edits, runs the test, answers; and the session tells it", async () => {
    const { aiex, folder } = desk(files, modelAt(`${mock.url}/v1`, dialect));
    expect((await aiex("trust")).code).toBe(0);
    const ran = await aiex("ask", "--yes", "--json", "fix the sum");
    expect([ran.code, ran.err.includes("bug")]).toEqual([0, false]);
    expect(readFileSync(join(folder, "sum.js"), "utf8")).toBe(
      "export const sum = (a, b) => a + b;\n",
    );
    const events = eventsOf(ran.out);
    const types = events.map((event) => event.type);
    for (const type of ["TurnStarted", "StepStarted", "ToolStarted", "ToolFinished", "TurnEnded"]) {
      expect(types).toContain(type);
    }
    expect(types.at(-1)).toBe("result");
    expect(events.at(-1)).toMatchObject({ v: 1, text: expect.stringContaining("Fixed") });
    const tested = events.find(
      (e) => e.type === "ToolFinished" && JSON.stringify(e).includes("commandEnded"),
    );
    expect(JSON.stringify(tested)).toContain('"code":0');

    const session = String(events[0]?.session ?? events.at(-1)?.session);
    const shown = await aiex("session", "show", session.slice(0, 8));
    expect(shown.code).toBe(0);
    for (const part of ["fix the sum", "read sum.js", "edit sum.js", "node --test", "Fixed"]) {
      expect(shown.out).toContain(part);
    }
    expect((await aiex("audit", "verify")).code).toBe(0);

    const rebuilt = await aiex("views", "rebuild");
    expect(rebuilt.code).toBe(0);
    expect((await aiex("session", "show", session.slice(0, 8))).out).toBe(shown.out);
  });
});
