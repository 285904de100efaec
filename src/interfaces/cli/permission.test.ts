// A question shows exactly what would happen, and only a clear answer counts as leave.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asked } from "#core/session/samples.ts";
import { plain } from "#interfaces/cli/paint.ts";
import { neededText, questionText, replyOf } from "#interfaces/cli/permission.ts";

const { type: _, ...ask } = asked("c1", "abcdef0123456789");

describe("a question for the user's leave", () => {
  it("shows the command, why, and what it opens", () => {
    expect(questionText(ask, plain)).toBe(
      [
        "Aiex asks for your leave: run it",
        "because it leaves the sandbox",
        "opens   the whole network: every host, every protocol",
        "",
        "    curl example.com",
        "",
      ].join("\n"),
    );
  });

  it("shows each host that would be opened", () => {
    const opens = { hosts: ["*.docs.rs", "registry.npmjs.org"] };
    const text = questionText({ ...ask, opens }, plain);
    expect(text).toContain("opens   the network to *.docs.rs, registry.npmjs.org\n");
    expect(text).not.toContain("whole");
  });

  it("writes out what a terminal would hide or obey", () => {
    const text = questionText({ ...ask, what: "echo ok\x1b[2K\rrm -rf \u202e~" }, plain);
    expect(text).toContain("    echo ok\\x1b[2K\\x0drm -rf \\u{202e}~");
  });

  it("says where there is no terminal how to allow exactly this", () => {
    const text = neededText("5e551on", [ask], plain);
    expect(text).toContain("aiex ask --session 5e551on --allow abcdef012345");
    expect(text).toContain("curl example.com");
  });
});

describe("an answer", () => {
  it.each([
    ["y", { answer: "allow", scope: "once" }],
    [" YES ", { answer: "allow", scope: "once" }],
    ["s", { answer: "allow", scope: "session" }],
    ["w", { answer: "allow", scope: "workspace" }],
    ["n", { answer: "deny", scope: "once" }],
    ["use pnpm", { answer: "deny", scope: "once", say: "use pnpm" }],
    ["", null],
    ["k", null],
    ["yy", null],
  ])("%j means %j", (typed, reply) => expect(replyOf(typed)).toEqual(reply));

  it("is leave only where it is one of four words", () => {
    fc.assert(
      fc.property(fc.string(), (typed) => {
        const reply = replyOf(typed);
        const word = typed.trim().toLowerCase();
        return reply?.answer !== "allow" || ["y", "yes", "s", "w"].includes(word);
      }),
    );
  });
});
