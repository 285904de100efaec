// `aiex session compactions` through the whole program: what was left out is named by its events, a
// revert lets the model see it again where it fits, and turns can be undone and redone as before.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadConfig } from "#config";
import type { Result } from "#core/failure.ts";
import { textOf } from "#core/model/message.ts";
import { start } from "../../../src/start.ts";
import { Machine } from "../aiex.ts";
import { eventsOf } from "../kit.ts";

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
});
afterEach(() => machine.remove());

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.say}`);
  return result.value;
}

/** A door of this process over the home of the machine, for what the command line has no verb for. */
async function atTheDoor<T>(work: (app: Awaited<ReturnType<typeof openDoor>>) => Promise<T>) {
  const app = await openDoor();
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

async function openDoor() {
  const env = { HOME: machine.root, AIEX_HOME: machine.home, AIEX_PROBE: "never" };
  return must(await start({ config: must(loadConfig({ env, flags: {} })), env }));
}

const seenBy = async (session: string): Promise<string> =>
  await atTheDoor(async (app) => {
    const { state } = must(await app.read({ type: "Session", session }));
    return state.messages.map(({ parts }) => textOf(parts)).join("\n");
  });

const does = (n: number) => [
  { calls: [{ tool: "write", input: { path: `${n}.txt`, content: `${n}\n` } }] },
  { text: `done ${n}` },
];

/** A session of four turns that each write a file, compacted then. */
async function compactedSession(env: Record<string, string> = {}): Promise<string> {
  const model = machine.model("m", [...[1, 2, 3, 4, 5].flatMap(does), { text: "over" }]);
  const args = ["--trust", "--yes", "-m", model];
  for (const n of [1, 2, 3, 4]) {
    const more = n === 1 ? [] : ["--continue"];
    const ran = await machine.run(["ask", ...args, ...more, `wish ${n}`], { env });
    expect(ran, ran.err).toMatchObject({ code: 0 });
  }
  return await atTheDoor(async (app) => {
    const [row] = must(await app.read({ type: "View", view: "sessions", limit: 1 }));
    const session = String(row?.session);
    must(await app.send({ type: "Compact", session }));
    return session;
  });
}

it("shows what was left out, and reverts it for the model and for undo", async () => {
  const session = await compactedSession();
  const shown = await machine.run(["session", "compactions", session]);
  expect(shown).toMatchObject({ code: 0, err: "" });
  expect(shown.out).toMatch(/^1 {2}event \d+ · .* · the user asked for it$/m);
  expect(shown.out).toMatch(/16 → \d+ messages · about [\d.k]+ → [\d.k]+ tokens · no summary/);
  expect(shown.out).toMatch(/left out: \d+ messages\n {5}#\d+ prompt: wish 1\n/);
  expect(shown.out).toMatch(/word for word: 0 things to do, 4 files, .*\n {5}#\d+ prompt: wish 1/);
  const json = await machine.run(["session", "compactions", session, "--json"]);
  const [line] = eventsOf(json.out);
  expect(line).toMatchObject({ type: "compaction", n: 1, why: "asked", by: null, reverted: null });
  expect(await seenBy(session)).not.toContain("created 1.txt");

  const reverted = await machine.run(["session", "compactions", session, "--revert", "1"]);
  expect(reverted, reverted.err).toMatchObject({ code: 0 });
  expect(await seenBy(session)).toContain("created 1.txt");
  // A scripted model answers by how much it sees: the fifth turn, since it sees all four.
  const asked = await machine.run(["ask", "--yes", "--continue", "wish 5"]);
  expect(asked.out).toContain("done 5");
  const again = await machine.run(["session", "compactions", session, "--json"]);
  expect(eventsOf(again.out)[0]?.reverted).toBeGreaterThan(Number(line?.version));

  const at = (n: number) => readFileSync(join(machine.folder, `${n}.txt`), "utf8");
  for (const n of [5, 4, 3]) {
    expect(await machine.run(["undo"])).toMatchObject({ code: 0 });
    expect(() => at(n)).toThrow();
  }
  expect(await seenBy(session)).toContain("done 2");
  expect(await seenBy(session)).not.toMatch(/wish 3|done 3|took back/);
  expect(await machine.run(["redo"])).toMatchObject({ code: 0 });
  expect(at(3)).toBe("3\n");
  expect(await seenBy(session)).toMatch(/done 2.*wish 3.*done 3/s);
});

it("says why a compaction cannot be reverted, and names what can be", async () => {
  const session = await compactedSession();
  const revert = async (n: string) =>
    await machine.run(["session", "compactions", session, "--revert", n]);
  expect((await revert("2")).err).toContain("there is no compaction 2: the session has 1");
  expect((await revert("0")).err).toContain("--revert takes the number of a compaction");
  expect(await revert("1")).toMatchObject({ code: 0 });
  expect((await revert("1")).err).toContain("reverted this compaction already");
  const none = await machine.run(["session", "compactions", "nosuchid"]);
  expect(none.code).not.toBe(0);
});

it("does not revert what the window cannot take", async () => {
  const session = await compactedSession({ AIEX_MAX_CONTEXT_TOKENS: "2000" });
  const refused = await machine.run(["session", "compactions", session, "--revert", "1"]);
  expect(refused.code).not.toBe(0);
  expect(refused.err).toMatch(/about \d+ tokens.*before they are shortened.*a larger window/);
});
