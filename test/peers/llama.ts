// A server on loopback whose answers nobody wrote: a real llama.cpp model behind the chat API of
// OpenAI and that of Ollama. Each answer is a call to a tool that was not called in this turn, and a
// grammar made from the request's own tools holds the model to their schemas; when all were called it
// says a sentence. Pieces come as the model's tokens do. It keeps nothing between two requests.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { jsonOf } from "#boundary/models/body.ts";
import { type Fields, fieldsOf, listOf, parsed, textAt } from "#core/model/json.ts";
import { callGrammar, type GrammarTool, sentenceGrammar } from "./llama-grammar.ts";
import type { Generated, LlamaModel, Piece } from "./llama-model.ts";
import { problemsIn } from "./strict-wires.ts";

/** A request and the answer to it. */
export type Answered = {
  body: Fields;
  /** What was malformed in the request; empty where nothing was. */
  problems: readonly string[];
  promptTokens: number;
  outputTokens: number;
  /** Undefined where the client left before the end. */
  end: "stop" | "length" | undefined;
  /** The answer as it was sent, piece by piece. */
  pieces: readonly string[];
};

export type LlamaServer = {
  /** The server's root, as for `OLLAMA_HOST`; OpenAI's API is under `/v1`. */
  readonly url: string;
  readonly answers: readonly Answered[];
  close(): Promise<void>;
};

/** `leaveOut`: optional arguments of tools that the model must not use. */
export async function startLlama(
  model: LlamaModel,
  { leaveOut }: { leaveOut: readonly string[] },
): Promise<LlamaServer> {
  const answers: Answered[] = [];
  let last: Promise<void> = Promise.resolve();

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wire = wires[`${request.method} ${request.url}`];
    const text = Buffer.concat(await Array.fromAsync(request)).toString();
    if (!wire) return void response.writeHead(404).end(JSON.stringify({ error: "not found" }));
    const body = fieldsOf(parsed(text));
    const problems = await problemsIn(wire.dialect, text, new Map());
    // The model has one window: one answer after the other.
    const turn = last.then(() => answer(wire, { body, problems }, response));
    last = turn.catch(() => {});
    await turn;
  }

  async function answer(
    wire: Wire,
    asked: { body: Fields; problems: readonly string[] },
    response: ServerResponse,
  ): Promise<void> {
    const tools = uncalled(asked.body, leaveOut);
    const grammar = tools.length > 0 ? callGrammar(tools) : sentenceGrammar;
    const generated = model.generate({ prompt: promptOf(asked.body), grammar });
    const pieces: string[] = [];
    let outputTokens = 0;
    async function* counted(): AsyncGenerator<Piece> {
      for await (const piece of generated.pieces) {
        pieces.push(piece.text);
        outputTokens += piece.tokens;
        yield piece;
      }
    }
    response.writeHead(200, { "content-type": wire.media });
    const kind = tools.length > 0 ? "call" : "text";
    const id = String(answers.length + 1);
    const { promptTokens } = generated;
    const usage = () => ({ promptTokens, outputTokens, end: generated.end() });
    for await (const frame of wire.frames({ id, kind, pieces: counted(), usage })) {
      if (response.destroyed) break;
      response.write(frame);
    }
    answers.push({ ...asked, ...usage(), pieces });
    response.end();
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: Error) => {
      if (response.headersSent) return void response.destroy(error);
      response.writeHead(500).end(JSON.stringify({ error: error.message }));
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers,
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await last;
    },
  };
}

/** The tools that were not called in this turn, with what a call to them may say. */
function uncalled({ messages, tools }: Fields, leaveOut: readonly string[]): GrammarTool[] {
  const said = listOf(messages).map(fieldsOf);
  const prompt = said.findLastIndex(({ role }) => role === "user");
  const made = said
    .slice(prompt + 1)
    .flatMap((message) => listOf(message.tool_calls))
    .map((call) => textAt(fieldsOf(fieldsOf(call).function), "name"));
  return listOf(tools)
    .map((tool) => fieldsOf(fieldsOf(tool).function))
    .map(({ name, parameters }) => ({ name: String(name), schema: fieldsOf(parameters) }))
    .filter(({ name }) => !made.includes(name))
    .map(({ name, schema }) => {
      const members = Object.entries(fieldsOf(schema.properties));
      const properties = Object.fromEntries(members.filter(([key]) => !leaveOut.includes(key)));
      return { name, schema: { ...schema, properties } };
    });
}

