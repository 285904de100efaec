// Ollama's own API as the strict stub speaks it: what its server refuses or spoils although it fits
// the official types, scripted answers as lines of JSON, and what it says about a model. Sources are
// files of https://github.com/ollama/ollama at v0.33.
import {
  type Cue,
  callIdOf,
  inputText,
  piecesOf,
  type ScriptedAnswer,
} from "#boundary/models/script.ts";
import { type Fields, fieldsOf, isObject, listOf, numberAt, parsed } from "#core/model/json.ts";
import type { Stop } from "#core/model/message.ts";
import type { Frame } from "./frame.ts";
import { chatProblems } from "./strict-rules.ts";

/**
 * The body as the types of the `ollama` package have it. They are behind the server: these keys are
 * of `ChatRequest` and `Message` in `api/types.go`. A tool's schema is decoded into a fixed shape
 * there, and keys that it does not know are dropped, not refused.
 */
export function asTyped(body: unknown): unknown {
  const { truncate: _, shift: __, ...rest } = fieldsOf(body);
  const messages = listOf(rest.messages).map((message) => {
    const { tool_call_id: _, ...known } = fieldsOf(message);
    if (!Array.isArray(known.tool_calls)) return known;
    const calls = known.tool_calls.map(fieldsOf);
    return { ...known, tool_calls: calls.map(({ id: _, ...call }) => call) };
  });
  const tools = listOf(rest.tools).map((tool) => {
    const named = fieldsOf(fieldsOf(tool).function);
    const { type } = fieldsOf(named.parameters);
    return { ...fieldsOf(tool), function: { ...named, parameters: { type } } };
  });
  return { ...rest, messages, ...(rest.tools === undefined ? {} : { tools }) };
}

const roles = ["system", "user", "assistant", "tool"];

export function ollamaProblems(body: Fields): string[] {
  const messages = listOf(body.messages).map(fieldsOf);
  const problems: string[] = [];
  for (const key of ["truncate", "shift"]) {
    // Left to themselves both cut the conversation without a word: `server/prompt.go`, `chatPrompt`.
    if (body[key] !== false) problems.push(`ollama: \`${key}\` is not false`);
  }
  const names = new Map<unknown, unknown>();
  for (const [at, message] of messages.entries()) {
    const where = `messages[${at}]`;
    if (!roles.includes(String(message.role))) problems.push(`${where}: unknown role`);
    for (const call of listOf(message.tool_calls).map(fieldsOf)) {
      const { name, arguments: input } = fieldsOf(call.function);
      names.set(call.id, name);
      // `ToolCallFunctionArguments.UnmarshalJSON` takes an object and nothing else.
      if (!isObject(input)) problems.push(`${where}: arguments are no object`);
    }
    // Templates show a result under the name of its tool: docs/capabilities/tool-calling.mdx.
    if (message.role === "tool" && message.tool_name !== names.get(message.tool_call_id)) {
      problems.push(`${where}: tool_name is not the name of its call`);
    }
    // `ImageData` is Go's []byte: padded standard base64, anything else is a 400.
    for (const image of listOf(message.images)) {
      if (!isBase64(image)) problems.push(`${where}: an image is not base64`);
    }
  }
  return [...problems, ...windowProblems(body), ...chatProblems(asChat(body, messages))];
}

/** Go's standard encoding: whole groups of four, a data URL is none. */
const isBase64 = (text: unknown): boolean =>
  typeof text === "string" && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);

/** Without `num_ctx` a server has 4,096 on machines with less than 24 GiB: docs/context-length.mdx. */
const NUM_CTX = 4_096;

/** What an older server would cut. English prose has the longest tokens: five characters each. */
function windowProblems(body: Fields): string[] {
  const window = numberAt(fieldsOf(body.options), "num_ctx") ?? NUM_CTX;
  const texts = JSON.stringify([body.messages, body.tools]).replace(/"images":\[[^\]]*\]/g, "");
  const tokens = Math.floor(texts.length / 5);
  const say = `a prompt of some ${tokens} tokens is cut to num_ctx ${window} without a word`;
  return tokens > window ? [`ollama: ${say}`] : [];
}

