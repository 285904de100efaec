// A long turn in each dialect, through the whole program: thirty steps with a plan, words of the
// user in between, a switched mode and a permission. Each request begins with the exact content of
// the one before it, none is malformed, and what was sent is in the log, byte for byte.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { App } from "#app";
import { isGrown } from "#boundary/models/contract.ts";
import type { ScriptedAnswer } from "#boundary/models/script.ts";
import { requestsIn } from "#boundary/requests.ts";
import { loadConfig } from "#config";
import type { Result } from "#core/failure.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { type Ports, start } from "../../src/start.ts";
import { dialectNames, spoken } from "../peers/dialects.ts";
import { startStrictStub } from "../peers/strict.ts";
import type { Dialect } from "../peers/strict-answers.ts";

const STEPS = 30;
const PLAN = 5;
const STEERED = [7, 20];
const ASKED = 10;
const SWITCHED = 15;

type Call = { tool: string; input: unknown };

const escalate = { kind: "unsandboxed", why: "to see that it asks" };

/** The same three calls as each family knows its tools: reading, planning, a command that asks. */
const calls: Record<Dialect, { read: Call; plan: Call; ask: Call }> = {
  responses: {
    read: { tool: "read", input: { path: "a.txt" } },
    plan: { tool: "update_plan", input: { plan: [{ step: "look", status: "in_progress" }] } },
    ask: { tool: "shell_command", input: { command: "echo allowed", escalate } },
  },
  chat: {
    read: { tool: "read", input: { path: "a.txt" } },
    plan: { tool: "update_plan", input: { plan: [{ step: "look", status: "in_progress" }] } },
    ask: { tool: "shell_command", input: { command: "echo allowed", escalate } },
  },
  messages: {
    read: { tool: "Read", input: { file_path: "a.txt" } },
    plan: {
      tool: "TodoWrite",
      input: { todos: [{ content: "look", status: "in_progress", activeForm: "Looking" }] },
    },
    ask: { tool: "Bash", input: { command: "echo allowed", escalate } },
  },
  // Small models at home plan without a tool, and give the reason beside the kind.
  ollama: {
    read: { tool: "read", input: { path: "a.txt" } },
    plan: { tool: "list", input: {} },
    ask: {
      tool: "run",
      input: { command: "echo allowed", escalate: escalate.kind, why: escalate.why },
    },
  },
};

function answersOf({ read, plan, ask }: (typeof calls)[Dialect]): ScriptedAnswer[] {
  return Array.from({ length: STEPS }, (_, i): ScriptedAnswer => {
    if (i === STEPS - 1) return { text: "Seen thirty times." };
    const call = i === PLAN ? plan : i === ASKED ? ask : read;
    const reasoning = `thought ${i} – ünï 🙂`;
    return { reasoning, ...(i % 3 === 0 ? { text: `step ${i}` } : {}), calls: [call] };
  });
}

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.say}`);
  return result.value;
}

/** Follows the session to the end of its turn; allows what is asked. */
async function followed(app: App, session: string): Promise<SessionEvent[]> {
  const events: SessionEvent[] = [];
  const over = new AbortController();
  for await (const entry of app.follow({ stream: session, after: 0 }, over.signal)) {
    const { decoded } = must(entry);
    if (decoded.kind !== "event") continue;
    const e = decoded.event;
    events.push(e);
    if (e.type === "TurnEnded") break;
    if (e.type !== "PermissionAsked") continue;
    const { callId, hash } = e;
    const answer = { callId, hash, answer: "allow", scope: "once" } as const;
    must(await app.send({ type: "AnswerPermission", session, ...answer }));
  }
  over.abort();
  return events;
}

it.each(dialectNames)("thirty steps in %s only ever add to the request before", async (dialect) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "aiex-long-")));
  const { model, provider, settings, wire } = spoken[dialect];
  let session = "";
  let app: App | undefined;
  /** What the user does while this request is answered: the answer comes after it. */
  const meanwhile = async (index: number) => {
    if (!app) return;
    if (STEERED.includes(index)) must(await app.send({ type: "Steer", session, text: "brief" }));
    if (index === SWITCHED) must(await app.send({ type: "SwitchMode", session, mode: "plan" }));
  };
  const stub = await startStrictStub({
    script: { answers: answersOf(calls[dialect]) },
    fault: (index) => ({ do: "hold", until: meanwhile(index) }),
  });
  writeFileSync(join(root, "a.txt"), "some text\n");
  const env = {
    HOME: root,
    AIEX_HOME: join(root, ".home"),
    AIEX_PROBE: "never",
    PATH: process.env.PATH,
    ...settings(stub.url),
  };
  const kept: Ports[] = [];
  const around = (ports: Ports): Ports => {
    kept.push(ports);
    return ports;
  };
  app = must(await start({ config: must(loadConfig({ env, flags: {} })), env, around }));
  onTestFinished(async () => {
    await app?.close();
    await stub.close();
    rmSync(root, { recursive: true, force: true });
  });
  must(await app.send({ type: "Trust", path: root }));
  const named = `${provider}/${model}`;
  session = must(await app.send({ type: "StartSession", cwd: root, model: named })).stream;
  must(await app.send({ type: "SubmitPrompt", session, text: "look thirty times" }));
  const events = await followed(app, session);

  expect(events.at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
  const finished = events.flatMap((e) => (e.type === "ToolFinished" ? [e.end] : []));
  expect(finished).toEqual(Array(STEPS - 1).fill("ok"));
  expect(events.filter(({ type }) => type === "PermissionAnswered")).toHaveLength(1);
  expect(stub.malformed().map(({ problems }) => problems)).toEqual([]);
  const bodies = stub.requests.map(({ body }) => body);
  expect(bodies).toHaveLength(STEPS);
  for (const [i, body] of bodies.entries()) {
    expect([i, isGrown(wire, bodies[i - 1] ?? body, body)]).toEqual([i, true]);
  }
  const [ports] = kept;
  const requests = ports && requestsIn(ports.blobs);
  const steps = events.flatMap((e) => (e.type === "StepStarted" ? [e] : []));
  for (const [i, { request }] of steps.entries()) {
    const sent = await requests?.get(request.hash);
    expect(sent?.ok && JSON.parse(sent.value).body).toBe(bodies[i]);
  }
});
