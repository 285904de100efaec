// A strict turn: it ends as done only with evidence, asks the model for it a bounded number of
// times, and then says that it ends without.
import { describe, expect, it } from "vitest";
import { decide } from "#core/session/decide.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { evolve } from "#core/session/evolve.ts";
import { EVIDENCE_ASKS_MAX, next } from "#core/session/next.ts";
import { answered, finished, given, prompted, toolStarted } from "#core/session/samples.ts";
import type { Session } from "#core/session/state.ts";

const strict = { ...prompted(), evidence: "strict" } as const;
const verify = { command: "npm test", folder: ".", files: [] };
const described: SessionEvent = { type: "VerifyDescribed", commands: [verify] };
const edited: SessionEvent[] = [
  answered([{ id: "e", tool: "edit" }]),
  toolStarted("e"),
  finished("e", { facts: [{ type: "fileChanged", path: "a.js", before: "1", after: "2" }] }),
];
const tested = (code: number): SessionEvent[] => [
  answered([{ id: "t", tool: "run" }]),
  toolStarted("t"),
  finished("t", {
    facts: [{ type: "commandEnded", command: "npm test", cwd: ".", code, durationMs: 1 }],
  }),
];

/** Lets the model say "done" until something else is wanted than to ask it again. */
function insisted(s: Session): { asked: string[]; end: ReturnType<typeof next> } {
  const asked: string[] = [];
  for (let session = evolve(s, answered("done")); ; session = evolve(session, answered("done"))) {
    const action = next(session);
    if (action.do !== "askEvidence") return { asked, end: action };
    asked.push(action.say);
    session = evolve(session, { type: "EvidenceAsked", turn: "t1", say: action.say });
    expect(next(session).do).toBe("callModel");
  }
}

describe("a strict turn", () => {
  it("ends as done where nothing was changed", () => {
    expect(next(given(strict, described, answered("done")))).toMatchObject({ end: "done" });
  });

  it("ends as done once a verify command passed on the files as they are", () => {
    const s = given(strict, described, ...edited, ...tested(0), answered("done"));
    expect(next(s)).toMatchObject({ do: "endTurn", end: "done" });
  });

  it("asks for evidence, naming what is unproven and what would prove it, and then ends without", () => {
    const { asked, end } = insisted(given(strict, described, ...edited));
    expect(asked).toHaveLength(EVIDENCE_ASKS_MAX);
    expect(asked[0]).toContain("a.js changed, unproven. Run `npm test`, exactly as it is");
    expect(end).toMatchObject({ do: "endTurn", end: "unproven", failure: { code: "unproven" } });
  });

  it("goes by runs, not by what the model says of them", () => {
    const { asked, end } = insisted(given(strict, described, ...edited, ...tested(1)));
    expect(asked[0]).toContain("`npm test` failed when it ran last");
    expect(end).toMatchObject({ end: "unproven" });
  });

  it("does not ask where no command is known that could prove it", () => {
    const { asked, end } = insisted(given(strict, ...edited));
    expect(asked).toEqual([]);
    expect(end).toMatchObject({
      end: "unproven",
      failure: { fix: expect.stringContaining("aiex verify") },
    });
  });

  it("asks for what was changed in earlier turns, too", () => {
    const over: SessionEvent = { type: "TurnEnded", turn: "t1", end: "done" };
    const s = given(prompted(), described, ...edited, answered("done"), over);
    const second = evolve(s, { ...strict, turn: "t2" });
    expect(next(evolve(second, answered("all is well"))).do).toBe("askEvidence");
  });

  it("is strict also when it waited in the queue", () => {
    const submit = { type: "SubmitPrompt", turn: "t2", text: "go", attachments: [] } as const;
    const queued = decide({ ...submit, evidence: "strict" }, given(prompted()));
    const events = queued.ok ? queued.value : [];
    expect(events).toMatchObject([{ type: "PromptQueued", evidence: "strict" }]);
    const over: SessionEvent = { type: "TurnEnded", turn: "t1", end: "done" };
    expect(next(given(prompted(), ...events, over))).toMatchObject({
      do: "startTurn",
      prompt: { turn: "t2", evidence: "strict" },
    });
  });
});

describe("any other turn", () => {
  it("ends as done, whatever is proven", () => {
    const s = given(prompted(), described, ...edited, answered("done"));
    expect(next(s)).toMatchObject({ do: "endTurn", end: "done" });
  });
});
