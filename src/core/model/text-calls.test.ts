// Calls in the text of an answer: what is one, what only looks like one, however it is cut.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type TextItem, textCallReader, writtenCall } from "#core/model/text-calls.ts";

const tools = new Set(["read", "edit"]);

function read(chunks: readonly string[], how: "whole" | "cut" = "whole") {
  const reader = textCallReader(tools);
  const taken = chunks.flatMap((chunk) => reader.take(chunk));
  const { items, dropped } = reader.end(how);
  return { items: joined([...taken, ...items]), dropped };
}

/** Texts next to each other are one, as they are on a screen. */
function joined(items: readonly TextItem[]): TextItem[] {
  const out: TextItem[] = [];
  for (const item of items) {
    const last = out.at(-1);
    if (item.type === "text" && last?.type === "text") last.text += item.text;
    else out.push({ ...item });
  }
  return out;
}

const callsOf = (text: string, how: "whole" | "cut" = "whole") =>
  read([text], how).items.flatMap((item) =>
    item.type === "call" ? [[item.tool, item.input]] : [],
  );
const wordsOf = (text: string, how: "whole" | "cut" = "whole") =>
  read([text], how).items.flatMap((item) => (item.type === "text" ? [item.text] : []));

const one = writtenCall("read", '{"path":"a"}');

describe("a call in the text", () => {
  it("stands between tags on lines of its own, with its arguments as they were written", () => {
    const input = '{ "path" : "b", "n": 1.0 }';
    const text = `I look.\n\n${one}\n${writtenCall("edit", input)}\nThen more.`;
    expect(read([text])).toEqual({
      items: [
        { type: "text", text: "I look." },
        { type: "call", tool: "read", input: '{"path":"a"}' },
        { type: "call", tool: "edit", input },
        { type: "text", text: "Then more." },
      ],
      dropped: 0,
    });
  });

  it("may share a line with others, stand several to a tag, or carry its arguments as a text", () => {
    const inner = '{"name":"read","arguments":{"path":"1"}}';
    const call = ["read", '{"path":"1"}'];
    for (const text of [
      `<tool_call>${inner}</tool_call><tool_call>${inner}</tool_call>`,
      `<tool_call>\n${inner}\n${inner}\n</tool_call>`,
      `  <tool_call>[${inner}, ${inner}]</tool_call>`,
    ]) {
      expect(callsOf(text)).toEqual([call, call]);
    }
    const double = { name: "read", arguments: '{"path":"1"}' };
    expect(callsOf(`<tool_call>${JSON.stringify(double)}</tool_call>`)).toEqual([call]);
    const openai = `{"type":"function","function":${inner}}`;
    expect(callsOf(`<tool_call>${openai}</tool_call>`)).toEqual([call]);
  });

  it("may hold its own tags inside a string", () => {
    const input = JSON.stringify({ path: "a", text: `"\\"${one}` });
    expect(callsOf(`${writtenCall("edit", input)}\ndone`)).toEqual([["edit", input]]);
  });

  it("that is closed but torn is told with what was written, so that the model hears of it", () => {
    const torn = '<tool_call>\n{"name": "read", "arguments": {"path": "a", oops}\n</tool_call>';
    expect(callsOf(torn)).toEqual([["read", '{"path": "a", oops']]);
    const brace = '<tool_call>{"name":"read","arguments":{"path":"a"}}}</tool_call>';
    expect(callsOf(brace)).toEqual([["read", '{"path":"a"}']]);
    const quote = `<tool_call>{"name":"read","arguments":{"path":"a}}</tool_call>\nso\n${one}`;
    expect(callsOf(quote)).toEqual([["read", '{"path":"a}']]);
    const guess = '<tool_call>{"arguments":{"path":"a","name":"edit"}, oops}</tool_call>';
    expect(callsOf(guess)).toEqual([["edit", '{"path":"a","name":"edit"}, oops']]);
    expect(callsOf("<tool_call>read a</tool_call>")).toEqual([["unnamed", "read a"]]);
  });

  it("counts only closed: by its tag, or by the model's own end after complete JSON", () => {
    const open = one.slice(0, -"\n</tool_call>".length);
    expect(callsOf(open)).toEqual([["read", '{"path":"a"}']]);
    expect(read([open], "cut")).toEqual({ items: [], dropped: 1 });
    for (const how of ["whole", "cut"] as const) {
      const torn = read([`So:\n${one.slice(0, 40)}`], how);
      expect(torn).toEqual({ items: [{ type: "text", text: "So:" }], dropped: 1 });
    }
  });
});

