// A session's rules, told as: given these events, when this command, then these events; and what
// `next` wants after each kind of answer.
import { describe, expect, it } from "vitest";
import { decide, QUEUE_MAX } from "#core/session/decide.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { evolve } from "#core/session/evolve.ts";
import { IDLE_ANSWERS_MAX, next, PARALLEL_CALLS_MAX } from "#core/session/next.ts";
import {
  adopted,
  answered,
  asked,
  broke,
  finished,
  given,
  prompted,
  stepStarted,
  toolStarted,
} from "#core/session/samples.ts";
import { emptySession, messagesOf } from "#core/session/state.ts";
import type { Fact } from "#core/session/tool-facts.ts";

const submit = { type: "SubmitPrompt", turn: "t2", text: "again", attachments: [] } as const;
const steer = { type: "Steer", text: "not that file", attachments: [] } as const;
const cancel = { type: "Cancel", why: "enough" } as const;
const cancelRequested: SessionEvent = { type: "CancelRequested", why: "enough" };
const read = (id: string) => ({ id, tool: "read" });
const run = (id: string) => ({ id, tool: "run" });

describe("an unknown session", () => {
  it("refuses every command", () => {
    expect(decide(submit, emptySession)).toMatchObject({ ok: false, error: { code: "not_found" } });
  });
});

describe("a session at rest", () => {
  it("starts a turn with a prompt", () => {
    expect(decide(submit, given())).toEqual({
      ok: true,
      value: [{ type: "TurnStarted", turn: "t2", text: "again", attachments: [] }],
    });
    expect(next(given()).do).toBe("rest");
  });

  it("has nobody to steer and nothing to cancel", () => {
    expect(decide(steer, given())).toMatchObject({ error: { code: "conflict" } });
    expect(decide(cancel, given())).toEqual({ ok: true, value: [] });
  });

  it("starts the turn of a queued prompt", () => {
    const queued: SessionEvent = { type: "PromptQueued", turn: "t2", text: "b", attachments: [] };
    const s = given(prompted(), queued, { type: "TurnEnded", turn: "t1", end: "done" });
    expect(next(s)).toMatchObject({ do: "startTurn", prompt: { turn: "t2", text: "b" } });
    expect(evolve(s, prompted("b", "t2")).queue).toEqual([]);
  });
});

describe("a session with a turn running", () => {
  it("calls the model first", () => {
    expect(next(given(prompted()))).toEqual({ do: "callModel", step: 1, attempt: 1, afterMs: 0 });
    expect(next(given(prompted(), stepStarted())).do).toBe("awaitModel");
  });

  it("queues a second prompt behind the first, up to a bound", () => {
    const queued: SessionEvent = {
      type: "PromptQueued",
      turn: "t2",
      text: "again",
      attachments: [],
    };
    expect(decide(submit, given(prompted()))).toEqual({ ok: true, value: [queued] });
    const full = given(prompted(), ...Array.from({ length: QUEUE_MAX }, () => queued));
    expect(decide(submit, full)).toMatchObject({ error: { code: "too_large" } });
  });

  it("takes a queued prompt back, once", () => {
    const queued: SessionEvent = {
      type: "PromptQueued",
      turn: "t2",
      text: "again",
      attachments: [],
    };
    const unqueue = { type: "Unqueue", turn: "t2" } as const;
    const taken = decide(unqueue, given(prompted(), queued));
    expect(taken).toEqual({ ok: true, value: [{ type: "PromptUnqueued", turn: "t2" }] });
    expect(decide(unqueue, given(prompted()))).toMatchObject({ error: { code: "not_found" } });
  });

  it("shows steering to the model with the next step, after the results", () => {
    const steered: SessionEvent = { type: "Steered", text: "not that file", attachments: [] };
    const s = given(prompted(), stepStarted(), answered([read("c1")]), steered, finished("c1"));
    expect(messagesOf(s).map((m) => m.role)).toEqual(["user", "assistant", "tool", "user"]);
    const after = evolve(s, stepStarted(2));
    expect(after.messages).toEqual(messagesOf(s));
    expect(after.steers).toEqual([]);
  });

  it("goes on when steering arrived while the model gave its last answer", () => {
    const steered: SessionEvent = { type: "Steered", text: "and the tests", attachments: [] };
    const s = given(prompted(), stepStarted(), steered, answered("done"));
    expect(next(s)).toMatchObject({ do: "callModel", step: 2 });
  });

  it("is not erased", () => {
    expect(decide({ type: "Erase", why: "x" }, given(prompted()))).toMatchObject({
      error: { code: "conflict" },
    });
  });
});

