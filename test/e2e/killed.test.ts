// `aiex ask` killed (SIGKILL) in the middle of a model's answer and of a command, in a terminal and
// without one; `aiex ask --continue` goes on with exactly what was left.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type StrictStub, startStrictStub } from "../peers/strict.ts";
import { linesOf, Machine } from "./aiex.ts";
import { modelAt } from "./kit.ts";

let machine: Machine;
let stub: StrictStub | undefined;

beforeEach(() => {
  machine = new Machine();
});
afterEach(async () => {
  expect(stub?.malformed() ?? []).toEqual([]);
  await stub?.close();
  stub = undefined;
  machine.remove();
});

const answer = { text: "One two three four five." };

/** A model that stops speaking in the middle of its first answer, and only of that. */
async function cutShort() {
  const asked = Promise.withResolvers<void>();
  stub = await startStrictStub({
    script: { answers: [answer] },
    fault(index) {
      asked.resolve();
      return index === 0 ? { do: "hang", after: 700 } : undefined;
    },
  });
  return { env: modelAt(stub.url), asked: asked.promise };
}

describe("killed in the middle of an answer", () => {
  it("the question is asked again, and the answer is shown once and whole", async () => {
    const { env, asked } = await cutShort();
    const first = machine.start(["ask", "--trust", "--json", "hi"], { env });
    await asked;
    first.kill("SIGKILL");
    expect((await first.ended).code).toBe(null);
    const second = await machine.run(["ask", "--continue"], { env });
    expect(second).toMatchObject({ code: 0, out: `${answer.text}\n` });
    expect(second.err).toContain("Aiex stopped while the model answered; trying again");
    const third = await machine.run(["ask", "--continue"], { env });
    expect(third).toMatchObject({ code: 2, out: "" });
    expect(third.err).toContain("no turn of this session is open");
  });

  it("a terminal that saw a part of it is told so, and sees the whole in the next", async () => {
    const { env } = await cutShort();
    await machine.run(["trust"]);
    const first = machine.terminal(["ask", "--color", "never", "hi"], { env });
    // The last word of a piece waits for its end: it may have to move to the next line.
    await first.shows("One");
    first.kill("SIGKILL");
    await first.ended;
    const second = machine.terminal(["ask", "--color", "never", "--continue"], { env });
    const { code, screen } = await second.ended;
    expect({ code, screen }).toMatchObject({ code: 0 });
    expect(screen.split(answer.text)).toHaveLength(2);
  });
});

describe("killed in the middle of a command", () => {
  it("the command dies too, is not run again, and the model is told", async () => {
    // A pipe that the command holds open: its end says that the command is gone.
    const alive = join(machine.folder, "alive");
    execFileSync("mkfifo", [alive]);
    const command = "exec 3> alive; echo begun >> log; echo begun >&3; sleep 1000";
    const model = machine.model("m", [
      { text: "Working.", calls: [{ tool: "run", input: { command } }] },
      { text: "I look first.", expect: { from: "tool", contains: "is not known" } },
    ]);
    const first = machine.start(["ask", "--trust", "--json", "-m", model, "go"]);
    const heard = createReadStream(alive);
    await once(heard, "data");
    first.kill("SIGKILL");
    await Promise.all([first.ended, once(heard.resume(), "end")]);
    const second = await machine.run(["ask", "--continue", "--json"]);
    expect(linesOf(second.out).at(-1)).toMatchObject({ end: "done", text: "I look first." });
    expect(readFileSync(join(machine.folder, "log"), "utf8")).toBe("begun\n");
    expect((await machine.run(["audit", "verify"])).out).toContain("every chain holds");
  });
});
