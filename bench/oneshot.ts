// A whole one-shot prompt as a user types it, against a program that does only what nobody can
// leave out: `bench/floor.js`.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Compared, compare, runOnce } from "./measure.ts";

const root = dirname(import.meta.dirname);
const RUNS = 15;
/** Limits of the issue that asked for this bench. */
const WALL_MAX = 2.2;
const MEMORY_MAX = 1.6;

const chunks = ["Hello", " from", " the", " stub", "."].map((content) => ({
  id: "1",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
}));

const answer = [
  ...chunks,
  { ...chunks[0], choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
  {
    ...chunks[0],
    choices: [],
    usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 },
  },
]
  .map((event) => `data: ${JSON.stringify(event)}\n\n`)
  .concat("data: [DONE]\n\n")
  .join("");

/** What a model that calls tools answers when it is probed, which it is once, in the warm-up. */
const probed = [
  {
    ...chunks[0],
    choices: [
      {
        index: 0,
        delta: {
          tool_calls: [
            {
              index: 0,
              id: "p",
              type: "function",
              function: { name: "read_file", arguments: JSON.stringify({ path: "notes.txt" }) },
            },
          ],
        },
        finish_reason: null,
      },
    ],
  },
  { ...chunks[0], choices: [{ index: 0, delta: {}, finish_reason: "tool_calls" }] },
]
  .map((event) => `data: ${JSON.stringify(event)}\n\n`)
  .concat("data: [DONE]\n\n")
  .join("");

export async function oneshot(): Promise<Compared[]> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text) => {
      body += text;
    });
    request.on("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(body.includes("notes.txt") ? probed : answer);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const folder = mkdtempSync(join(tmpdir(), "aiex-bench-"));
  const env = {
    HOME: folder,
    AIEX_HOME: join(folder, "home"),
    XDG_CACHE_HOME: join(folder, "cache"),
    OPENAI_BASE_URL: url,
    OPENAI_API_KEY: "k",
    AIEX_MODEL: "openai/m",
  };
  try {
    await runOnce({ command: join(root, "bin", "aiex"), args: ["trust"], env, cwd: folder });
    return await compare(
      { command: join(root, "bin", "aiex"), args: ["ask", "hi"], env, cwd: folder },
      {
        command: process.execPath,
        args: [join(root, "bench", "floor.js"), join(folder, "floor.db"), url],
        env,
      },
      { runs: RUNS, what: "oneshot", wallMax: WALL_MAX, memoryMax: MEMORY_MAX },
    );
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
