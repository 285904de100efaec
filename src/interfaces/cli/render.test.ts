// Events as a person reads them.
import { describe, expect, it } from "vitest";
import { noUsage } from "#core/model/message.ts";
import type { SessionEvent } from "#core/session/events.ts";
import {
  adopted,
  answered,
  asked,
  broke,
  finished,
  prompted,
  started,
  stepStarted,
  toolStarted,
} from "#core/session/samples.ts";
import { emptyTranscript, follow } from "#core/session/transcript.ts";
import type { Decoded } from "#core/session/upcast.ts";
import { linesOf } from "#interfaces/cli/render.ts";

const transcriptOf = (...events: SessionEvent[]) =>
  events.reduce(
    (t, event, i) => follow(t, { version: i + 1, at: (i + 1) * 1_000 }, { kind: "event", event }),
    emptyTranscript,
  );

const told = (...events: SessionEvent[]): string[] =>
  transcriptOf(...events)
    .items.flatMap((item) => linesOf(item, "glance"))
    .map(({ kind, text, end = "" }) => `${kind}: ${text}${end}`);

const ended = (
  end: Extract<SessionEvent, { type: "TurnEnded" }>["end"],
  failure?: { code: string; say: string; fix?: string },
): SessionEvent => ({ type: "TurnEnded", turn: "t1", end, failure });

const edit = { id: "c1", tool: "edit", input: '{"path":"a.ts"}' };
const ran = (code: number | null) =>
  ({ type: "commandEnded", command: "npm test", code, durationMs: 1_234 }) as const;

