// Tool calls inside the text of an answer, for models whose server takes no tools. Reads any chunks
// into the words that are for people and the calls among them, and always ends. The form is the one
// that Hermes and Qwen models were trained on and most small ones have seen: a JSON object between
// tags on lines of their own. Forms that other models are known to fall into are read too. What
// stands in a fenced block, in a thought or in the middle of a line is a quotation, never obeyed.
import { elementTexts, fieldsOf, isObject, parsed, textAt, valueText } from "#core/model/json.ts";

/** `input` is the argument text exactly as the model wrote it. */
export type TextItem =
  | { type: "text"; text: string }
  | { type: "call"; tool: string; input: string };

export type TextCallReader = {
  /** Takes the next piece of the answer; what is certain by now. */
  take(text: string): TextItem[];
  /**
   * The rest, once the answer is over. `whole`: the model ended it itself, which closes a call whose
   * JSON is complete · `cut`: anything else, and a call that is still open is dropped.
   */
  end(how: "whole" | "cut"): { items: TextItem[]; dropped: number };
};

const OPEN = "<tool_call>";
const CLOSE = "</tool_call>";

/**
 * What begins a call at the start of a line. The first is asked for and closed by its tag. Llama's
 * and Mistral's own, which their servers are meant to read, run to the end of the answer.
 * https://github.com/ollama/ollama/tree/main/template, `llama3-instruct`, `mistral-instruct`
 */
const openers = [OPEN, "<|python_tag|>", "[TOOL_CALLS]"] as const;

