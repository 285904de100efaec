// Roles from files: a head of lines, then instructions. What is not understood is said, not guessed.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { roleFrom, rolesLine } from "#core/role.ts";

const tools: Record<string, string> = { read: "read", grep: "search", search: "search" };
const named = (name: string) => tools[name.toLowerCase()];
const roleOf = (text: string, name = "reviewer") => roleFrom({ name, text }, named);
const head = (...lines: string[]) => ["---", ...lines, "---", "Look closely."].join("\n");

describe("what is told of roles", () => {
  const many = Array.from({ length: 300 }, (_, i) => ({
    name: `r${i}`,
    about: "漢".repeat(300),
    text: "",
  }));

  it("is a line of few kilobytes, however many there are and whatever they say", () => {
    const line = rolesLine(many);
    expect(new TextEncoder().encode(line).length).toBeLessThan(4_200);
    expect(line).toMatch(/^r0 \(漢+\); r1 .*; and 29\d more$/);
    expect(rolesLine(many.slice(0, 2))).not.toContain("more");
  });
});

describe("a role's file", () => {
  it("says who it is, and its text is what it is told", () => {
    const lines = [
      "name: careful",
      'description: "reviews: a diff"',
      "mode: read-only",
      "minutes: 5",
    ];
    expect(roleOf(head(...lines, "steps: 30", "model: openai/x"))).toEqual({
      ok: true,
      value: {
        name: "careful",
        about: "reviews: a diff",
        text: "Look closely.",
        mode: "read-only",
        model: "openai/x",
        minutes: 5,
        steps: 30,
      },
    });
  });

  it("is named as its file where its head does not say", () => {
    expect(roleOf(head("description: reviews"))).toMatchObject({ value: { name: "reviewer" } });
  });

  it.each([
    ["in brackets", ["tools: [Read, Grep]"]],
    ["between commas", ["tools: read, Search"]],
    ["one a line", ["tools:", "  - Read", "  - grep"]],
  ])("lists its tools %s, by any name that a model has for them", (_, lines) => {
    const role = roleOf(head("description: x", ...lines));
    expect(role).toMatchObject({ value: { tools: ["read", "search"] } });
  });

  it("may say more in further lines, and keys that are other programs'", () => {
    const lines = ["description: >", "  finds what: is wrong", "  and says so", "color: red"];
    expect(roleOf(head(...lines))).toMatchObject({
      value: { about: "finds what: is wrong and says so" },
    });
  });

  it("asks the model of its parent where it inherits it", () => {
    const role = roleOf(head("description: x", "model: inherit"));
    expect(role.ok && role.value.model).toBeUndefined();
  });

  it.each([
    ["no head", "Look closely.", "does not begin with a head"],
    ["no description", head("name: a"), "description"],
    ["a name with a path", head("name: ../a", "description: x"), "is no name"],
    ["a tool that there is not", head("description: x", "tools: Rocket"), '"Rocket"'],
    ["a mode that there is not", head("description: x", "mode: root"), "is one of"],
    ["minutes without end", head("description: x", "minutes: 1e9"), "whole number"],
    ["a line that is none", head("description: x", "]]"), "]]"],
  ])("with %s is refused, and why", (_, text, say) => {
    const role = roleOf(text);
    expect(role).toMatchObject({ ok: false, error: { code: "bad_input" } });
    expect(!role.ok && role.error.say).toContain(say);
  });

  it("never throws, whatever is in it", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" })), (lines) => {
        roleOf(head(...lines));
        roleOf(lines.join("\n"));
      }),
    );
  });
});
