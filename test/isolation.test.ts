// A bug in what one session uses, an adapter or a tool, stays with that session: the others of the
// same node go on, and so does the node.
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { App } from "#app";
import { scriptedModel } from "#boundary/models/scripted.ts";
import { loadConfig } from "#config";
import { ok, type Result } from "#core/failure.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { type Ports, start } from "../src/start.ts";

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.say}`);
  return result.value;
}

const bug = (): never => {
  throw new TypeError("x is not a function");
};

/** Sends a prompt to a fresh session and answers its events up to the turn's end. */
async function turn(app: App, cwd: string, model: string): Promise<SessionEvent[]> {
  const { stream } = must(await app.send({ type: "StartSession", cwd, model }));
  must(await app.send({ type: "SubmitPrompt", session: stream, text: "go" }));
  const events: SessionEvent[] = [];
  const over = new AbortController();
  for await (const entry of app.follow({ stream, after: 0 }, over.signal)) {
    const { decoded } = must(entry);
    if (decoded.kind === "event") events.push(decoded.event);
    if (events.at(-1)?.type === "TurnEnded") break;
  }
  over.abort();
  return events;
}

async function nodeWith(around: (ports: Ports) => Ports): Promise<{ app: App; folder: string }> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "aiex-isolation-")));
  const env = { HOME: root, AIEX_HOME: join(root, "home") };
  const config = must(loadConfig({ env, flags: {} }));
  const app = must(await start({ config, env, ephemeral: true, around }));
  onTestFinished(async () => {
    await app.close();
    rmSync(root, { recursive: true, force: true });
  });
  must(await app.send({ type: "Trust", path: root }));
  return { app, folder: root };
}

it("a bug in a model's adapter fails its own turn, while another session's turn runs on", async () => {
  const failed = Promise.withResolvers<void>();
  const fine = scriptedModel({ answers: [{ text: "Fine." }] });
  const port = {
    sick: { ...fine, encode: bug },
    held: {
      ...fine,
      async *call(...given: Parameters<typeof fine.call>) {
        await failed.promise;
        yield* fine.call(...given);
      },
    },
  };
  const { app, folder } = await nodeWith((ports) => ({
    ...ports,
    openModel: async (name) => ok({ port: name === "sick" ? port.sick : port.held, model: name }),
  }));
  const other = turn(app, folder, "held");
  const sick = await turn(app, folder, "sick");
  expect(sick.at(-1)).toMatchObject({ end: "failed", failure: { code: "bug" } });
  failed.resolve();
  expect((await other).at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
});

it("a bug in a tool fails its own call, wherever it is, and the turn goes on", async () => {
  const fine = scriptedModel({
    answers: [
      { calls: [{ tool: "list", input: {} }] },
      { calls: [{ tool: "glob", input: { pattern: "*" } }] },
      { text: "Both failed.", expect: { from: "tool", contains: "x is not a function" } },
    ],
  });
  const { app, folder } = await nodeWith((ports) => ({
    ...ports,
    openModel: async (model) => ok({ port: fine, model }),
    tools: {
      name: "sick",
      tools: async () =>
        (await ports.tools.tools()).map((tool) => {
          if (tool.spec.name === "list") return { ...tool, prepare: bug };
          return {
            ...tool,
            async prepare(...given: Parameters<typeof tool.prepare>) {
              const prepared = await tool.prepare(...given);
              return prepared.ok ? ok({ ...prepared.value, run: bug }) : prepared;
            },
          };
        }),
    },
  }));
  const events = await turn(app, folder, "any");
  const ends = events.flatMap((e) => (e.type === "ToolFinished" ? [e.end] : []));
  expect(ends).toEqual(["failed", "failed"]);
  expect(events.at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
});

it("a bug that the runner cannot end the turn for is told, and the node goes on", async () => {
  let sick = "";
  const fine = scriptedModel({ answers: [{ text: "Fine." }] });
  const { app, folder } = await nodeWith((ports) => ({
    ...ports,
    openModel: async (model) => ok({ port: fine, model }),
    leases: {
      ...ports.leases,
      take: (name) => (name === sick ? bug() : ports.leases.take(name)),
    },
  }));
  const { stream } = must(await app.send({ type: "StartSession", cwd: folder, model: "any" }));
  sick = stream;
  const over = new AbortController();
  const told = (async () => {
    for await (const live of app.listen({ session: stream }, over.signal)) {
      if (live.type === "stopped") return live.failure;
    }
    return null;
  })();
  must(await app.send({ type: "SubmitPrompt", session: stream, text: "go" }));
  expect(await told).toMatchObject({ code: "bug" });
  over.abort();
  expect((await turn(app, folder, "any")).at(-1)).toMatchObject({ end: "done" });
});
