// A node that kills itself: the real program over real ports, with a SIGKILL at the n-th moment at
// which it waits for the log, the blobs, the model or a tool. Run by crash.test.ts.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import * as z from "zod/mini";
import type { ModelPort } from "#boundary/models/port.ts";
import type { Tool } from "#boundary/tools/port.ts";
import { defineTool, outcome } from "#boundary/tools/tool.ts";
import { loadConfig } from "#config";
import { ok, type Result } from "#core/failure.ts";
import { type Ports, start } from "../../src/start.ts";

const { FOLDER = "", MARKS = "", DIE_AT = "0" } = process.env;

let moments = 0;

/** One moment between two things; at the n-th the process dies, as if the power had gone. */
async function moment(): Promise<void> {
  moments += 1;
  if (moments !== Number(DIE_AT)) return;
  process.kill(process.pid, "SIGKILL");
  await new Promise(() => {});
}

async function between<T>(work: () => Promise<T>): Promise<T> {
  await moment();
  const done = await work();
  await moment();
  return done;
}

/** A keyed tool: the other side does a thing once for each key, however often it is asked. */
const pay = defineTool({
  name: "pay",
  effect: "keyed",
  about: "Pays once.",
  input: z.strictObject({ key: z.string() }),
  example: { key: "k1" },
  prepare: async ({ key }) =>
    ok({
      access: [],
      effect: "keyed" as const,
      intent: { key },
      title: `pay ${key}`,
      run: async () => {
        const done = existsSync(MARKS) ? readFileSync(MARKS, "utf8") : "";
        if (!done.includes(`paid ${key}\n`)) appendFileSync(MARKS, `paid ${key}\n`);
        return outcome("paid");
      },
    }),
});

function aroundTool(tool: Tool): Tool {
  return {
    ...tool,
    async prepare(input, context) {
      const prepared = await between(() => tool.prepare(input, context));
      if (!prepared.ok) return prepared;
      const { run } = prepared.value;
      return ok({ ...prepared.value, run: (running) => between(() => run(running)) });
    },
  };
}

function aroundModel(port: ModelPort): ModelPort {
  return {
    ...port,
    async *call(wire, options) {
      await moment();
      for await (const item of port.call(wire, options)) {
        await moment();
        yield item;
      }
    },
  };
}

function around(ports: Ports): Ports {
  const { log, blobs } = ports;
  return {
    ...ports,
    log: { ...log, append: (...given) => between(() => log.append(...given)) },
    blobs: { ...blobs, put: (bytes) => between(() => blobs.put(bytes)) },
    tools: {
      name: "test",
      tools: async () => [...(await ports.tools.tools()), pay].map(aroundTool),
    },
    async openModel(name, options) {
      const opened = await ports.openModel(name, options);
      return opened.ok ? ok({ ...opened.value, port: aroundModel(opened.value.port) }) : opened;
    },
  };
}

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.say}`);
  return result.value;
}

const config = must(loadConfig({ env: process.env, flags: {} }));
const app = must(await start({ config, env: process.env, around }));
const found = must(await app.read({ type: "View", view: "sessions", limit: 1 }));
const session = found[0] ? String(found[0].session) : await begin();
const { state } = must(await app.read({ type: "Session", session }));
const isFresh = state.version === 1;
const prompt = { type: "SubmitPrompt", session, text: "do it" } as const;
must(await app.send(isFresh ? prompt : { type: "Resume", session }));
const stop = new AbortController();
for await (const entry of app.follow({ stream: session, after: 0 }, stop.signal)) {
  if (must(entry).record.type === "TurnEnded") break;
}
console.log(JSON.stringify({ moments, session }));
await app.close();

async function begin(): Promise<string> {
  must(await app.send({ type: "Trust", path: FOLDER }));
  return must(await app.send({ type: "StartSession", cwd: FOLDER })).stream;
}
