// A turn in a small window, through the whole program and over real connections: large files, a
// command with much output, several results at once. Nothing is sent that the window cannot take
// where it is known, the turn goes on to its end, and what was left out can be read.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { App } from "#app";
import { contentOf } from "#boundary/models/ollama.ts";
import type { ScriptedAnswer } from "#boundary/models/script.ts";
import { loadConfig } from "#config";
import type { Result } from "#core/failure.ts";
import { fieldsOf, numberAt, parsed } from "#core/model/json.ts";
import { textOf } from "#core/model/message.ts";
import { requestTokensLikely } from "#core/model/tokens.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { start } from "../../src/start.ts";
import { spoken } from "../peers/dialects.ts";
import { type Fault, startStrictStub } from "../peers/strict.ts";

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.say}`);
  return result.value;
}

const lines = (name: string) =>
  Array.from({ length: 800 }, (_, n) => `${name}${n} = what stands in this line of it`).join("\n");

type Small = {
  dialect: "ollama" | "chat";
  windowTokens: number;
  /** What the server says of itself. */
  pages: Record<string, object>;
  command: string;
};

const ollamaWith = (tokens: number): Small => ({
  dialect: "ollama",
  windowTokens: tokens,
  command: "run",
  pages: {
    "POST /api/show": {
      model_info: { "general.architecture": "q", "q.context_length": tokens },
      capabilities: ["completion", "tools"],
    },
  },
});
const compatible: Small = {
  dialect: "chat",
  windowTokens: 8_192,
  command: "shell_command",
  pages: { "GET /v1/models": { object: "list", data: [{ id: "gpt-5", max_model_len: 8_192 }] } },
};

/** What the model says with its nth answer, having read this much of what it was sent. */
function saying(n: number, body: string, { command }: Small): ScriptedAnswer {
  const read = (path: string, from = 1) => ({ tool: "read", input: { path, from } });
  const on = body
    .matchAll(/read on with from: (\d+)/g)
    .toArray()
    .at(-1)?.[1];
  const output = /read `(output:[0-9a-f]{64})`(?: from (\d+))?/.exec(body);
  if (n === 0) return { calls: ["a.txt", "b.txt", "c.txt"].map((path) => read(path)) };
  if (n < 5) return { calls: [read("a.txt", Number(on ?? 1))] };
  if (n === 5) return { calls: [{ tool: command, input: { command: "seq 100000 120000" } }] };
  if (n === 6) return { calls: [read(output?.[1] ?? "no output", Number(output?.[2] ?? 1))] };
  return { text: "All is read." };
}

it.each([ollamaWith(4_096), ollamaWith(8_192), compatible])(
  "$dialect with $windowTokens tokens works through large results",
  async (small) => {
    const { dialect, windowTokens, pages } = small;
    const root = realpathSync(mkdtempSync(join(tmpdir(), "aiex-small-")));
    for (const name of ["a", "b", "c"]) writeFileSync(join(root, `${name}.txt`), lines(name));
    const script: { answers: ScriptedAnswer[] } = { answers: [] };
    let answers = 0;
    const tooLong = `This model's maximum context length is ${windowTokens} tokens.`;
    const error = {
      message: tooLong,
      type: "invalid_request_error",
      code: "context_length_exceeded",
    };
    const stub = await startStrictStub({
      script,
      pages,
      fault(_, { body }): Fault | undefined {
        if (requestTokensLikely(contentOf(body)) > windowTokens) {
          return { do: "answer", status: 400, body: JSON.stringify({ error }) };
        }
        // Whatever was compacted: the next answer, not the one of that place.
        script.answers = Array(40).fill(saying(answers, body, small));
        answers += 1;
      },
    });
    const { model, provider, settings } = spoken[dialect];
    const env = {
      HOME: root,
      AIEX_HOME: join(root, ".home"),
      AIEX_PROBE: "never",
      AIEX_SANDBOX: "none",
      PATH: process.env.PATH,
      ...settings(stub.url),
    };
    const app: App = must(await start({ config: must(loadConfig({ env, flags: {} })), env }));
    onTestFinished(async () => {
      await app.close();
      await stub.close();
      rmSync(root, { recursive: true, force: true });
    });
    must(await app.send({ type: "Trust", path: root }));
    const named = `${provider}/${model}`;
    const begun = must(
      await app.send({ type: "StartSession", cwd: root, model: named, mode: "yes" }),
    );
    const session = begun.stream;
    must(await app.send({ type: "SubmitPrompt", session, text: "read everything" }));
    const events: SessionEvent[] = [];
    const over = new AbortController();
    for await (const entry of app.follow({ stream: session, after: 0 }, over.signal)) {
      const { decoded } = must(entry);
      if (decoded.kind === "event") events.push(decoded.event);
      if (decoded.kind === "event" && decoded.event.type === "TurnEnded") break;
    }
    over.abort();

    expect(events.at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
    expect(stub.malformed().map(({ problems }) => problems)).toEqual([]);
    expect(events.some(({ type }) => type === "Compacted")).toBe(true);
    const results = events.flatMap((e) => (e.type === "ToolFinished" ? [textOf(e.parts)] : []));
    expect(results.at(-2)).toMatch(
      /^100000\n.*lines left out: read `output:.*\n120000\n+\(exit 0\)$/s,
    );
    expect(results.at(-1)).toMatch(/^\d+\t1\d{5}\n/);
    for (const { body } of stub.requests) {
      expect(body).toContain("read everything");
      if (dialect !== "ollama") continue;
      const window = numberAt(fieldsOf(fieldsOf(parsed(body)).options), "num_ctx");
      expect(window).toBeLessThanOrEqual(windowTokens);
      expect(requestTokensLikely(contentOf(body))).toBeLessThan(window ?? 0);
    }
  },
);
