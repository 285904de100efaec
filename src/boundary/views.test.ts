// Views: fed with the log they equal what a rebuild makes of it, for every prefix.
import { describe, expect, it } from "vitest";
import { memoryBlobs } from "#boundary/blobs/memory.ts";
import { memoryLog } from "#boundary/log/memory.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import { feedAtOnce, viewsOver } from "#boundary/views.ts";
import { noUsage } from "#core/model/message.ts";
import type { SessionEvent } from "#core/session/events.ts";
import {
  answered,
  asked,
  broke,
  finished,
  prompted,
  started,
  stepStarted,
} from "#core/session/samples.ts";
import { emptySession } from "#core/session/state.ts";
import { views } from "#core/views/index.ts";

const never = new AbortController().signal;

const history: SessionEvent[] = [
  started,
  prompted("first"),
  { type: "ModelProbed", model: "scripted/test", usage: { ...noUsage, input: 3, output: 2 } },
  { ...stepStarted(), budget: { tokens: 100, nanoDollars: 9 } },
  broke(0),
  stepStarted(1, 2),
  answered([{ id: "c1", tool: "run" }], {
    attempt: 2,
    usage: {
      ...noUsage,
      input: 10,
      written: 4,
      output: 5,
      cost: { nanoDollars: 7, whole: true },
    },
  }),
  asked("c1"),
  finished("c1", { parts: [{ type: "text", text: "some words of a result" }] }),
  { type: "SessionRenamed", title: "named" },
  { type: "TurnEnded", turn: "t1", end: "cancelled" },
  prompted("x".repeat(100_000), "t2"),
  { type: "ModelSwitched", model: "other/one" },
  { ...stepStarted(2), budget: { tokens: 50 } },
  answered([{ id: "c1", tool: "look" }], { step: 2, usage: noUsage }),
  finished("c1", { parts: [] }),
  { type: "Compacted", text: "shorter", keep: 0, droppedMessages: 3, why: "asked" },
  { ...stepStarted(2, 2), budget: { tokens: 50 } },
  answered("y".repeat(100_000), { step: 2 }),
  { ...stepStarted(3), budget: { tokens: 7 } },
  { type: "TurnEnded", turn: "t2", end: "done" },
];

async function world() {
  const log = memoryLog({ node: "n", atOnce: feedAtOnce, now: () => 86_400_000 * 3 });
  const sessions = sessionsOver({ log, blobs: memoryBlobs(), fingerprint: "f" });
  const fed = viewsOver(log, sessions);
  await fed.open(never);
  const rows = async () => {
    const all: Record<string, unknown> = {};
    for (const view of views) {
      await fed.catchUp(view.name, never);
      const found = await log.tables.rows(view.name, { limit: 100 });
      all[view.name] = found.ok ? found.value : found.error;
    }
    return all;
  };
  return { log, sessions, fed, rows };
}

describe("the views", () => {
  it("fed with every prefix of a history equal what a rebuild makes of it", async () => {
    const { sessions, fed, rows } = await world();
    let session = emptySession;
    for (const event of history) {
      const added = await sessions.append("a", session, [event], { actor: "user", epoch: 0 });
      if (!added.ok) throw new Error(added.error.say);
      session = added.value;
      const before = await rows();
      expect(await fed.rebuild(() => {}, never)).toMatchObject({ ok: true });
      expect(await rows()).toEqual(before);
    }
    expect(await rows()).toMatchObject({
      sessions: [{ session: "a", title: "named", turns: 2, state: "idle", model: "other/one" }],
      usage: [
        {
          session: "a",
          calls: 5,
          broken: 1,
          input: 33,
          written: 4,
          output: 12,
          day: 3,
          nanoDollars: 7,
          unpricedInput: 23,
        },
      ],
      steps: [
        { session: "a", step: 0, attempt: 0, broken: 0, input: 3, output: 2 },
        { session: "a", step: 1, attempt: 1, broken: 1, unpricedInput: 10, inexact: 1 },
        { session: "a", step: 1, attempt: 2, broken: 0, nanoDollars: 7, unpricedInput: 0 },
        { session: "a", step: 2, attempt: 1, broken: 0, unpricedInput: 0 },
        { session: "a", step: 2, attempt: 1, broken: 0, unpricedInput: 10 },
      ],
      // Its id was used again later: it was in one request before it was compacted.
      results: [
        { tool: "run", tokens: 6, requests: 1, open: 0, held: 0, copied: 0 },
        { tool: "look", tokens: 0, requests: 0 },
      ],
      // The answer that lies in a blob counts as it is appended, and the open call is set aside.
      budgets: ["a", "user:", "day:3"].map((within) => ({
        ...{ session: "a", within, nanoDollars: 7, tokens: 45, unpriced: 30 },
        ...{ asideNanoDollars: 0, asideTokens: 7 },
      })),
      prompts: [{ text: "first" }, { version: 12 }],
    });
  });

  it("are filled when they are made over a log that is not empty", async () => {
    const { log, sessions, rows } = await world();
    const by = { actor: "user", epoch: 0 };
    await sessions.append("a", emptySession, history, by);
    const before = await rows();
    const [first] = views;
    if (!first) throw new Error("no views");
    // As an older version of the program left it.
    await log.tables.ensure({ ...first, version: 0 });
    await viewsOver(log, sessions).open(never);
    expect(await rows()).toEqual(before);
  });

  it("count each record once, however many read at the same time", async () => {
    const { log, sessions, fed, rows } = await world();
    const by = { actor: "user", epoch: 0 };
    await sessions.append("a", emptySession, history, by);
    const other = viewsOver(log, sessions);
    await Promise.all([1, 2, 3].flatMap(() => [fed, other].map((v) => v.catchUp("usage", never))));
    expect(await rows()).toMatchObject({ usage: [{ calls: 5, broken: 1 }] });
  });

  it("know nothing of an erased session", async () => {
    const { sessions, rows } = await world();
    const by = { actor: "user", epoch: 0 };
    const child = { call: "c", role: "explore", deadlineAt: 9, grants: [] };
    const begun = { ...started, parent: "p", child };
    const over: SessionEvent = { type: "ChildEnded", end: "done", text: "found" };
    const added = await sessions.append("a", emptySession, [begun, prompted(), over], by);
    if (!added.ok) throw new Error(added.error.say);
    expect(await rows()).toMatchObject({ children: [{ child: "a", parent: "p", state: "done" }] });
    await sessions.append("a", added.value, [{ type: "SessionErased", why: "private" }], by);
    expect(await rows()).toEqual({
      sessions: [],
      children: [],
      budgets: [],
      usage: [],
      steps: [],
      prompts: [],
      results: [],
      erased: [expect.objectContaining({ session: "a", version: 4 })],
    });
  });
});