describe("after an answer", () => {
  const nextAfter = (...events: SessionEvent[]) =>
    next(given(prompted(), stepStarted(), ...events));

  it("`done` ends the turn", () => {
    expect(nextAfter(answered("all good"))).toEqual({ do: "endTurn", end: "done" });
  });

  it("`calls` runs the tools, then asks the model again", () => {
    expect(nextAfter(answered([read("c1")]))).toMatchObject({ do: "runTools" });
    expect(nextAfter(answered([read("c1")]), finished("c1"))).toMatchObject({
      do: "callModel",
      step: 2,
    });
  });

  it("`done` with complete calls runs them too: some servers say so", () => {
    expect(nextAfter(answered([read("c1")], { stop: "done" })).do).toBe("runTools");
  });

  it("`length` runs no call of the cut answer, and asks again", () => {
    const cut = answered([run("c1")], { stop: "length", notice: "cut" });
    expect(nextAfter(cut)).toMatchObject({ do: "endCalls", why: "cut" });
    const ended = finished("c1", { end: "failed" });
    expect(nextAfter(cut, ended)).toMatchObject({ do: "callModel", step: 2 });
    const s = given(prompted(), stepStarted(), cut, ended);
    expect(messagesOf(s).at(-1)).toMatchObject({ role: "user", origin: "notice" });
  });

  it("`paused` asks the model to go on", () => {
    expect(nextAfter(answered("so far", { stop: "paused" }))).toMatchObject({
      do: "callModel",
      step: 2,
    });
  });

  it("`refused` and `filtered` end the turn and say so", () => {
    expect(nextAfter(answered("no", { stop: "refused" }))).toEqual({
      do: "endTurn",
      end: "refused",
    });
    expect(nextAfter(answered("", { stop: "filtered" }))).toEqual({
      do: "endTurn",
      end: "filtered",
    });
  });

  it("`overflow` compacts once, and ends the turn the second time", () => {
    const over = answered("", { stop: "overflow" });
    expect(nextAfter(over)).toEqual({ do: "compact", why: "overflow" });
    const compacted: SessionEvent = {
      type: "Compacted",
      text: "short",
      keep: 0,
      droppedMessages: 1,
      why: "overflow",
    };
    expect(nextAfter(over, compacted)).toMatchObject({ do: "callModel", step: 2 });
    expect(nextAfter(over, compacted, stepStarted(2), over)).toMatchObject({
      do: "endTurn",
      end: "failed",
      failure: { code: "overflow" },
    });
  });

  it("a word on the environment is told, and alone asks for no further answer", () => {
    const switched: SessionEvent = { type: "ModeSwitched", mode: "plan" };
    expect(nextAfter(answered("done"), switched)).toEqual({ do: "endTurn", end: "done" });
    const s = given(prompted(), stepStarted(), answered([read("c1")]), switched, finished("c1"));
    expect(messagesOf(s).at(-1)).toMatchObject({ role: "user", origin: "environment" });
  });

  it("an empty answer is asked again, at most two more times", () => {
    const events: SessionEvent[] = [prompted()];
    for (let i = 1; i < IDLE_ANSWERS_MAX; i += 1) {
      events.push(stepStarted(i), answered("", { notice: "empty" }));
      expect(next(given(...events))).toMatchObject({ do: "callModel", step: i + 1 });
    }
    events.push(stepStarted(IDLE_ANSWERS_MAX), answered("", { notice: "empty" }));
    expect(next(given(...events))).toMatchObject({ do: "endTurn", end: "failed" });
  });

  it("a broken call is tried again when the runner says so, else the turn fails with its reason", () => {
    expect(nextAfter(broke(700))).toEqual({ do: "callModel", step: 1, attempt: 2, afterMs: 700 });
    expect(nextAfter(broke(null))).toMatchObject({
      do: "endTurn",
      end: "failed",
      failure: { code: "overloaded" },
    });
  });

  it("a turn ends after its limit of steps", () => {
    const events: SessionEvent[] = [prompted()];
    for (let i = 1; i <= 20; i += 1) {
      events.push(stepStarted(i), answered([read(`c${i}`)]), finished(`c${i}`));
    }
    expect(next(given(...events))).toMatchObject({ do: "endTurn", end: "limit" });
  });

  it("a nearly full context is compacted before the next step", () => {
    const usage = { input: 8_600, cached: 0, output: 1, reasoning: 0, exact: true };
    const steps = [1, 2, 3, 4].flatMap((n) => [
      ...(n > 1 ? [stepStarted(n)] : []),
      answered([read(`c${n}`)], { usage }),
      finished(`c${n}`),
    ]);
    expect(nextAfter(...steps)).toEqual({ do: "compact", why: "full" });
    const small = { input: 4_300, cached: 0, output: 1, reasoning: 0, exact: true };
    const half = steps.map((e) => ("usage" in e ? { ...e, usage: small } : e));
    expect(nextAfter(...half)).toMatchObject({ do: "callModel" });
    // The same under a model of a smaller window, and again under one that is not.
    const described = (windowTokens: number | null): SessionEvent => ({
      type: "ModelDescribed",
      model: "a/b",
      windowTokens,
    });
    const narrow = [...half, described(5_000)];
    expect(nextAfter(...narrow)).toEqual({ do: "compact", why: "full" });
    expect(nextAfter(...narrow, described(null))).toMatchObject({ do: "callModel" });
  });
});

