// What Anthropic refuses although it fits the schema. Each rule names where its error was seen.
import {
  elementTexts,
  type Fields,
  fieldsOf,
  isObject,
  listOf,
  textAt,
  valueText,
} from "#core/model/json.ts";
import type { Issued } from "./strict-rules.ts";

const MARKS_MAX = 4;
const BUDGET_TOKENS_MIN = 1_024;

export function messagesProblems(body: Fields, text: string, issued: Issued): string[] {
  const messages = listOf(body.messages).map(fieldsOf);
  const raws = elementTexts(valueText(text, "messages") ?? "");
  const marks = text.match(/"cache_control":\{/g)?.length ?? 0;
  const problems = [...orderProblems(messages), ...toolProblems(listOf(body.tools))];
  // "A maximum of 4 blocks with cache_control may be provided. Found 5."
  // https://github.com/tghamm/Anthropic.SDK/issues/50
  if (marks > MARKS_MAX) problems.push(`cache_control: ${marks} marks`);
  const seen = new Set<string>();
  let open: string[] = [];
  for (const [at, message] of messages.entries()) {
    const where = `messages[${at}]`;
    const blocks = listOf(message.content).map(fieldsOf);
    const texts = elementTexts(valueText(raws[at] ?? "", "content") ?? "");
    problems.push(...resultProblems(message, open, where));
    open = callIds(blocks);
    problems.push(...blocks.flatMap((block) => callProblems(block, seen, where)));
    problems.push(...blocks.flatMap((block) => emptyIn(block, where)));
    problems.push(...blocks.flatMap((block) => errorProblems(block, where)));
    problems.push(...blocks.flatMap((b, i) => thinkingProblems(b, texts[i] ?? "", issued, where)));
    // "The final block in an assistant message cannot be `thinking`."
    // https://github.com/tailcallhq/forgecode/issues/3071
    if (isThinking(blocks.at(-1))) problems.push(`${where}: thinking is the final block`);
  }
  return [...problems, ...budgetProblems(body, messages), ...systemProblems(body)];
}

/** The headers without which the API answers 400 or 401: its guides on versioning and on errors. */
export function headerProblems(headers: Readonly<Record<string, unknown>>): string[] {
  const problems: string[] = [];
  if (headers["anthropic-version"] !== "2023-06-01") problems.push("anthropic-version is missing");
  const proofs = ["x-api-key", "authorization"].filter((name) => headers[name] !== undefined);
  if (proofs.length !== 1) problems.push(`${proofs.length} proofs of who asks`);
  return problems;
}

function orderProblems(messages: readonly Fields[]): string[] {
  if (messages.length === 0) return ["messages: at least one message is required"];
  const problems: string[] = [];
  // "First message must be `user`" and "roles must alternate": claude-api/shared/error-codes.md in
  // https://github.com/anthropics/skills. The API itself joins them today; others behind it do not.
  if (messages[0]?.role !== "user") problems.push("messages: the first one must be the user's");
  for (const [at, { role }] of messages.entries()) {
    if (at > 0 && role === messages[at - 1]?.role) {
      problems.push(`messages[${at}]: roles must alternate`);
    }
  }
  // "This model does not support assistant message prefill. The conversation must end with a user
  // message.": https://github.com/smallmain/vscode-unify-chat-provider/issues/249
  if (messages.at(-1)?.role === "assistant") problems.push("messages: ends with the assistant");
  return problems;
}

const callIds = (blocks: readonly Fields[]): string[] =>
  blocks.flatMap(({ type, id }) => (type === "tool_use" ? [String(id)] : []));

/** `open`: the calls of the message before this one. */
function resultProblems(message: Fields, open: readonly string[], where: string): string[] {
  const blocks = listOf(message.content).map(fieldsOf);
  const results = blocks.filter(({ type }) => type === "tool_result");
  const ids = results.map((result) => textAt(result, "tool_use_id") ?? "");
  // "unexpected `tool_use_id` found in `tool_result` blocks: … Each `tool_result` block must have a
  // corresponding `tool_use` block in the previous message."
  // https://github.com/anthropics/claude-code/issues/18947
  const stray = ids.filter((id) => !open.includes(id));
  // "`tool_use` ids were found without `tool_result` blocks immediately after: …"
  // https://github.com/anthropics/claude-code/issues/8210
  const missing = open.filter((id) => !ids.includes(id));
  const problems: string[] = [];
  if (stray.length > 0) problems.push(`${where}: results without their calls: ${stray}`);
  if (missing.length > 0) problems.push(`${where}: calls without results before it: ${missing}`);
  // "Each `tool_use` block must have a corresponding `tool_result` block": one, not two.
  if (new Set(ids).size < ids.length) problems.push(`${where}: two results of one call`);
  if (blocks.slice(0, results.length).some(({ type }) => type !== "tool_result")) {
    // Results first, texts after them: "Handle tool calls" in the guide on tool use.
    problems.push(`${where}: something stands before a tool_result`);
  }
  return problems;
}

function callProblems(block: Fields, seen: Set<string>, where: string): string[] {
  if (block.type !== "tool_use") return [];
  const problems: string[] = [];
  const id = textAt(block, "id") ?? "";
  // "String should match pattern '^[a-zA-Z0-9_-]+$'": https://github.com/HKUDS/nanobot/pull/4356
  if (!/^[a-zA-Z0-9_-]+$/.test(id)) problems.push(`${where}: bad tool_use id "${id}"`);
  // "`tool_use` ids must be unique": https://github.com/trycua/cua/issues/524
  if (seen.has(id)) problems.push(`${where}: tool_use id ${id} was used before`);
  seen.add(id);
  if (!isName(block.name)) problems.push(`${where}: bad tool name ${JSON.stringify(block.name)}`);
  // "tool_use.input: Input should be a valid dictionary"
  // https://github.com/CopilotKit/CopilotKit/issues/3300
  if (!isObject(block.input)) problems.push(`${where}: input is not an object`);
  return problems;
}

/** "text content blocks must be non-empty", "must contain non-whitespace text", also in results. */
function emptyIn(block: Fields, where: string): string[] {
  // https://github.com/anthropics/claude-code/issues/23440 and /59812
  const inner = block.type === "tool_result" ? listOf(block.content).map(fieldsOf) : [block];
  const isEmpty = inner.some(({ type, text }) => type === "text" && String(text).trim() === "");
  return isEmpty ? [`${where}: a text block is empty`] : [];
}

/** "all content must be type text if is_error is true" */
function errorProblems(block: Fields, where: string): string[] {
  // https://github.com/caozhiyuan/copilot-api/pull/196
  if (block.is_error !== true) return [];
  const types = listOf(block.content).map((inner) => fieldsOf(inner).type);
  return types.some((type) => type !== "text") ? [`${where}: is_error with more than text`] : [];
}

const isThinking = (block: Fields | undefined): boolean =>
  block?.type === "thinking" || block?.type === "redacted_thinking";

/** "Invalid `signature` in `thinking` block": only what this server made, and as it made it. */
function thinkingProblems(block: Fields, raw: string, issued: Issued, where: string): string[] {
  // https://github.com/anthropics/anthropic-sdk-python/issues/1598
  if (!isThinking(block)) return [];
  const own = issued.get(textAt(block, "signature") ?? textAt(block, "data") ?? "");
  if (own === undefined) return [`${where}: thinking that this server did not sign`];
  return own.raw === raw ? [] : [`${where}: thinking is not what this server made`];
}

/** Rules of thinking within a budget: the guide on extended thinking. */
function budgetProblems(body: Fields, messages: readonly Fields[]): string[] {
  const thinking = fieldsOf(body.thinking);
  if (thinking.type !== "enabled") return [];
  const problems: string[] = [];
  const budget = Number(thinking.budget_tokens);
  if (budget < BUDGET_TOKENS_MIN || budget >= Number(body.max_tokens)) {
    problems.push(`thinking: a budget of ${budget} tokens`);
  }
  // "When `thinking` is enabled, a final `assistant` message must start with a thinking block
  // (preceeding the lastmost set of `tool_use` and `tool_result` blocks)."
  // https://github.com/anomalyco/opencode/issues/3077
  const begin = messages.findLastIndex(
    ({ role, content }) => role === "user" && fieldsOf(listOf(content)[0]).type !== "tool_result",
  );
  const answer = messages[begin + 1];
  if (answer && !isThinking(fieldsOf(listOf(answer.content)[0]))) {
    problems.push("messages: thinking is enabled, and the last calls begin without it");
  }
  return problems;
}

/** "system: text content blocks must be non-empty": https://github.com/anthropics/claude-code/issues/59812 */
const systemProblems = (body: Fields): string[] =>
  body.system === ""
    ? ["system: empty"]
    : listOf(body.system).flatMap((b) => emptyIn(fieldsOf(b), "system"));

/** `Tool.name` in the official types' documentation: at most 64 of these. */
const isName = (name: unknown): boolean =>
  typeof name === "string" && /^[a-zA-Z0-9_-]{1,64}$/.test(name);

function toolProblems(tools: readonly unknown[]): string[] {
  const names = new Set<unknown>();
  return tools.map(fieldsOf).flatMap(({ name, input_schema: schema }) => {
    const problems: string[] = [];
    if (!isName(name)) problems.push(`tools: bad name ${JSON.stringify(name)}`);
    // "tools: Tool names must be unique.": https://github.com/anthropics/claude-code/issues/10687
    if (names.has(name)) problems.push(`tools: ${name} is there twice`);
    names.add(name);
    // "input_schema does not support oneOf, allOf, or anyOf at the top level"
    // https://github.com/anthropics/claude-code/issues/40075
    const composed = ["oneOf", "allOf", "anyOf"].filter((key) => key in fieldsOf(schema));
    if (composed.length > 0) problems.push(`tools: ${name} has ${composed} at the top level`);
    return problems;
  });
}