/** The model was trained on bare text, so any template will do. */
function promptOf({ messages }: Fields): string {
  const lines = listOf(messages)
    .map(fieldsOf)
    .map(({ role, content, tool_calls: made }) => {
      const said = typeof content === "string" ? content : JSON.stringify(content ?? "");
      return `${role}: ${said}${made ? JSON.stringify(made) : ""}\n`;
    });
  return `${lines.join("")}assistant:`;
}

/** An answer on its way; `usage` is told when its pieces were taken. */
type Said = {
  id: string;
  kind: "call" | "text";
  pieces: AsyncIterable<Piece>;
  usage(): { promptTokens: number; outputTokens: number; end: ReturnType<Generated["end"]> };
};

type Wire = {
  dialect: "chat" | "ollama";
  media: string;
  frames(said: Said): AsyncGenerator<string>;
};

/** By method and path: one entry each. */
const wires: Record<string, Wire> = {
  "POST /v1/chat/completions": {
    dialect: "chat",
    media: "text/event-stream",
    frames: chatFrames,
  },
  "POST /api/chat": { dialect: "ollama", media: "application/x-ndjson", frames: ollamaFrames },
};

/** `ChatCompletionChunk` of the official types, as llama.cpp's server streams it. */
async function* chatFrames({ id, kind, pieces, usage }: Said): AsyncGenerator<string> {
  const base = {
    id: `chatcmpl-${id}`,
    object: "chat.completion.chunk",
    created: 1,
    model: "llama",
  };
  const frame = (fields: object) => `data: ${jsonOf({ ...base, ...fields })}\n\n`;
  const delta = (fields: object, finish_reason: string | null = null) =>
    frame({ choices: [{ index: 0, delta: fields, finish_reason }] });
  const call = (fields: object) => delta({ tool_calls: [{ index: 0, ...fields }] });
  yield delta({ role: "assistant", content: null });
  let name = "";
  let named = kind === "text";
  for await (const { text } of pieces) {
    if (kind === "text") yield delta({ content: text });
    else if (named) yield call({ function: { arguments: text } });
    else {
      // The name ends where the arguments begin, which may be inside a token.
      name += text;
      const brace = name.indexOf("{");
      if (brace === -1) continue;
      named = true;
      const begin = { name: name.slice(0, brace), arguments: name.slice(brace) };
      yield call({ id: `call_${id}`, type: "function", function: begin });
    }
  }
  const { promptTokens, outputTokens, end } = usage();
  yield delta({}, kind === "call" && end === "stop" ? "tool_calls" : (end ?? "length"));
  yield frame({
    choices: [],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: outputTokens,
      total_tokens: promptTokens + outputTokens,
    },
  });
  yield "data: [DONE]\n\n";
}

/** `ChatResponse` of `api/types.go`: a text token by token, a call whole once it can be read. */
async function* ollamaFrames({ id, kind, pieces, usage }: Said): AsyncGenerator<string> {
  const base = { model: "llama", created_at: "2026-01-01T00:00:00Z" };
  const frame = (fields: object) => `${jsonOf({ ...base, ...fields })}\n`;
  const message = (fields: object) =>
    frame({ message: { role: "assistant", content: "", ...fields }, done: false });
  let call = "";
  for await (const { text } of pieces) {
    if (kind === "text") yield message({ content: text });
    else call += text;
  }
  const { promptTokens, outputTokens, end } = usage();
  if (kind === "call" && end === "stop") {
    const brace = call.indexOf("{");
    const input = { name: call.slice(0, brace), arguments: parsed(call.slice(brace)) };
    yield message({ tool_calls: [{ id: `call_${id}`, function: { index: 0, ...input } }] });
  }
  yield frame({
    message: { role: "assistant", content: "" },
    done: true,
    done_reason: end ?? "length",
    prompt_eval_count: promptTokens,
    prompt_eval_cached_count: 0,
    eval_count: outputTokens,
  });
}
