// Events as a person reads them.
import { describe, expect, it } from "vitest";
import type { Entry } from "#app";
import type { SessionEvent } from "#core/session/events.ts";
import { evolve } from "#core/session/evolve.ts";
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
import { emptySession } from "#core/session/state.ts";
import type { Decoded } from "#core/session/upcast.ts";
import { knownOf, nothingKnown, resultLines, tell } from "#interfaces/cli/render.ts";

const entry = (decoded: Decoded, version = 1): Entry => ({
  record: {
    position: version,
    stream: "s",
    version,
    id: `r${version}`,
    type: "x",
    schema: 1,
    at: version * 1_000,
    actor: "runner",
    node: "n",
    epoch: 1,
    cause: null,
    correlation: null,
    bodyHash: "",
    prev: "",
    hash: "",
  },
  decoded,
});

function told(...events: SessionEvent[]): string[] {
  let known = nothingKnown;
  return events.flatMap((event, i) => {
    const next = tell(known, entry({ kind: "event", event }, i + 1));
    known = next.known;
    return next.lines.map(({ kind, text }) => `${kind}: ${text}`);
  });
}

const ended = (
  end: Extract<SessionEvent, { type: "TurnEnded" }>["end"],
  failure?: { code: string; say: string; fix?: string },
): SessionEvent => ({ type: "TurnEnded", turn: "t1", end, failure });

const edit = { id: "c1", tool: "edit", input: '{"path":"a.ts"}' };
const ran = (code: number | null) =>
  ({ type: "commandEnded", command: "npm test", code, durationMs: 1_234 }) as const;

describe("a session as a story", () => {
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
      "trouble: - run it  not allowed: result of c1",
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

  it("tells a session whose turn is open already from the state", () => {
    const events = [started, adopted(1), prompted(), stepStarted(), answered([edit]), asked("c1")];
    const known = knownOf(events.reduce(evolve, emptySession));
    const next = tell(known, entry({ kind: "event", event: finished("c1") }));
    expect(next.lines).toEqual([{ kind: "work", text: "· run it" }]);
  });

  it("reads what was erased, is too new or too long", () => {
    const line = (decoded: Decoded) => tell(nothingKnown, entry(decoded)).lines[0]?.text;
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
    const result = finished("c1", { parts: [{ type: "text", text: evil }] });
    const shown = resultLines(entry({ kind: "event", event: result }));
    const all = [...lines, ...shown.map(({ text }) => text)];
    expect(all.length).toBeGreaterThan(15);
    for (const line of all) expect(line).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
  });
});
