// What the server of each dialect does in its own way, besides its answers: where it listens, what
// it refuses, what it hears, how it says a failure. One entry for each dialect.
import type { IncomingHttpHeaders } from "node:http";
import type { Heard } from "#boundary/models/script.ts";
import { type Fields, fieldsOf, listOf, parsed, textAt } from "#core/model/json.ts";
import type { Dialect } from "./strict-answers.ts";
import { anthropicErrors, type Errors, ollamaErrors, openAiErrors } from "./strict-errors.ts";
import { headerProblems, messagesProblems } from "./strict-messages-rules.ts";
import { asTyped, ollamaProblems } from "./strict-ollama.ts";
import { chatProblems, type Issued, responsesProblems } from "./strict-rules.ts";
import { problemsOf } from "./strict-schema.ts";

type ServerWire = {
  path: string;
  media: string;
  /** What ends an event, and what is sent to keep a connection alive. */
  between: string;
  ping: string;
  /** The messages of a conversation, what a tool answered apart from what the user said. */
  items(body: Fields): readonly unknown[];
  problems(json: unknown, text: string, issued: Issued): Promise<string[]>;
  /** What is wrong with the headers, where the server looks at them. */
  headerProblems?(headers: IncomingHttpHeaders): string[];
  errors: Errors;
};

const sse = { media: "text/event-stream; charset=utf-8", between: "\n\n", ping: ": ping\n\n" };

export const wires: Record<Dialect, ServerWire> = {
  responses: {
    ...sse,
    path: "/v1/responses",
    items: (body) => listOf(body.input),
    problems: async (json, text, issued) => [
      ...(await problemsOf("ResponseCreateParamsStreaming", json)),
      ...responsesProblems(fieldsOf(json), text, issued),
    ],
    errors: openAiErrors,
  },
  chat: {
    ...sse,
    path: "/v1/chat/completions",
    items: (body) => listOf(body.messages),
    problems: async (json) => [
      ...(await problemsOf("ChatCompletionCreateParamsStreaming", json)),
      ...chatProblems(fieldsOf(json)),
    ],
    errors: openAiErrors,
  },
  messages: {
    ...sse,
    path: "/v1/messages",
    // An event and no comment: https://platform.claude.com/docs/en/build-with-claude/streaming
    ping: 'event: ping\ndata: {"type": "ping"}\n\n',
    // Results and words of the user share a message there; each is heard for itself.
    items: (body) => listOf(body.messages).map(fieldsOf).flatMap(heardApart),
    problems: async (json, text, issued) => [
      ...(await problemsOf("MessageCreateParamsStreaming", json)),
      ...messagesProblems(fieldsOf(json), text, issued),
    ],
    headerProblems,
    errors: anthropicErrors,
  },
  ollama: {
    path: "/api/chat",
    media: "application/x-ndjson",
    between: "\n",
    // Ollama itself sends none; an empty line is all that a proxy could.
    ping: "\n",
    items: (body) => listOf(body.messages),
    problems: async (json) => [
      ...(await problemsOf("ChatRequest", asTyped(json))),
      ...ollamaProblems(fieldsOf(json)),
    ],
    errors: ollamaErrors,
  },
};

function heardApart(message: Fields): Fields[] {
  if (message.role === "assistant") return [message];
  return listOf(message.content).map((block) => {
    const { type, content } = fieldsOf(block);
    return type === "tool_result" ? { role: "tool", content } : { role: "user", content: [block] };
  });
}

export const dialectAt = (path: string): Dialect | undefined =>
  (Object.keys(wires) as Dialect[]).find((dialect) => wires[dialect].path === path);

/** What the server of this dialect would refuse in a request; `issued` is what it made itself. */
export async function problemsIn(
  dialect: Dialect,
  body: string,
  issued: Issued,
): Promise<string[]> {
  const json = parsed(body);
  if (json === undefined) return ["the body is not JSON"];
  // Strict parsers, Rust's and Go's among them, refuse or spoil half a surrogate pair.
  const halves = /\\ud[89a-f]/i.test(body) && !isWellFormed(json);
  const torn = halves ? ["a text holds half a surrogate pair"] : [];
  return [...torn, ...(await wires[dialect].problems(json, body, issued))];
}

/** Names of the tools that a request offers with free-form input. */
export const freeformIn = (body: Fields): ReadonlySet<unknown> =>
  new Set(
    listOf(body.tools)
      .map(fieldsOf)
      .flatMap(({ type, name }) => (type === "custom" ? [name] : [])),
  );

function isWellFormed(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, inner]) => key.isWellFormed() && isWellFormed(inner));
}

/** A conversation as the script sees it; answers next to each other count as one. */
export function heardIn(dialect: Dialect, body: Fields): Heard[] {
  const heard: Heard[] = [];
  for (const item of wires[dialect].items(body).map(fieldsOf)) {
    const role = roleOf(item);
    if (role === undefined) continue;
    if (role === "assistant" && heard.at(-1)?.role === "assistant") continue;
    heard.push({ role, text: wordsOf(item.content ?? item.output) });
  }
  return heard;
}

function roleOf(item: Fields): Heard["role"] | undefined {
  if (/^(function|custom_tool)_call_output$/.test(String(item.type))) return "tool";
  if (item.role === "tool") return "tool";
  if (/^(function_call|custom_tool_call|reasoning)$/.test(String(item.type))) return "assistant";
  return item.role === "user" || item.role === "assistant" ? item.role : undefined;
}

function wordsOf(content: unknown): string {
  if (typeof content === "string") return content;
  return listOf(content)
    .map((part) => textAt(fieldsOf(part), "text") ?? "")
    .join("\n");
}
