// What the providers refuse although it fits their schemas: the order of calls, results and
// reasoning, empty contents, ids. Each rule names where it was seen.
import {
  elementTexts,
  type Fields,
  fieldsOf,
  listOf,
  textAt,
  valueText,
} from "#core/model/json.ts";

/** Items that a server gave out, by their id: what must come back, and with what before it. */
export type Issued = Map<string, { raw: string; reasoning: string | undefined }>;

const CALL_ID_CHARS_MAX = 40;

export function chatProblems(body: Fields): string[] {
  const problems: string[] = [];
  const messages = listOf(body.messages).map(fieldsOf);
  const seen = new Set<string>();
  let open: string[] = [];
  if (messages.length === 0) problems.push("chat: `messages` is empty");
  for (const [at, message] of messages.entries()) {
    const where = `messages[${at}]`;
    const id = textAt(message, "tool_call_id") ?? "";
    // "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'"
    // https://github.com/miurla/morphic/issues/136
    if (message.role === "tool" && !open.includes(id)) {
      problems.push(`${where}: a tool message without its call (${id})`);
    }
    // "An assistant message with 'tool_calls' must be followed by tool messages responding to each
    // 'tool_call_id'": https://github.com/agno-agi/agno/issues/3105
    if (message.role !== "tool" && open.length > 0) {
      problems.push(`${where}: calls without result before it: ${open.join(", ")}`);
      open = [];
    }
    open = open.filter((callId) => callId !== id);
    problems.push(...emptyIn(message, where));
    for (const call of listOf(message.tool_calls).map(fieldsOf)) {
      const callId = textAt(call, "id") ?? "";
      const { arguments: input, name } = fieldsOf(call.function);
      problems.push(...callProblems({ id: callId, name, input, where }, seen));
      if (!isObjectText(input)) {
        // vLLM and llama.cpp parse the arguments of earlier calls again and refuse the request:
        // https://github.com/vllm-project/vllm/issues/43995
        problems.push(`${where}: arguments are not the text of an object`);
      }
      open.push(callId);
    }
  }
  if (open.length > 0) problems.push(`chat: calls without result at the end: ${open.join(", ")}`);
  return [...problems, ...toolProblems(listOf(body.tools).map((t) => fieldsOf(t).function))];
}

/** Texts must not be empty: OpenAI is lenient here, Anthropic and Bedrock behind it are not. */
function emptyIn(message: Fields, where: string): string[] {
  const { role, content, tool_calls: calls } = message;
  if (role === "assistant" && listOf(calls).length > 0 && (content ?? null) === null) return [];
  const texts = typeof content === "string" ? [content] : listOf(content).map(textInPart);
  return texts.length === 0 || texts.includes("") ? [`${where}: empty content (${role})`] : [];
}

const textInPart = (part: unknown): string => {
  const { text, image_url, file, file_data } = fieldsOf(part);
  if (typeof text === "string") return text;
  return image_url || file || file_data ? "attached" : "";
};

type Call = { id: string; name: unknown; input: unknown; where: string };

function callProblems({ id, name, input, where }: Call, seen: Set<string>): string[] {
  const problems: string[] = [];
  // "string too long. Expected a string with maximum length 40"
  // https://github.com/openclaw/openclaw/pull/875
  if (id === "" || id.length > CALL_ID_CHARS_MAX) problems.push(`${where}: bad call id "${id}"`);
  if (seen.has(id)) problems.push(`${where}: call id ${id} was used before`);
  seen.add(id);
  if (!isName(name)) problems.push(`${where}: bad function name ${JSON.stringify(name)}`);
  if (typeof input !== "string") problems.push(`${where}: arguments are no string`);
  return problems;
}

/** `FunctionDefinition.name` in the official types: a-z, A-Z, 0-9, _ and -, at most 64. */
const isName = (name: unknown): boolean =>
  typeof name === "string" && /^[a-zA-Z0-9_-]{1,64}$/.test(name);

