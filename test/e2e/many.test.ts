// Many processes, one log: ten prompts at once in one folder, the very first start included; two on
// one session; and one that is killed while another waits.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type StrictStub, startStrictStub } from "../peers/strict.ts";
import { desk, eventsOf, modelAt } from "./kit.ts";

let stub: StrictStub | undefined;
afterEach(async () => {
  expect(stub?.malformed()).toEqual([]);
  await stub?.close();
});

describe("ten `aiex ask` at once, the first start included", () => {
  it("all end, none is locked out, every chain verifies", async () => {
    stub = await startStrictStub({
      script: {
        answers: [
          {
            calls: [
              { tool: "read", input: { path: "a.txt" } },
              { tool: "list", input: {} },
            ],
          },
          { calls: [{ tool: "run", input: { command: "echo hi" } }] },
          { text: "Done." },
        ],
      },
    });
    const { aiex } = desk({ "a.txt": "a\n" }, modelAt(stub.url));
    const asks = Array.from({ length: 10 }, (_, i) => aiex("ask", "--trust", "--json", `go ${i}`));
    const ran = await Promise.all(asks);
    expect(ran.map(({ code, err }) => [code, /locked|busy/i.test(err)])).toEqual(
      ran.map(() => [0, false]),
    );
    for (const { out } of ran) expect(eventsOf(out).at(-1)).toMatchObject({ type: "result" });
    const verified = await aiex("audit", "verify");
    expect([verified.code, verified.err]).toEqual([0, ""]);
    const listed = await aiex("session", "list", "--json");
    expect(eventsOf(listed.out).length).toBeGreaterThanOrEqual(10);
  });
});

describe("two processes on one session", () => {
  /** The command of the first turn; it ends once the test has made the file `go`, or never. */
  const waiting = (command = "while [ ! -e go ]; do sleep 0.05; done; echo once >> ran.txt") => ({
    answers: [
      { calls: [{ tool: "run", input: { command } }] },
      { text: "First." },
      { text: "Second." },
    ],
  });

  it("one runs, the other follows and sees its own turn run too", async () => {
    stub = await startStrictStub({ script: waiting() });
    const { aiex, start, folder } = desk({}, modelAt(stub.url));
    await aiex("trust");
    const first = start("ask", "--json", "one");
    const id = await sessionOf(first, "ToolStarted");
    const asking = start("ask", "--json", "--session", id, "two");
    const ending = ended(asking);
    await ending.queued;
    writeFileSync(join(folder, "go"), "");
    const second = await ending.ran;
    expect(second.code).toBe(0);
    expect(eventsOf(second.out).at(-1)).toMatchObject({ type: "result", text: "Second." });
    expect((await aiex("audit", "verify")).code).toBe(0);
  });

  it("when the one that runs is killed, the other goes on, and nothing runs twice", async () => {
    stub = await startStrictStub({ script: waiting("sleep 1000") });
    const { aiex, start } = desk({}, modelAt(stub.url));
    await aiex("trust");
    const first = start("ask", "--json", "one");
    const id = await sessionOf(first, "ToolStarted");
    const second = aiex("ask", "--json", "--session", id, "two");
    first.kill("SIGKILL");
    const ran = await second;
    expect(ran.code).toBe(0);
    const shown = await aiex("session", "show", id);
    expect(shown.out).toMatch(/not known|interrupted/i);
    const { out } = await aiex("audit", "--session", id, "--json");
    const records = eventsOf(out).map(({ record }) => record as { type: string });
    const starts = records.filter(({ type }) => type === "ToolStarted");
    expect(starts).toHaveLength(1);
  });
});

/** How a started process ends, and when it has queued its prompt behind an open turn. */
function ended(child: ReturnType<ReturnType<typeof desk>["start"]>) {
  let [out, err] = ["", ""];
  const queued = Promise.withResolvers<void>();
  child.stdout?.on("data", (chunk: Buffer) => (out += chunk));
  child.stderr?.on("data", (chunk: Buffer) => {
    err += chunk;
    if (err.includes("queued behind the turn")) queued.resolve();
  });
  const ran = new Promise<{ code: number | null; out: string }>((resolve) => {
    child.on("close", (code) => resolve({ code, out }));
  });
  return { queued: queued.promise, ran };
}

/** The id of the session a running `ask --json` works in, once it printed an event of that type. */
async function sessionOf(
  child: ReturnType<ReturnType<typeof desk>["start"]>,
  type = "TurnStarted",
): Promise<string> {
  let out = "";
  for await (const chunk of child.stdout ?? []) {
    out += chunk;
    const found = eventsOf(out.slice(0, out.lastIndexOf("\n") + 1)).find((e) => e.type === type);
    if (found) return String(found.session);
  }
  throw new Error(`the process ended without ${type}: ${out}`);
}
