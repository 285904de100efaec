// A child whose process was killed is ended by the first node that does anything after its time; one
// that still has time is left to whoever goes on with its parent.
import { expect, it, onTestFinished } from "vitest";
import { type Home, openHome } from "#boundary/door/samples.ts";
import { begin, text } from "#boundary/turn/samples.ts";
import type { EventOf } from "#core/session/events.ts";
import { prompted, stepStarted } from "#core/session/samples.ts";
import { emptySession } from "#core/session/state.ts";

/** A child as a killed process leaves it, in the middle of a call of its model. */
async function left({ parts }: Home, stream: string, deadlineAt: number): Promise<void> {
  const s = await parts.sessions.fold("s");
  if (!s.ok || !s.value.start) throw new Error("no parent");
  const begun: EventOf<"SessionStarted"> = {
    type: "SessionStarted",
    ...s.value.start,
    parent: "s",
    child: { call: "c", role: "explore", deadlineAt, grants: [] },
  };
  const by = { actor: "parent", epoch: 0 };
  const events = [begun, prompted(), stepStarted()];
  const added = await parts.sessions.append(stream, emptySession, events, by);
  if (!added.ok) throw new Error(added.error.say);
}

it("a child whose time was over while nobody ran it is ended by the next node that starts", async () => {
  const home = await openHome("n", () => ({ parts: [text("ok")] }));
  const { app, parts } = home;
  onTestFinished(() => app.close());
  await begin(parts);
  await left(home, "late", Date.now() - 60_000);
  await left(home, "early", Date.now() + 600_000);
  await app.send({ type: "Rename", session: "s", title: "anything" });
  const stop = new AbortController();
  for await (const entry of app.follow({ stream: "late", after: 0 }, stop.signal)) {
    if (!entry.ok) throw new Error(entry.error.say);
    if (entry.value.record.type === "ChildEnded") break;
  }
  stop.abort();
  const [late, early] = await Promise.all(["late", "early"].map((one) => parts.sessions.fold(one)));
  // With all that was open in it: no call of its model is left without an end.
  expect(late).toMatchObject({ value: { over: "deadline", turn: null, step: null } });
  expect(early).toMatchObject({ value: { over: null } });
});
