// Scripted answers as the Messages API streams them: every event as the official types have it, in
// the order in which Anthropic sends them.
import { type Cue, callIdOf, inputText, piecesOf } from "#boundary/models/script.ts";
import type { Stop } from "#core/model/message.ts";
import { asciiJson, type Frame, stopOf, usageOf } from "./frame.ts";
import type { Asked } from "./strict-answers.ts";

const stopReasons: Partial<Record<Stop, string>> = {
  calls: "tool_use",
  length: "max_tokens",
  refused: "refusal",
  filtered: "refusal",
  paused: "pause_turn",
  overflow: "model_context_window_exceeded",
};

/** What the server made, in the form in which it wants it back. */
const issuedText = (block: object): string => JSON.stringify(block);

export function messagesFrames(cue: Cue, { issued }: Asked): Frame[] {
  const { answer, position } = cue;
  const frames: Frame[] = [];
  let index = 0;
  const add = (type: string, fields: object, chars = 0) => {
    const text = `event: ${type}\ndata: ${asciiJson({ type, ...fields })}\n\n`;
    frames.push({ text, chars });
  };
  const block = (begun: object, deltas: [delta: object, chars: number][]) => {
    add("content_block_start", { index, content_block: begun });
    for (const [delta, chars] of deltas) add("content_block_delta", { index, delta }, chars);
    add("content_block_stop", { index });
    index += 1;
  };
  add("message_start", { message: messageOf(cue) });
  add("ping", {});
  const { reasoning: thinking, text } = answer;
  if (thinking !== undefined) {
    const signature = Buffer.from(`signed ${position}: ${thinking}`).toString("base64");
    issued.set(signature, {
      raw: issuedText({ type: "thinking", thinking, signature }),
      reasoning: undefined,
    });
    block({ type: "thinking", thinking: "", signature: "" }, [
      ...grown("thinking_delta", "thinking", thinking),
      [{ type: "signature_delta", signature: signature.slice(0, 7) }, 0],
      [{ type: "signature_delta", signature: signature.slice(7) }, 0],
    ]);
  }
  if (text !== undefined) {
    block({ type: "text", text: "", citations: null }, grown("text_delta", "text", text));
  }
  // Every third answer thinks on before its calls, and nobody may read what.
  if (thinking !== undefined && answer.calls && position % 3 === 2) {
    const data = Buffer.from(`sealed ${position}`).toString("base64");
    const sealed = { type: "redacted_thinking", data };
    issued.set(data, { raw: issuedText(sealed), reasoning: undefined });
    block(sealed, []);
  }
  for (const [at, { tool: name, input, id: given }] of (answer.calls ?? []).entries()) {
    const id = callIdOf(position, at, given);
    const begun = { type: "tool_use", id, name, input: {}, caller: { type: "direct" } };
    block(begun, [
      [{ type: "input_json_delta", partial_json: "" }, 0],
      ...grown("input_json_delta", "partial_json", inputText(input)),
    ]);
  }
  add("message_delta", endOf(cue));
  add("message_stop", {});
  return frames;
}

const grown = (type: string, field: string, text: string): [delta: object, chars: number][] =>
  piecesOf(text).map((piece) => [{ type, [field]: piece }, piece.length]);

function counts({ answer }: Cue) {
  const { input, cached } = usageOf(answer);
  const written = Math.floor((input - cached) / 2);
  return {
    input_tokens: input - cached - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: cached,
    server_tool_use: null,
  };
}

const messageOf = (cue: Cue): object => ({
  id: `msg_${cue.position + 1}`,
  type: "message",
  role: "assistant",
  model: "stub",
  content: [],
  container: null,
  diagnostics: null,
  stop_reason: null,
  stop_sequence: null,
  stop_details: null,
  usage: {
    ...counts(cue),
    cache_creation: null,
    inference_geo: null,
    output_tokens: 1,
    output_tokens_details: null,
    service_tier: "standard",
    speed: null,
  },
});

function endOf(cue: Cue): object {
  const stop = stopOf(cue.answer);
  const { output, reasoning } = usageOf(cue.answer);
  // A policy's category is what tells that the answer was withheld and not declined.
  const details =
    stop === "filtered" ? { type: "refusal", category: "cyber", explanation: null } : null;
  return {
    delta: {
      container: null,
      stop_details: details,
      stop_reason: stopReasons[stop] ?? "end_turn",
      stop_sequence: null,
    },
    usage: {
      ...counts(cue),
      output_tokens: output,
      output_tokens_details: { thinking_tokens: reasoning },
    },
  };
}