function isObjectText(input: unknown): boolean {
  try {
    const value = JSON.parse(String(input));
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function toolProblems(tools: readonly unknown[]): string[] {
  const names = new Set<unknown>();
  return tools.map(fieldsOf).flatMap(({ name, parameters, type, format }) => {
    const problems: string[] = [];
    if (!isName(name)) problems.push(`tools: bad name ${JSON.stringify(name)}`);
    if (names.has(name)) problems.push(`tools: ${name} is there twice`);
    names.add(name);
    // "schema must be a JSON Schema of 'type: "object"', got 'type: "None"'"
    // https://github.com/browserbase/stagehand/issues/1159
    if (type === "custom") {
      const { definition } = fieldsOf(format);
      if (!definition) problems.push(`tools: ${name} has an empty grammar`);
    } else if (fieldsOf(parameters).type !== "object")
      problems.push(`tools: ${name} takes no object`);
    return problems;
  });
}

export function responsesProblems(body: Fields, text: string, issued: Issued): string[] {
  const items = listOf(body.input).map(fieldsOf);
  const raws = elementTexts(valueText(text, "input") ?? "");
  const problems: string[] = items.length === 0 ? ["responses: `input` is empty"] : [];
  const seen = new Set<string>();
  let open: string[] = [];
  const calls = new Map<string, string>();
  for (const [at, item] of items.entries()) {
    const where = `input[${at}]`;
    const callId = textAt(item, "call_id") ?? "";
    const result = resultTypes.get(String(item.type));
    const isResult = result !== undefined;
    // "No tool call found for function call output with call_id …"
    // https://github.com/continuedev/continue/issues/10092
    if (isResult && !open.includes(callId))
      problems.push(`${where}: result without call ${callId}`);
    const belongs = isResult || open.length === 0 || isAnswerItem(item);
    // "No tool output found for function call …": https://github.com/openai/codex/issues/93
    if (!belongs) problems.push(`${where}: calls without result before it: ${open.join(", ")}`);
    if (!belongs) open = [];
    if (isResult) {
      open = open.filter((id) => id !== callId);
      if (textAt(item, "output") === "") problems.push(`${where}: empty output`);
    }
    if (isResult) problems.push(...kindProblems(calls.get(callId), result, where));
    if (isCall(item)) {
      const { name, arguments: json, input = json } = item;
      calls.set(callId, String(item.type));
      problems.push(...callProblems({ id: callId, name, input, where }, seen));
      open.push(callId);
    }
    if (typeof item.role === "string") problems.push(...emptyIn(item, where));
    problems.push(...ownProblems(items, at, raws[at] ?? "", issued));
  }
  if (open.length > 0) problems.push(`responses: calls without result: ${open.join(", ")}`);
  return [...problems, ...toolProblems(listOf(body.tools))];
}

/** Results by their type, and the type of the call that each belongs to. */
const resultTypes = new Map([
  ["function_call_output", "function_call"],
  ["custom_tool_call_output", "custom_tool_call"],
]);

/**
 * "No tool output found for custom tool call call_…": a free-form call wants its own type of result.
 * https://github.com/diegosouzapw/OmniRoute/issues/8946
 */
const kindProblems = (call: string | undefined, result: string, where: string): string[] =>
  call === undefined || call === result ? [] : [`${where}: the result of a ${result}, not ${call}`];

const isCall = (item: Fields): boolean =>
  item.type === "function_call" || item.type === "custom_tool_call";

/** What the model itself may have said between a call and its result: several calls of one answer. */
const isAnswerItem = (item: Fields): boolean =>
  isCall(item) || item.type === "reasoning" || item.role === "assistant";

/** Rules for items that the model made. */
function ownProblems(items: readonly Fields[], at: number, raw: string, issued: Issued): string[] {
  const item = items[at] ?? {};
  const where = `input[${at}]`;
  const problems: string[] = [];
  const id = textAt(item, "id") ?? "";
  const own = issued.get(id);
  if (item.type === "reasoning") {
    // "Item 'rs_…' of type 'reasoning' was provided without its required following item"
    // https://github.com/openai/openai-node/issues/1567
    const next = items.slice(at + 1).find((later) => later.type !== "reasoning");
    if (!next || !isAnswerItem(next)) problems.push(`${where}: reasoning without following item`);
    // "Item with id 'rs_…' not found. Items are not persisted when `store` is set to false."
    // https://github.com/vercel/ai/issues/7543
    if (!item.encrypted_content) problems.push(`${where}: reasoning without its encrypted content`);
  }
  // Items come back as they were made, byte for byte, or without the id that says who made them.
  if (own && own.raw !== raw) problems.push(`${where}: ${id} is not what this server made`);
  if (own?.reasoning) {
    // "Item 'msg_…' was provided without its required 'reasoning' item: 'rs_…'"
    // https://github.com/continuedev/continue/issues/11994
    const before = items.slice(0, at).map((earlier) => earlier.id);
    if (!before.includes(own.reasoning)) {
      problems.push(`${where}: ${id} without its reasoning ${own.reasoning}`);
    }
  }
  return problems;
}