/** How an answer begins that is nothing but JSON objects, and what may still become that. */
const BARE = /^(\[\s*)?\{\s*"/;
const BARE_MAYBE = /^(\[\s*)?(\{\s*)?$/;

/** Thoughts that a server did not take out of the text; what they consider is no call. */
const THINK = "<think>";
const THOUGHT = "</think>";

/** Longest call, in characters: beyond the largest file that a model writes in one answer. */
const CALL_CHARS_MAX = 4 * 1024 * 1024;
/** Of an indentation and of a fence's line this much is looked at, in characters. */
const HEAD_CHARS_MAX = 1_000;

/** A call as it is asked for and as it is shown to the model again. */
export const writtenCall = (tool: string, input: string): string =>
  `${OPEN}\n{"name": ${JSON.stringify(tool)}, "arguments": ${input}}\n${CLOSE}`;

/** A call under way: what it began with, what came of it, and where in its JSON that ended. */
type Block = {
  opener: string;
  /** The opener and the space before it, as they came. */
  before: string;
  chunks: string[];
  chars: number;
  quoted: boolean;
  escaped: boolean;
  matched: number;
};

/** `tools` are the names on offer: without tags only these make a JSON object a call. */
export function textCallReader(tools: ReadonlySet<string>): TextCallReader {
  let items: TextItem[] = [];
  let rest = "";
  /** Space that is said only when words follow it; around calls it is not. */
  let space = "";
  let lineStart = true;
  let fence: string | undefined;
  let thinking = false;
  let block: Block | undefined;
  let spoke = false;
  let afterCall = false;
  /** From here on everything is words: a call grew too long, or was torn beyond reading. */
  let plain = false;

  function say(text: string): void {
    const news = afterCall ? text.trimStart() : text;
    const words = news.trimEnd();
    if (words === "") {
      // Space may come in very many pieces: they are put together, but not looked at again.
      space += news;
      return;
    }
    const last = items.at(-1);
    if (last?.type === "text") last.text += space + words;
    else items.push({ type: "text", text: space + words });
    space = news.slice(words.length);
    spoke = true;
    afterCall = false;
  }

  function call(calls: readonly Call[]): void {
    items.push(...calls.map((made): TextItem => ({ type: "call", ...made })));
    space = "";
    spoke = true;
    afterCall = true;
    lineStart = true;
  }

  /** Reads some of `rest`; false where more must come first. */
  function advance(ended: boolean): boolean {
    if (rest === "") return false;
    if (plain) return sayAll();
    if (block) return continueBlock(block);
    if (thinking) return continueThought(ended);
    if (lineStart && !beginLine(ended)) return false;
    if (block || thinking) return true;
    const eol = rest.indexOf("\n") + 1;
    const line = eol === 0 ? rest : rest.slice(0, eol);
    say(line);
    rest = rest.slice(line.length);
    lineStart = eol !== 0;
    return true;
  }

  function sayAll(): boolean {
    say(rest);
    rest = "";
    return true;
  }

  /** Looks at how a line begins; false where that cannot be told yet. */
  function beginLine(ended: boolean): boolean {
    const indent = /^[ \t]*/.exec(rest)?.[0].length ?? 0;
    const head = rest.slice(indent);
    if (indent >= HEAD_CHARS_MAX) return true;
    if (head === "") return ended;
    if (fence === undefined && !beginCall(indent, head, ended)) return false;
    if (block || thinking) return true;
    if (!ended && /^(`+|~+)$/.test(head) && head.length < HEAD_CHARS_MAX) return false;
    return !/^(```|~~~)/.test(head) || fenceLine(head, ended);
  }

  function beginCall(indent: number, head: string, ended: boolean): boolean {
    const opener = openers.find((known) => head.startsWith(known));
    if (opener) return beginBlock(indent, opener);
    if (!ended && openers.some((known) => known.startsWith(head))) return false;
    return spoke || beginAnswer(indent, head, ended);
  }

  /** The first words of an answer may make all of it a call, or begin a thought. */
  function beginAnswer(indent: number, head: string, ended: boolean): boolean {
    const first = head.slice(0, HEAD_CHARS_MAX);
    if (BARE.test(first)) return beginBlock(indent, "");
    thinking = head.startsWith(THINK);
    if (thinking || ended || head.length >= HEAD_CHARS_MAX) return true;
    return !BARE_MAYBE.test(first) && !THINK.startsWith(head);
  }

  function continueThought(ended: boolean): boolean {
    const end = rest.indexOf(THOUGHT);
    // The tag that ends it may have come in part.
    const sure = ended ? rest.length : rest.length - THOUGHT.length + 1;
    const length = end === -1 ? Math.max(0, sure) : end + THOUGHT.length;
    if (length === 0) return false;
    say(rest.slice(0, length));
    rest = rest.slice(length);
    thinking = end === -1;
    lineStart = true;
    return true;
  }

  /** A line that may open or close a fenced block, as CommonMark has them. */
  function fenceLine(head: string, ended: boolean): boolean {
    const line = head.slice(0, HEAD_CHARS_MAX).split("\n", 1)[0] ?? "";
    if (!ended && line.length === head.length && head.length < HEAD_CHARS_MAX) return false;
    const mark = /^(`+|~+)/.exec(line)?.[0] ?? "";
    const info = line.slice(mark.length);
    if (fence === undefined) {
      if (!(mark.startsWith("`") && info.includes("`"))) fence = mark;
    } else if (mark.startsWith(fence) && info.trim() === "") {
      fence = undefined;
    }
    return true;
  }

  function beginBlock(indent: number, opener: string): boolean {
    const start = indent + opener.length;
    const before = rest.slice(0, start);
    block = { opener, before, chunks: [], chars: 0, quoted: false, escaped: false, matched: 0 };
    rest = rest.slice(start);
    return true;
  }

  function continueBlock(open: Block): boolean {
    const end = open.opener === OPEN ? closedAt(open, rest) : undefined;
    const text = end === undefined ? rest : rest.slice(0, end);
    open.chunks.push(text);
    open.chars += text.length;
    rest = rest.slice(text.length);
    if (open.chars > CALL_CHARS_MAX) giveUp(open);
    else if (end !== undefined) {
      block = undefined;
      const body = open.chunks.join("").slice(0, -CLOSE.length);
      call(callsIn(body, () => true) ?? [tornCall(body)]);
    }
    return true;
  }

  /** What was taken for a call is words after all, and so is all that follows. */
  function giveUp(open: Block): void {
    block = undefined;
    plain = true;
    rest = open.before + open.chunks.join("") + rest;
  }

  function finish(how: "whole" | "cut"): number {
    if (!block) return 0;
    const open = block;
    const text = open.chunks.join("");
    const isTagged = open.opener === OPEN;
    if (how === "cut" && open.opener !== "") return drop();
    const calls = how === "whole" && callsIn(text, (name) => isTagged || tools.has(name));
    if (calls) {
      block = undefined;
      call(calls);
      return 0;
    }
    if (!isTagged) giveUp(open);
    else {
      block = undefined;
      const close = text.indexOf(CLOSE);
      if (close === -1) return drop();
      // A string that was never closed hid the tag.
      call([tornCall(text.slice(0, close))]);
      plain = true;
      rest = text.slice(close + CLOSE.length);
    }
    return 0;
  }

  function drop(): number {
    block = undefined;
    space = "";
    return 1;
  }

  function ready(): TextItem[] {
    const out = items;
    items = [];
    return out;
  }

  return {
    take(text) {
      rest += text;
      while (advance(false)) {
        // Each round reads some of the rest.
      }
      return ready();
    },
    end(how) {
      while (advance(true)) {
        // What waited for more is decided now.
      }
      const dropped = finish(how);
      if (rest !== "") sayAll();
      if (space !== "") items.push({ type: "text", text: space });
      space = "";
      return { items: ready(), dropped };
    },
  };
}

/** The index after the closing tag, where one ends in this text and not inside a JSON string. */
function closedAt(block: Block, text: string): number | undefined {
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (block.quoted) {
      if (block.escaped) block.escaped = false;
      else if (char === "\\") block.escaped = true;
      else if (char === '"') block.quoted = false;
    } else {
      block.quoted = char === '"';
      block.matched = char === CLOSE[block.matched] ? block.matched + 1 : char === "<" ? 1 : 0;
      if (block.matched === CLOSE.length) return at + 1;
    }
  }
  return undefined;
}

type Call = { tool: string; input: string };

/** The calls that a text consists of; undefined where it is anything else. */
function callsIn(text: string, isTool: (name: string) => boolean): Call[] | undefined {
  const inner = text.trim();
  const named = /^[\w.-]+\s*\[ARGS\]/.test(inner) ? namedCalls(inner) : undefined;
  const texts = elementTexts(inner.startsWith("[") ? inner : `[${inner}]`);
  const calls = named ?? texts.filter((value) => value !== ";").map(callOf);
  // Nothing between the values but commas, semicolons and space; Llama puts semicolons there.
  const bare = (value: string) => value.replace(/[\s,;]+/g, "");
  const whole = named || bare(inner.replace(/^\[|\]$/g, "")) === bare(texts.join(""));
  const good = calls.filter((call) => call !== undefined && isTool(call.tool));
  return whole && good.length > 0 && good.length === calls.length ? (good as Call[]) : undefined;
}

/** Mistral's later form: `name[ARGS]{…}`, each call but the first behind another `[TOOL_CALLS]`. */
function namedCalls(text: string): (Call | undefined)[] {
  return text.split("[TOOL_CALLS]").map((one) => {
    const [, tool, input] = /^\s*([\w.-]+)\s*\[ARGS\]\s*(\{.*\})\s*$/s.exec(one) ?? [];
    return tool && input && isObject(parsed(input)) ? { tool, input } : undefined;
  });
}

/** One object with a name and arguments, as Hermes, Llama (`parameters`) or OpenAI write it. */
function callOf(json: string): Call | undefined {
  const value = fieldsOf(parsed(json));
  if (isObject(value.function)) return callOf(valueText(json, "function") ?? "");
  const tool = textAt(value, "name");
  const key = "arguments" in value ? "arguments" : "parameters";
  const given = value[key];
  if (!tool || !(isObject(given) || typeof given === "string")) return undefined;
  return { tool, input: typeof given === "string" ? given : (valueText(json, key) ?? "") };
}

/**
 * A call that was closed but is not JSON. A brace too many at its end is forgiven; of anything
 * else the name is told and the raw text, which is no JSON either, so that the model hears of it.
 */
function tornCall(text: string): Call {
  const name = parsed(valueText(text, "name") ?? "");
  const whole = valueText(text, "arguments") ?? "";
  const behind = text.slice(text.indexOf(whole) + whole.length);
  if (typeof name === "string" && isObject(parsed(whole)) && /^[\s}]*$/.test(behind)) {
    return { tool: name, input: whole };
  }
  const tool = typeof name === "string" ? name : /"name"\s*:\s*"([^"\\]+)"/.exec(text)?.[1];
  const key = /"(?:arguments|parameters)"\s*:\s*/.exec(text);
  const tail = key ? text.slice(key.index + key[0].length).replace(/\}\s*$/, "") : text;
  const input = isObject(parsed(tail)) ? text : tail;
  return { tool: tool || "unnamed", input: input.trim() };
}