describe("the calls of one answer", () => {
  const nextAfter = (...events: SessionEvent[]) =>
    next(given(prompted(), stepStarted(), ...events));
  const ids = (...events: SessionEvent[]) => {
    const action = nextAfter(...events);
    return action.do === "runTools" ? action.calls.map(({ call }) => call.id) : action.do;
  };

  it("is taken for the tool it means, where its name is not quite that", () => {
    const calls = answered([
      { id: "a", tool: "functions.read" },
      { id: "b", tool: "functions.run" },
    ]);
    const s = given(prompted(), stepStarted(), calls);
    const action = next(s);
    expect(action.do === "runTools" && action.calls.map(({ call }) => call.id)).toEqual(["a"]);
  });

  it("run together while they are pure, others one by one in order", () => {
    const calls = answered([read("c1"), read("c2"), run("c3"), read("c4"), run("c5")]);
    expect(ids(calls)).toEqual(["c1", "c2"]);
    expect(ids(calls, finished("c1"), finished("c2"))).toEqual(["c3"]);
    expect(ids(calls, finished("c1"), finished("c2"), finished("c3"))).toEqual(["c4"]);
  });

  it("run at most eight at once", () => {
    const many = Array.from({ length: 20 }, (_, i) => read(`c${i}`));
    expect(ids(answered(many))).toHaveLength(PARALLEL_CALLS_MAX);
  });

  it("give their results back together, in the order of the calls", () => {
    const calls = answered([read("c1"), read("c2"), read("c3")]);
    const s = given(
      prompted(),
      stepStarted(),
      calls,
      finished("c3"),
      finished("c1"),
      finished("c2"),
    );
    const results = messagesOf(s).flatMap((m) => (m.role === "tool" ? [m.callId] : []));
    expect(results).toEqual(["c1", "c2", "c3"]);
  });

  it("have one result each: a second one changes nothing", () => {
    const s = given(prompted(), stepStarted(), answered([run("c1")]), finished("c1"));
    expect(evolve(s, finished("c1", { end: "interrupted" })).calls).toEqual(s.calls);
  });
});

describe("a permission", () => {
  const s = given(prompted(), stepStarted(), answered([run("c1")]), asked("c1", "h1"));
  const allow = { type: "AnswerPermission", callId: "c1", answer: "allow", scope: "once" } as const;

  it("is answered only for exactly what was asked", () => {
    expect(decide({ ...allow, hash: "other" }, s)).toMatchObject({ error: { code: "conflict" } });
    expect(decide({ ...allow, hash: "h1" }, s)).toMatchObject({
      value: [{ type: "PermissionAnswered", callId: "c1" }],
    });
  });

  it("once given lets the call run with what it opened, and is remembered only beyond `once`", () => {
    const answer = { callId: "c1", answer: "allow", scope: "session", hash: "h1" } as const;
    const after = evolve(s, { type: "PermissionAnswered", ...answer });
    expect(next(after)).toMatchObject({ do: "runTools", calls: [{ state: "allowed" }] });
    expect(after.calls[0]?.granted).toEqual({ hash: "h1", opens: { network: true } });
    expect(after.grants).toEqual(["key of h1"]);
    const once = evolve(s, { type: "PermissionAnswered", ...answer, scope: "once" });
    expect(once.grants).toEqual([]);
  });

  it("refused ends the call as denied, with the user's words for the model", () => {
    const denied = decide({ ...allow, answer: "deny", hash: "h1", say: "use npm" }, s);
    expect(denied).toMatchObject({
      value: [
        { type: "PermissionAnswered", answer: "deny" },
        {
          type: "ToolFinished",
          end: "denied",
          parts: [{ text: expect.stringContaining("use npm") }],
        },
      ],
    });
  });

  it("cannot be answered twice", () => {
    const ended = evolve(s, finished("c1", { end: "denied" }));
    expect(decide({ ...allow, hash: "h1" }, ended)).toMatchObject({ error: { code: "conflict" } });
  });
});