describe("a session as a story", () => {
  it("says which model is asked instead, what is known of it, and what the turn cost", () => {
    const cost = { nanoDollars: 12_000_000, whole: true };
    const say = "b calls no tools; tools go through its text";
    const lines = told(
      prompted("hi"),
      stepStarted(),
      { ...broke(0), usage: noUsage, next: "b/b" },
      { type: "ModelDescribed", model: "b/b", windowTokens: 8_192, calls: "text", say },
      stepStarted(1, 2),
      answered("Here.", { usage: { ...noUsage, input: 10, output: 5, cost } }),
      ended("done"),
    );
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^fault: no answer: .*; b\/b is asked instead$/),
      `note: ${say}; the window of b/b is 8.2k tokens`,
      "answer: Here.",
      expect.stringContaining("10 in, 5 out · $0.012 · "),
    ]);
  });

  it("says of work that was given away how it ended and what it took", () => {
    const child = "j6h1gae176ccbzhw";
    const took = { steps: 3, tokens: 9_100 };
    const over = { type: "childEnded", child, role: "explore", end: "deadline", ...took } as const;
    const lines = told(
      prompted("go"),
      answered([{ id: "c1", tool: "task", input: "{}" }]),
      { ...toolStarted("c1", "keyed"), tool: "task", title: "explore: find it" },
      finished("c1", { end: "failed", facts: [over] }),
    );
    expect(lines.at(-1)).toBe(
      "trouble: x task explore: find it  its time was over, 3 steps, 9.1k tokens, session j6h1gae1",
    );
  });

  it("tells a turn from its prompt to what it changed and took", () => {
    const changed = { type: "fileChanged", path: "a.ts", before: "x", after: "y" } as const;
    expect(
      told(
        started,
        prompted("fix it"),
        adopted(1),
        stepStarted(),
        answered([edit]),
        { ...toolStarted("c1", "verifiable"), tool: "edit", title: "edit a.ts (+1 −1)" },
        finished("c1", { facts: [changed] }),
        answered("Fixed."),
        ended("done"),
      ),
    ).toEqual([
      "note: began in /w with scripted/test, mode ask",
      "prompt: fix it",
      "work: · edit a.ts (+1 −1)",
      "answer: Fixed.",
      "note: changed a.ts",
      "note: done · 2 steps · 20 in, 10 out · 7.0 s",
    ]);
  });

  it("says how a command ended, and names it after its tool", () => {
    const run = { ...toolStarted("c1"), title: "npm test" };
    expect(told(run, finished("c1", { facts: [ran(0)] }))).toEqual([
      "work: · run npm test  exit 0, 1.2 s",
    ]);
    expect(told(run, finished("c1", { end: "failed", facts: [ran(1)] }))).toEqual([
      "trouble: x run npm test  exit 1, 1.2 s",
      "output:     result of c1",
    ]);
    expect(told(run, finished("c1", { end: "cancelled", facts: [ran(null)] }))).toEqual([
      "work: - run npm test  stopped, 1.2 s; called off",
    ]);
    expect(told(run, finished("c1", { end: "interrupted" }))).toEqual([
      "trouble: ? run npm test  interrupted; how far it came is not known",
    ]);
  });

  it("names a call that never started by what was asked, or by its arguments", () => {
    const refused = finished("c1", {
      end: "failed",
      parts: [{ type: "text", text: "no place fits\nread it" }],
    });
    expect(told(answered([edit]), refused)).toEqual([
      'trouble: x edit {"path":"a.ts"}  no place fits …',
    ]);
    expect(told(answered([edit]), asked("c1"), finished("c1", { end: "denied" }))).toEqual([
      "ask: asked: curl example.com (it leaves the sandbox)",
      "trouble: - edit run it  not allowed: result of c1",
    ]);
  });

  it("says once why a turn failed", () => {
    const failure = { code: "overloaded", say: "try later", fix: "use another model" };
    expect(
      told(prompted(), broke(2_000), broke(40), broke(null), ended("failed", failure)),
    ).toEqual([
      "prompt: do it",
      "fault: no answer yet: try later; trying again in 2.0 s",
      "fault: no answer yet: try later; trying again",
      "fault: the model gave no answer: try later",
      "fault: use another model",
      "note: failed · 4.0 s",
    ]);
  });

  it("shows the beginning of a change, numbered, and the end of what a failed command said", () => {
    const diff = "@@ -1,3 +1,3 @@\n first\n-old\n+new\n last";
    const change = { type: "fileChanged", path: "a.ts", before: "x", after: "y", diff } as const;
    const start = { ...toolStarted("c1", "verifiable"), tool: "edit", title: "edit a.ts (+1 −1)" };
    expect(told(answered([edit]), start, finished("c1", { facts: [change] }))).toEqual([
      "work: · edit a.ts (+1 −1)",
      "output:     1   first",
      "removed:     2 - old",
      "added:     2 + new",
      "output:     3   last",
    ]);
    const said = [...Array.from({ length: 20 }, (_, i) => `line ${i}`), "", "(exit 1)"].join("\n");
    const failed = {
      end: "failed",
      facts: [ran(1)],
      parts: [{ type: "text", text: said }],
    } as const;
    const lines = told(toolStarted("c1"), finished("c1", failed));
    expect(lines.slice(1)).toEqual(
      Array.from({ length: 8 }, (_, i) => `output:     line ${12 + i}`),
    );
  });

  it("names the files where one call changed several", () => {
    const facts = ["a.ts", "b.ts"].map((path) => ({
      ...({ type: "fileChanged", path, before: "x", after: "y" } as const),
      diff: `@@ -1,1 +1,1 @@\n-${path}\n+new`,
    }));
    expect(told(toolStarted("c1"), finished("c1", { facts }))).toEqual([
      "work: · run",
      "output:     a.ts",
      "removed:     1 - a.ts",
      "added:     1 + new",
      "output:     b.ts",
      "removed:     1 - b.ts",
      "added:     1 + new",
    ]);
  });

  it("reads what was erased, is too new or too long", () => {
    const line = (decoded: Decoded) =>
      follow(emptyTranscript, { version: 1, at: 1 }, decoded).items.flatMap((item) =>
        linesOf(item, "glance"),
      )[0]?.text;
    expect(line({ kind: "erased", type: "TurnStarted" })).toBe("(TurnStarted: erased)");
    expect(line({ kind: "unknown", type: "Dreamt" })).toContain("newer version");
    expect(line({ kind: "far", type: "TurnStarted", blob: "b" })).toContain("too long");
  });

  it("lets no control character of a prompt, an answer, a title or a result through", () => {
    const evil = "\x1b]0;t\x07\x1b[2Jx\x07\u202e";
    const lines = told(
      { ...started, model: evil },
      prompted(evil),
      answered(evil),
      answered([{ ...edit, input: evil }]),
      { ...toolStarted("c1"), title: evil },
      finished("c1", { end: "failed", parts: [{ type: "text", text: evil }] }),
      { ...asked("c1"), what: evil, why: evil, title: evil },
      { type: "SessionRenamed", title: evil },
      { type: "ModelSwitched", model: evil },
      { type: "Steered", text: evil, attachments: [{ hash: "", bytes: 1, media: "", name: evil }] },
      { type: "HookRan", hook: evil, say: evil },
      { type: "CancelRequested", why: evil },
      { type: "ContextAdded", origin: "notice", text: evil, path: evil },
      finished("c1", { facts: [{ type: "fileGone", path: evil }] }),
      { ...broke(1), failure: { code: "broken", say: evil } },
      ended("failed", { code: "broken", say: evil, fix: evil }),
    );
    const change = {
      type: "fileChanged",
      path: evil,
      before: "",
      after: "",
      diff: `+${evil}`,
    } as const;
    const tools = transcriptOf(
      finished("c1", { facts: [change, change] }),
      finished("c2", { parts: [{ type: "text", text: evil }] }),
      finished("c3", { end: "failed", facts: [ran(1)], parts: [{ type: "text", text: evil }] }),
    ).items;
    const shown = tools.flatMap((item) => [...linesOf(item, "full"), ...linesOf(item, "glance")]);
    const all = [...lines, ...shown.map(({ text, end = "" }) => text + end)];
    expect(all.length).toBeGreaterThan(15);
    for (const line of all) expect(line).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
  });
});
