// What was typed becomes a command and its options, or a failure that names the nearest thing.
import { describe, expect, it } from "vitest";
import { commands } from "#interfaces/cli/commands/index.ts";
import { DEFAULT_COMMAND, parse, route } from "#interfaces/cli/parse.ts";

const names = Object.keys(commands);
const routed = (...argv: string[]) => route(argv, names);
const commandOf = async (name: string) => {
  const load = commands[name];
  if (!load) throw new Error(`no command ${name}`);
  return await load();
};
const parsed = async (name: string, ...rest: string[]) => parse(await commandOf(name), rest);

describe("the table of commands", () => {
  it("loads each command under the name that it has", async () => {
    for (const name of names) expect((await commandOf(name)).name).toBe(name);
  });

  it("gives no two options of a command the same letter, and none the letter of help", async () => {
    for (const name of names) {
      const { options = {} } = await commandOf(name);
      const letters = Object.values(options).flatMap(({ short }) => (short ? [short] : []));
      expect(new Set([...letters, "h"]).size, name).toBe(letters.length + 1);
    }
  });

  it("has examples that parse as the command they explain", async () => {
    for (const name of names) {
      const { examples } = await commandOf(name);
      expect(examples.length, name).toBeGreaterThan(0);
      for (const example of examples) {
        const typed = /aiex ?(.*?)(?: \||"$|\)"?$|$)/.exec(example)?.[1] ?? "";
        const words = (typed.match(/"[^"]*"?|\S+/g) ?? []).map((word) => word.replaceAll('"', ""));
        if (words[0] === "--version") continue;
        const to = route(words, names);
        expect(to, example).toMatchObject({ ok: true, value: { name } });
        if (to.ok) expect((await parsed(name, ...to.value.rest)).ok, example).toBe(true);
      }
    }
  });
});

describe("routing", () => {
  it.each([
    [["ask", "why"], "ask", ["why"]],
    [["cli", "ask", "why"], "ask", ["why"]],
    [["session", "list", "-a"], "session list", ["-a"]],
    [["audit"], "audit", []],
    [["audit", "verify"], "audit verify", []],
    [["audit", "--json"], "audit", ["--json"]],
    [[], DEFAULT_COMMAND, []],
    [["--continue"], DEFAULT_COMMAND, ["--continue"]],
    [["--help"], "help", []],
    [["-v"], "version", []],
    [["--version", "--json"], "version", ["--json"]],
    [["session", "--help"], "help", ["session"]],
  ])("%j is the command %s", (argv, name, rest) => {
    expect(route(argv, names)).toEqual({ ok: true, value: { name, rest } });
  });

  it.each([
    [["aks", "why"], 'did you mean "aiex ask"?'],
    [["sesion", "list"], 'did you mean "aiex session list"?'],
    [["session", "lst"], 'did you mean "aiex session list"?'],
    [["session"], "list, show, search"],
    [["session", "frobnicate"], "list, show, search"],
    [["zzzzzzzz"], "aiex help"],
    [["why is this slow"], 'aiex ask "…"'],
  ])("%j fails and says: %s", (argv, fix) => {
    expect(routed(...argv)).toMatchObject({
      ok: false,
      error: { code: "bad_input", fix: expect.stringContaining(fix) },
    });
  });
});

describe("parsing", () => {
  it("takes words, flags, values, repeated values and letters", async () => {
    const given = await parsed(
      "ask",
      ...["fix", "it", "-i", "a.png", "--input=b.txt", "-yc", "--max-steps", "7"],
    );
    expect(given).toMatchObject({
      ok: true,
      value: {
        args: ["fix", "it"],
        options: { input: ["a.png", "b.txt"], yes: true, continue: true, "max-steps": 7 },
      },
    });
  });

  it("takes everything after -- as words", async () => {
    expect(await parsed("ask", "--", "--yes", "-x")).toMatchObject({
      ok: true,
      value: { args: ["--yes", "-x"], options: { yes: false } },
    });
  });

  it.each([
    ["ask", ["--jsn"], "did you mean --json?"],
    ["ask", ["-z"], "aiex help ask"],
    ["ask", ["--model"], "--model <provider/name>"],
    ["ask", ["--model", "--yes"], "--model <provider/name>"],
    ["ask", ["--mode", "yess"], 'did you mean "yes"?'],
    ["session show", [], "usage: aiex session show <id> [options]"],
    ["session show", ["a", "b"], "usage:"],
  ])("%s %j fails and says: %s", async (name, rest, fix) => {
    expect(await parsed(name, ...rest)).toMatchObject({
      ok: false,
      error: { code: "bad_input", fix: expect.stringContaining(fix) },
    });
  });

  it.each([
    ["ask", ["--yes=1"], "takes no value"],
    ["ask", ["--max-steps", "many"], "whole number"],
    ["ask", ["--max-steps", "1.5"], "whole number"],
  ])("%s %j fails because it %s", async (name, rest, say) => {
    expect(await parsed(name, ...rest)).toMatchObject({
      ok: false,
      error: { say: expect.stringContaining(say) },
    });
  });

  it("asks for help even where arguments are missing", async () => {
    expect(await parsed("session show", "--help")).toMatchObject({ value: { help: true } });
  });
});