describe("a cancelled turn", () => {
  it("stops the model, then ends", () => {
    expect(next(given(prompted(), stepStarted(), cancelRequested)).do).toBe("stopModel");
    const stopped = given(prompted(), stepStarted(), cancelRequested, broke(null));
    expect(next(stopped)).toMatchObject({ do: "endTurn", end: "cancelled" });
  });

  it("gives every open call its one result before it ends", () => {
    const calls = answered([read("c1"), run("c2")]);
    const s = given(prompted(), stepStarted(), calls, cancelRequested);
    expect(next(s)).toMatchObject({ do: "endCalls", why: "cancelled", calls: { length: 2 } });
    const ended = [finished("c1"), finished("c2")].reduce(evolve, s);
    expect(next(ended)).toMatchObject({ do: "endTurn", end: "cancelled" });
  });

  it("is cancelled once", () => {
    expect(decide(cancel, given(prompted(), cancelRequested))).toEqual({ ok: true, value: [] });
    expect(decide(steer, given(prompted(), cancelRequested))).toMatchObject({
      error: { code: "conflict" },
    });
  });
});

describe("a session whose runner died", () => {
  it("settles the open model call, and tries the step again", () => {
    const s = given(prompted(), stepStarted(), adopted(2));
    expect(next(s)).toMatchObject({ do: "settleStep", open: { step: 1, attempt: 1, epoch: 1 } });
    expect(next(evolve(s, broke(0)))).toMatchObject({ do: "callModel", step: 1, attempt: 2 });
  });

  it("recovers a started call before anything else, also when the turn was cancelled", () => {
    const events = [prompted(), stepStarted(), answered([run("c1"), run("c2")]), toolStarted("c1")];
    const s = given(...events, adopted(2));
    expect(next(s)).toMatchObject({ do: "runTools", calls: [{ started: { epoch: 1 } }] });
    const off = given(...events, cancelRequested, adopted(2));
    expect(next(off)).toMatchObject({ do: "runTools", calls: [{ call: { id: "c1" } }] });
  });
});

describe("an erased session, or one with events of a newer version", () => {
  it("rests and refuses commands, and throws nothing", () => {
    const erased = given({ type: "SessionErased", why: "private" });
    expect(next(erased).do).toBe("rest");
    expect(decide(submit, erased)).toMatchObject({ error: { code: "not_found" } });
    const newer = { ...given(prompted()), unknown: true };
    expect(next(newer).do).toBe("rest");
    expect(decide(submit, newer)).toMatchObject({ error: { code: "not_supported" } });
  });
});

describe("a file that a call changed", () => {
  it("is known to the session unless it had not read it", () => {
    const fact = { type: "fileChanged" as const, path: "a", before: "1", after: "2" };
    const seenAfter = (facts: Fact[]) =>
      evolve(given(prompted()), { ...finished("c1"), facts }).seen;
    expect(seenAfter([fact])).toEqual([{ path: "a", hash: "2", changed: true }]);
    expect(seenAfter([fact, { ...fact, after: "3", unread: true }])).toEqual([]);
  });
});

describe("what the user changes of a session", () => {
  it("a switch to the same mode is nothing, and effort is kept for the next request", () => {
    expect(decide({ type: "SwitchMode", mode: "ask" }, given())).toEqual({ ok: true, value: [] });
    const switched = decide({ type: "SwitchEffort", effort: "high" }, given());
    expect(switched).toMatchObject({ ok: true, value: [{ effort: "high" }] });
    expect(given({ type: "EffortSwitched", effort: "high" }).effort).toBe("high");
  });

  it("is compacted between turns where there is something to drop, never within one", () => {
    const turn = (n: number): SessionEvent[] => [
      prompted(`prompt ${n}`, `t${n}`),
      stepStarted(),
      answered("fine"),
      { type: "TurnEnded", turn: `t${n}`, end: "done" },
    ];
    const long = [1, 2, 3, 4, 5].flatMap(turn);
    expect(decide({ type: "Compact" }, given(...long))).toMatchObject({
      ok: true,
      value: [{ type: "Compacted", why: "asked", droppedMessages: 4 }],
    });
    expect(decide({ type: "Compact" }, given(...turn(1)))).toMatchObject({ ok: false });
    expect(decide({ type: "Compact" }, given(...long, prompted("more", "t9")))).toMatchObject({
      error: { code: "conflict" },
    });
  });
});
