// Scripted answers as the dialects stream them, and those of OpenAI itself: every event as the
// official types have it, in the order in which OpenAI sends them, with JSON escaped to ASCII as its
// servers may do.
import {
  type Cue,
  callIdOf,
  inputText,
  piecesOf,
  type ScriptedAnswer,
} from "#boundary/models/script.ts";
import type { Stop } from "#core/model/message.ts";
import { asciiJson, type Frame, stopOf, usageOf } from "./frame.ts";
import { messagesFrames } from "./strict-messages.ts";
import { ollamaFrames } from "./strict-ollama.ts";
import type { Issued } from "./strict-rules.ts";

/** What the answer depends on besides its cue. */
export type Asked = {
  /** Items given out, for the rules about what must come back. */
  issued: Issued;
  /** The tools that the request offers as custom ones: calls of them have no JSON. */
  freeform: ReadonlySet<unknown>;
};

/** How each dialect streams an answer: one line each. */
const streams = {
  responses: responsesFrames,
  chat: chatFrames,
  messages: messagesFrames,
  ollama: ollamaFrames,
} satisfies Record<string, (cue: Cue, asked: Asked) => Frame[]>;

export type Dialect = keyof typeof streams;

export const framesOf = (dialect: Dialect, cue: Cue, asked: Asked): Frame[] =>
  streams[dialect](cue, asked);

const finishReasons: Partial<Record<Stop, string>> = {
  done: "stop",
  refused: "stop",
  calls: "tool_calls",
  length: "length",
  filtered: "content_filter",
};

function chatFrames({ answer, position }: Cue): Frame[] {
  const stop = stopOf(answer);
  const base = {
    id: `chatcmpl-${position + 1}`,
    object: "chat.completion.chunk",
    created: 1_700_000_000,
    model: "stub",
  };
  const frame = (more: object, chars = 0): Frame => ({
    text: `data: ${asciiJson({ ...base, ...more })}\n\n`,
    chars,
  });
  const delta = (fields: object, chars = 0): Frame =>
    frame({ choices: [{ index: 0, delta: fields, logprobs: null, finish_reason: null }] }, chars);
  const field = stop === "refused" ? "refusal" : "content";
  const usage = usageOf(answer);
  return [
    delta({ role: "assistant", content: "", refusal: null }),
    // Not of OpenAI's types, but of most servers that imitate them.
    ...piecesOf(answer.reasoning ?? "").map((text) =>
      delta({ reasoning_content: text }, text.length),
    ),
    ...piecesOf(answer.text ?? "").map((text) => delta({ [field]: text }, text.length)),
    ...(answer.calls ?? []).flatMap(({ tool: name, input, id: given }, index) => {
      const id = callIdOf(position, index, given);
      const begin = { index, id, type: "function", function: { name, arguments: "" } };
      return [
        delta({ tool_calls: [begin] }),
        ...piecesOf(inputText(input)).map((text) =>
          delta({ tool_calls: [{ index, function: { arguments: text } }] }, text.length),
        ),
      ];
    }),
    frame({
      choices: [
        { index: 0, delta: {}, logprobs: null, finish_reason: finishReasons[stop] ?? "stop" },
      ],
    }),
    frame({
      choices: [],
      usage: {
        prompt_tokens: usage.input,
        completion_tokens: usage.output,
        total_tokens: usage.input + usage.output,
        prompt_tokens_details: { cached_tokens: usage.cached, audio_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: usage.reasoning, audio_tokens: 0 },
      },
    }),
    { text: "data: [DONE]\n\n", chars: 0 },
  ];
}

function responsesFrames(cue: Cue, { issued, freeform }: Asked): Frame[] {
  const { answer, position } = cue;
  const stop = stopOf(answer);
  const frames: Frame[] = [];
  const output: object[] = [];
  let reasoning: string | undefined;
  const add = (type: string, fields: object, chars = 0) => {
    const event = { type, sequence_number: frames.length, ...fields };
    frames.push({ text: `event: ${type}\ndata: ${asciiJson(event)}\n\n`, chars });
  };
  const done: Done = (item) => {
    add("response.output_item.done", { output_index: output.length, item });
    issued.set(item.id, { raw: asciiJson(item), reasoning });
    output.push(item);
  };
  add("response.created", { response: responseOf(cue, "in_progress", []) });
  add("response.in_progress", { response: responseOf(cue, "in_progress", []) });
  if (answer.reasoning !== undefined) {
    reasoning = addReasoning(add, answer.reasoning, { position, index: output.length }, done);
  }
  if (answer.text !== undefined) {
    addMessage(add, answer.text, { position, index: output.length, stop }, done);
  }
  for (const [at, call] of (answer.calls ?? []).entries()) {
    if (freeform.has(call.tool)) {
      addFreeform(add, call, { position, at, index: output.length }, done);
      continue;
    }
    const item = {
      id: `fc_${position + 1}_${at + 1}`,
      type: "function_call",
      status: "in_progress",
      arguments: "",
      call_id: callIdOf(position, at, call.id),
      name: call.tool,
    };
    const place = { output_index: output.length, item_id: item.id };
    add("response.output_item.added", { output_index: output.length, item });
    for (const delta of piecesOf(inputText(call.input))) {
      add("response.function_call_arguments.delta", { ...place, delta }, delta.length);
    }
    const input = { name: call.tool, arguments: inputText(call.input) };
    add("response.function_call_arguments.done", { ...place, arguments: input.arguments });
    done({ ...item, ...input, status: stop === "length" ? "incomplete" : "completed" });
  }
  const status = stop === "length" || stop === "filtered" ? "incomplete" : "completed";
  add(`response.${status}`, { response: responseOf(cue, status, output) });
  return frames;
}