describe("what only looks like a call", () => {
  it("is one that is quoted: in a fenced block, in a line, in a thought", () => {
    for (const text of [
      `Write:\n\`\`\`\n${one}\n\`\`\`\nlike that.`,
      `~~~~ xml\n${one}\n~~~\n${one}\n~~~~`,
      `\`\`\`\`md\n\`\`\`\n${one}\n\`\`\`\n\`\`\`\``,
      `> ${one.replaceAll("\n", " ")}`,
      `You would say <tool_call>{"name":"read","arguments":{}}</tool_call> to me.`,
      `\`\`\`\n${one}`,
    ]) {
      expect([text, callsOf(text), wordsOf(text).join("")]).toEqual([text, [], text]);
    }
    const thought = `<think>\nI could say\n${one}\n</think>\n`;
    expect(callsOf(`${thought}No.`)).toEqual([]);
    expect(callsOf(`${thought}${one}`)).toEqual([["read", '{"path":"a"}']]);
  });

  it("is not one behind a fence that was closed, or behind inline code", () => {
    expect(callsOf(`\`\`\`\nx\n\`\`\`\n${one}`)).toHaveLength(1);
    expect(callsOf(`\`\`\`x\`\`\` is code\n${one}`)).toHaveLength(1);
  });

  it("is JSON that is an answer and not a call", () => {
    for (const text of [
      '{"name":"Ada","age":36}',
      '{"name":"unknown","arguments":{}}',
      '{"name":"read"}',
      '[{"name":"read","arguments":{}}, 1]',
      `Here: {"name":"read","arguments":{}}`,
      `{"name":"read","arguments":{}}\nis how you call it.`,
      "[a link](x) and words",
      "<|python_tag|>print(1)",
    ]) {
      expect([callsOf(text), wordsOf(text)]).toEqual([[], [text]]);
    }
  });

  it("is one longer than any file, and then nothing after it is obeyed", () => {
    const text = `${one.slice(0, 40)}${"x".repeat(4 * 1024 * 1024)}"}}\n</tool_call>\n${one}`;
    expect(callsOf(text)).toEqual([]);
    expect(wordsOf(text)).toEqual([text]);
  });
});

describe("forms that models fall into", () => {
  const args = '{"path":"a"}';
  const bare = `{"name":"read","arguments":${args}}`;
  const llama = `{"name":"read","parameters":${args}}`;
  it("are read where the whole answer ended with them", () => {
    for (const [text, calls] of [
      [bare, 1],
      [`\n [${bare}, ${llama}] \n`, 2],
      [`<|python_tag|>${llama}`, 1],
      [`<|python_tag|>${llama}; ${llama}`, 2],
      [`I look.\n[TOOL_CALLS][${bare}]`, 1],
      [`[TOOL_CALLS] ${bare}`, 1],
      [`[TOOL_CALLS]read[ARGS]${args}[TOOL_CALLS]read[ARGS] ${args}`, 2],
    ] as const) {
      expect([text, callsOf(text)]).toEqual([text, Array(calls).fill(["read", args])]);
      expect([text, callsOf(text, "cut")]).toEqual([text, []]);
    }
  });
});

const piece = fc.constantFrom(
  ...["<tool_call>", "</tool_call>", "<|python_tag|>", "[TOOL_CALLS]", "[ARGS]", "<think>"],
  ...["</think>", "```", "~~~", "`", "\n", " ", "\\", '"', "{", "}", "[", "]", ",", "é🙂"],
  ...['{"name":"read","arguments":{}}', one, "words", "<tool", "\n\n"],
);

describe("any text", () => {
  const cutAt = (text: string, cuts: readonly number[]) => {
    const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length];
    const sorted = places.toSorted((a, b) => a - b);
    return sorted.slice(1).map((end, i) => text.slice(sorted[i], end));
  };

  it("means the same in any chunks, and what it said stays said", () => {
    const how = fc.constantFrom<"whole" | "cut">("whole", "cut");
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        fc.array(fc.nat()),
        how,
        (parts, cuts, how) => {
          const text = parts.join("");
          const once = read([text], how);
          expect(read(cutAt(text, cuts), how)).toEqual(once);
          expect(read(Array.from(text), how)).toEqual(once);
          const words = once.items.map((item) => (item.type === "text" ? item.text : "")).join("");
          const isPlain = once.dropped === 0 && !once.items.some((item) => item.type === "call");
          if (isPlain) expect(words).toBe(text);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it("gives back every call that was written, and the words around them", () => {
    const words = fc.constantFrom("I look.", "Two\nlines, `code`.", "{ braces }", "1. one\n2. two");
    const input = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value));
    const call = fc.record({ tool: fc.constantFrom("read", "edit", "no_such"), input });
    fc.assert(
      fc.property(
        words,
        fc.array(call, { maxLength: 4 }),
        fc.array(fc.nat()),
        (said, calls, cuts) => {
          const text = [said, ...calls.map((c) => writtenCall(c.tool, c.input))].join("\n");
          const { items } = read(cutAt(text, cuts));
          const made = calls.map((c) => ({ type: "call" as const, ...c }));
          expect(items).toEqual([{ type: "text", text: said }, ...made]);
          // The same in a fenced block is a quotation.
          const quoted = `See:\n~~~~~\n${text}\n~~~~~`;
          expect(read(cutAt(quoted, cuts)).items).toEqual([{ type: "text", text: quoted }]);
        },
      ),
    );
  });
});