/** The conversation in the form of Chat Completions, whose rules on order hold here too. */
function asChat(body: Fields, messages: readonly Fields[]): Fields {
  const chat = messages.map(({ content, tool_calls: calls, images, ...rest }) => {
    const made = listOf(calls).map((call) => {
      const { name, arguments: input } = fieldsOf(fieldsOf(call).function);
      return { id: fieldsOf(call).id, function: { name, arguments: JSON.stringify(input) } };
    });
    const said = content === "" && (made.length > 0 || images) ? null : content;
    return made.length > 0
      ? { ...rest, content: said, tool_calls: made }
      : { ...rest, content: said };
  });
  return { ...body, messages: chat };
}

const doneReasons: Partial<Record<Stop, string>> = {
  done: "stop",
  calls: "stop",
  length: "length",
};

/** JSON as Go writes it: `<`, `>`, `&` and U+2028 escaped. */
const goJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

export function ollamaFrames({ answer, position }: Cue): Frame[] {
  const base = { model: "stub", created_at: "2026-01-01T00:00:00.000000001Z" };
  const line = (fields: object, chars = 0): Frame => ({
    text: `${goJson({ ...base, ...fields })}\n`,
    chars,
  });
  const says = (fields: object, chars: number): Frame =>
    line({ message: { role: "assistant", content: "", ...fields }, done: false }, chars);
  const frames = [
    ...piecesOf(answer.reasoning ?? "").map((thinking) => says({ thinking }, thinking.length)),
    ...piecesOf(answer.text ?? "").map((content) => says({ content }, content.length)),
  ];
  for (const [at, call] of (answer.calls ?? []).entries()) {
    const raw = inputText(call.input);
    const id = callIdOf(position, at, call.id);
    if (!isObject(parsed(raw))) {
      // What its parsers answer to a call that they cannot read, as `model/parsers` words it.
      const error = `error parsing tool call: raw='${raw}', err=unexpected end of JSON input`;
      return [...frames, { text: `${goJson({ error })}\n`, chars: 0 }];
    }
    const named = { id, function: { index: at, name: call.tool, arguments: {} } };
    const frame = says({ tool_calls: [named] }, raw.length);
    // The model's own text, to see that it is kept; Ollama itself would write it compactly.
    frames.push({
      ...frame,
      text: frame.text.replace('"arguments":{}', () => `"arguments":${raw}`),
    });
  }
  const message = { role: "assistant", content: "" };
  const done_reason = doneReasons[answer.stop ?? "done"] ?? "stop";
  return [...frames, line({ message, done: true, done_reason, ...metricsOf(answer) })];
}

function metricsOf(answer: ScriptedAnswer): object {
  const { input, output, cached } = answer.usage ?? { input: 1_000, cached: 40, output: 20 };
  return {
    total_duration: 5_000_000,
    load_duration: 1_000_000,
    prompt_eval_count: input,
    prompt_eval_cached_count: cached,
    prompt_eval_duration: 1_000_000,
    eval_count: output,
    eval_duration: 1_000_000,
  };
}

/** What a server says of one model: `ShowResponse` and `ProcessModelResponse` of `api/types.go`. */
export type OllamaModel = {
  name: string;
  digest?: string;
  capabilities?: readonly string[];
  /** `<architecture>.context_length` of the model itself. */
  contextLength?: number;
  /** The window it is loaded with. */
  loaded?: number;
  /** `PARAMETER` lines of its Modelfile. */
  parameters?: string;
};

/** The answers to everything but a chat, by method and path; `/api/show` knows only this model. */
export function ollamaPages(model: OllamaModel): Record<string, object> {
  const { name, digest = "0".repeat(64), capabilities } = model;
  const details = { format: "gguf", family: "llama", families: ["llama"], parameter_size: "8B" };
  const listed = {
    name,
    model: name,
    modified_at: "2026-01-01T00:00:00Z",
    size: 1,
    digest,
    details,
  };
  const running = { name, model: name, digest, details, context_length: model.loaded };
  return {
    "GET /api/version": { version: "0.33.2" },
    "GET /api/tags": { models: [{ ...listed, capabilities }] },
    "GET /api/ps": { models: model.loaded === undefined ? [] : [running] },
    "POST /api/show": {
      parameters: model.parameters,
      details,
      model_info: {
        "general.architecture": "llama",
        "llama.context_length": model.contextLength,
        "llama.embedding_length": 4_096,
      },
      capabilities,
    },
  };
}