type Add = (type: string, fields: object, chars?: number) => void;
type Done = (item: { id: string } & Record<string, unknown>) => void;

function addReasoning(
  add: Add,
  text: string,
  { position, index }: { position: number; index: number },
  done: Done,
): string {
  const item = { id: `rs_${position + 1}`, type: "reasoning", summary: [], encrypted_content: "" };
  const place = { output_index: index, item_id: item.id, summary_index: 0 };
  add("response.output_item.added", { output_index: index, item });
  add("response.reasoning_summary_part.added", {
    ...place,
    part: { type: "summary_text", text: "" },
  });
  for (const delta of piecesOf(text)) {
    add("response.reasoning_summary_text.delta", { ...place, delta }, delta.length);
  }
  const part = { type: "summary_text", text };
  add("response.reasoning_summary_text.done", { ...place, text });
  add("response.reasoning_summary_part.done", { ...place, part });
  const encrypted_content = Buffer.from(`sealed ${position}: ${text}`).toString("base64");
  done({ ...item, summary: [part], encrypted_content });
  return item.id;
}

function addFreeform(
  add: Add,
  call: NonNullable<ScriptedAnswer["calls"]>[number],
  { position, at, index }: { position: number; at: number; index: number },
  done: Done,
): void {
  const item = {
    id: `ctc_${position + 1}_${at + 1}`,
    type: "custom_tool_call",
    call_id: callIdOf(position, at, call.id),
    input: "",
    name: call.tool,
  };
  const place = { output_index: index, item_id: item.id };
  const input = inputText(call.input);
  add("response.output_item.added", { output_index: index, item });
  for (const delta of piecesOf(input)) {
    add("response.custom_tool_call_input.delta", { ...place, delta }, delta.length);
  }
  add("response.custom_tool_call_input.done", { ...place, input });
  done({ ...item, input });
}

function addMessage(
  add: Add,
  text: string,
  { position, index, stop }: { position: number; index: number; stop: Stop },
  done: Done,
): void {
  const item = {
    id: `msg_${position + 1}`,
    type: "message",
    status: "in_progress",
    content: [] as object[],
    role: "assistant",
  };
  const place = { output_index: index, item_id: item.id, content_index: 0 };
  const isRefusal = stop === "refused";
  const part = (said: string) =>
    isRefusal
      ? { type: "refusal", refusal: said }
      : { type: "output_text", annotations: [], logprobs: [], text: said };
  add("response.output_item.added", { output_index: index, item });
  add("response.content_part.added", { ...place, part: part("") });
  for (const delta of piecesOf(text)) {
    if (isRefusal) add("response.refusal.delta", { ...place, delta }, delta.length);
    else add("response.output_text.delta", { ...place, delta, logprobs: [] }, delta.length);
  }
  if (isRefusal) add("response.refusal.done", { ...place, refusal: text });
  else add("response.output_text.done", { ...place, text, logprobs: [] });
  add("response.content_part.done", { ...place, part: part(text) });
  const status = stop === "length" || stop === "filtered" ? "incomplete" : "completed";
  done({ ...item, status, content: [part(text)] });
}

function responseOf({ answer, position }: Cue, status: string, output: readonly object[]): object {
  const usage = usageOf(answer);
  const isOver = status !== "in_progress";
  const reason = answer.stop === "filtered" ? "content_filter" : "max_output_tokens";
  return {
    id: `resp_${position + 1}`,
    object: "response",
    created_at: 1_700_000_000,
    status,
    background: false,
    access_programs: null,
    error: null,
    incomplete_details: status === "incomplete" ? { reason } : null,
    instructions: null,
    max_output_tokens: null,
    model: "stub",
    output,
    output_text: "",
    parallel_tool_calls: true,
    previous_response_id: null,
    metadata: {},
    temperature: 1,
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    usage: isOver
      ? {
          input_tokens: usage.input,
          input_tokens_details: { cached_tokens: usage.cached, cache_write_tokens: 0 },
          output_tokens: usage.output,
          output_tokens_details: { reasoning_tokens: usage.reasoning },
          total_tokens: usage.input + usage.output,
        }
      : undefined,
  };
}
