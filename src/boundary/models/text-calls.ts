// Tools for a model whose server takes none: wraps a port so that its requests carry the tools as
// text in the system prompt, calls and results as text in the conversation, and the calls are read
// out of what the model says. What is a call, `core/model/text-calls.ts` decides.
import type {
  ModelDelta,
  ModelEnd,
  ModelItem,
  ModelPort,
  ModelRequest,
} from "#boundary/models/port.ts";
import { fail } from "#core/failure.ts";
import type { AnswerPart, Message, Stop, ToolSpec, UserPart } from "#core/model/message.ts";
import { paired, wireToolName } from "#core/model/pairing.ts";
import {
  type TextCallReader,
  type TextItem,
  textCallReader,
  writtenCall,
} from "#core/model/text-calls.ts";

/** Ids of the calls of one answer, made when they are first asked for; places count from 0. */
type Ids = (place: number) => string;

/**
 * The same port for models that cannot call tools themselves (`calls: "text"` in their facts). It
 * keeps its name: it is the same endpoint.
 */
export function textCalls(port: ModelPort): ModelPort {
  return {
    name: port.name,
    encode: (request) => port.encode(asText(request)),
    call: (wire, options) => callsOutOf(port.call(wire, options), namesIn(wire.body)),
  };
}

/** Begins the line of each tool in the system prompt; how `call` knows again what was offered. */
const TOOL_LINE = "Tool ";

function asText(request: ModelRequest): ModelRequest {
  const { tools } = request;
  const system = [request.system, tools.length > 0 ? toolsText(tools) : ""];
  return {
    ...request,
    system: system.filter((text) => text !== "").join("\n\n"),
    messages: messagesOf(request.messages),
    tools: [],
  };
}

const toolsText = (tools: readonly ToolSpec[]): string => `# Tools

You can call the tools below. To call one, write exactly this, starting on a line of its own and \
outside of any code block:

${writtenCall("TOOL", '{"ARGUMENT": "VALUE"}')}

You may write several such blocks one after another. End your answer after the last of them: what \
the tools returned comes in the next message, each result between <tool_response> tags. Never make \
up a result. Text without such a block is your final answer.

Each line is a tool: its name, the JSON Schema of its arguments, what it does.
${tools.map(({ name, schema, about }) => `${TOOL_LINE}${name} ${JSON.stringify(schema)} ${about.replace(/\s*\n\s*/g, " ")}`).join("\n")}`;

/** The names on offer, out of the JSON text of the request: line breaks are escaped there. */
function namesIn(body: string): ReadonlySet<string> {
  const lines = body.matchAll(/\\nTool ([A-Za-z0-9_-]+) \{/g);
  return new Set(Array.from(lines, ([, name]) => name ?? ""));
}

/** Results of one answer make one message of the user: many templates want turns to alternate. */
function messagesOf(messages: readonly Message[]): Message[] {
  const out: Message[] = [];
  let results: UserPart[] = [];
  const flush = () => {
    if (results.length > 0) out.push({ role: "user", origin: "notice", parts: results });
    results = [];
  };
  for (const message of paired(messages)) {
    if (message.role === "tool") {
      const failed = message.failed ? "The call failed: " : "";
      const text = message.parts.flatMap((part) => (part.type === "text" ? [part.text] : []));
      const said = failed + (text.join("\n") || "(no output)");
      results.push({ type: "text", text: `<tool_response>\n${said}\n</tool_response>` });
      results.push(...message.parts.filter((part) => part.type === "blob"));
      continue;
    }
    flush();
    out.push(message.role === "user" ? message : { ...message, parts: wordsOf(message.parts) });
  }
  flush();
  return out;
}

/** An answer with its calls as the text that they were. */
function wordsOf(parts: readonly AnswerPart[]): AnswerPart[] {
  if (!parts.some((part) => part.type === "call")) return [...parts];
  const thoughts = parts.filter((part) => part.type === "reasoning");
  const texts = parts.flatMap((part) => {
    if (part.type === "text") return part.text === "" ? [] : [part.text];
    return part.type === "call" ? [writtenCall(wireToolName(part.tool), part.input || "{}")] : [];
  });
  return [...thoughts, { type: "text", text: texts.join("\n") }];
}

async function* callsOutOf(
  items: AsyncIterable<ModelItem>,
  tools: ReadonlySet<string>,
): AsyncGenerator<ModelItem, void, void> {
  const reader = textCallReader(tools);
  const made: string[] = [];
  // Nothing of a request in this form names a call by id, so nothing of it can tell which are taken.
  const ids: Ids = (place) => {
    made[place] ??= `call_${crypto.randomUUID().replaceAll("-", "").slice(0, 16)}`;
    return made[place];
  };
  let calls = 0;
  const told = (found: readonly TextItem[]): ModelDelta[] =>
    found.flatMap((item) => (item.type === "text" ? [item] : callDeltas(item, ids(calls++))));
  for await (const item of items) {
    if (item.type === "text") yield* told(reader.take(item.text));
    else if (item.type !== "end") yield item;
    else {
      yield* told(restOf(reader, item).items);
      yield endOf(item, tools, ids);
    }
  }
}

function callDeltas({ tool, input }: { tool: string; input: string }, id: string): ModelDelta[] {
  const started: ModelDelta = { type: "callStarted", id, tool };
  return input === "" ? [started] : [started, { type: "callInput", id, text: input }];
}

/** What a reader still holds. Once a call is called off nothing more is told, so nothing is. */
function restOf(reader: TextCallReader, end: ModelEnd): ReturnType<TextCallReader["end"]> {
  return isCancelled(end) ? { items: [], dropped: 0 } : reader.end(howOf(end.stop));
}

const isCancelled = ({ failure }: ModelEnd): boolean => failure?.code === "cancelled";

const howOf = (stop: Stop): "whole" | "cut" =>
  stop === "done" || stop === "calls" ? "whole" : "cut";

/** The end again, with the calls of its texts as parts of their own. */
function endOf(end: ModelEnd, tools: ReadonlySet<string>, ids: Ids): ModelEnd {
  const reader = textCallReader(tools);
  const parts: AnswerPart[] = [];
  let calls = 0;
  const take = (found: readonly TextItem[]) => {
    for (const item of found) {
      const last = parts.at(-1);
      if (item.type === "call") parts.push({ ...item, id: ids(calls++) });
      else if (last?.type === "text") last.text += item.text;
      else parts.push(item);
    }
  };
  for (const part of end.parts) {
    if (part.type === "text") take(reader.take(part.text));
    else parts.push(part);
  }
  const rest = restOf(reader, end);
  take(rest.items);
  // Words alone stay the parts that they were, with what their provider wants back.
  if (calls + rest.dropped === 0 && !isCancelled(end)) return end;
  const stop = howOf(end.stop) === "cut" ? end.stop : calls > 0 ? "calls" : "broken";
  const kept = stop === "calls" ? parts : parts.filter((part) => part.type !== "call");
  const callsDropped = (end.callsDropped ?? 0) + rest.dropped + parts.length - kept.length;
  const failure = end.failure ?? (stop === "broken" ? torn : undefined);
  return {
    ...end,
    stop,
    parts: kept,
    ...(callsDropped > 0 ? { callsDropped } : {}),
    ...(failure ? { failure } : {}),
  };
}

const torn = fail("broken", "the model ended its answer in the middle of a call").error;
