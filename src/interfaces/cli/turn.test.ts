// Watching a turn over a door that is played by the test: its events, its questions, its end.
import { describe, expect, it } from "vitest";
import type { App, Command, Entry } from "#app";
import { ok } from "#core/failure.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { answered, asked, finished, prompted } from "#core/session/samples.ts";
import type { Reply } from "#interfaces/cli/permission.ts";
import { type Watching, watchTurn } from "#interfaces/cli/turn.ts";

const ended: SessionEvent = { type: "TurnEnded", turn: "t1", end: "done" };

/** A door whose events the test appends, and whose commands it sees. */
function played() {
  const events: SessionEvent[] = [];
  const sent: Command[] = [];
  let wake = () => {};
  const entryAt = (i: number): Entry => ({
    record: { stream: "s", version: i + 1, at: 0 } as Entry["record"],
    decoded: { kind: "event", event: events[i] as SessionEvent },
  });
  const app: Pick<App, "send" | "follow" | "listen"> = {
    async send(command) {
      sent.push(command);
      if (command.type === "AnswerPermission") {
        const { callId, hash, answer, scope } = command;
        append(
          { type: "PermissionAnswered", callId, hash, answer, scope },
          finished(callId),
          ended,
        );
      }
      return ok({ stream: "s", version: events.length });
    },
    async *follow({ after }, signal) {
      for (let i = after; !signal.aborted; ) {
        if (i < events.length) {
          yield ok(entryAt(i));
          i += 1;
          continue;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener("abort", () => resolve());
        });
      }
    },
    async *listen(_, signal) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  };
  function append(...more: SessionEvent[]): void {
    events.push(...more);
    wake();
  }
  return { app: app as App, sent, append };
}

const watching = (app: App, more: Partial<Watching> = {}): Watching => ({
  app,
  session: "s",
  after: 0,
  turn: { at: 1 },
  view: { event: () => {}, live: () => {} },
  answer: async () => null,
  ...more,
});

describe("watching a turn", () => {
  it("ends with the last answer and what the turn took", async () => {
    const { app, append } = played();
    append(prompted(), answered("first"), answered("last"), ended);
    expect(await watchTurn(watching(app))).toMatchObject({
      ok: true,
      value: { end: "done", text: "last", steps: 2, usage: { input: 20, output: 10 } },
    });
  });

  it("waits through the turn before, when its prompt is queued", async () => {
    const { app, append } = played();
    append({ type: "PromptQueued", turn: "t2", text: "mine", attachments: [] });
    append(answered("not mine"), ended, prompted("mine", "t2"), answered("mine"));
    append({ ...ended, turn: "t2" });
    expect(await watchTurn(watching(app))).toMatchObject({
      ok: true,
      value: { text: "mine", steps: 1 },
    });
  });

  it("sends the user's answer, bound to what was asked", async () => {
    const { app, append, sent } = played();
    append(prompted(), asked("c1", "h9"));
    const answer = async (): Promise<Reply> => ({ answer: "allow", scope: "session" });
    expect(await watchTurn(watching(app, { answer }))).toMatchObject({ value: { end: "done" } });
    expect(sent).toEqual([
      {
        type: "AnswerPermission",
        session: "s",
        callId: "c1",
        hash: "h9",
        answer: "allow",
        scope: "session",
      },
    ]);
  });

  it("ends as permission_needed where nobody can answer", async () => {
    const { app, append, sent } = played();
    append(prompted(), asked("c1"));
    expect(await watchTurn(watching(app))).toMatchObject({
      ok: true,
      value: { end: "permission_needed", asks: [{ callId: "c1" }] },
    });
    expect(sent).toEqual([]);
  });

  it("takes a question back that somebody else answered, and asks the next", async () => {
    const { app, append, sent } = played();
    append(prompted(), asked("c1"), asked("c2"));
    const seen: string[] = [];
    const answer: Watching["answer"] = (ask, signal) => {
      seen.push(ask.callId);
      if (ask.callId === "c2") return Promise.resolve({ answer: "deny", scope: "once" });
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve(null));
        append(finished("c1"));
      });
    };
    expect(await watchTurn(watching(app, { answer }))).toMatchObject({ value: { end: "done" } });
    expect(seen).toEqual(["c1", "c2"]);
    expect(sent).toMatchObject([{ callId: "c2", answer: "deny" }]);
  });

  it("asks what was open before it began to watch", async () => {
    const { app } = played();
    const { type: _, ...ask } = asked("c1");
    const answer = async (): Promise<Reply> => ({ answer: "allow", scope: "once" });
    const options = { asks: [ask], turn: { id: "t1" }, answer };
    expect(await watchTurn(watching(app, options))).toMatchObject({ value: { end: "done" } });
  });
});
