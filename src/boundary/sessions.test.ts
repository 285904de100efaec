// Sessions over the log: long bodies come back unnoticed, a snapshot changes nothing but the time it
// takes, and whoever comes second decides again.
import { expect, it } from "vitest";
import { memoryBlobs } from "#boundary/blobs/memory.ts";
import { memoryLog } from "#boundary/log/memory.ts";
import type { EventLog } from "#boundary/log/port.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { answered, finished, prompted, started, stepStarted } from "#core/session/samples.ts";
import { emptySession, type Session } from "#core/session/state.ts";

const never = new AbortController().signal;
const by = { actor: "user", epoch: 0 };

function world() {
  const log = memoryLog({ node: "n", atOnce: () => [], now: () => 0 });
  const blobs = memoryBlobs();
  const open = (fingerprint = "f", over: EventLog = log) =>
    sessionsOver({ log: over, blobs, fingerprint });
  return { log, blobs, open };
}

async function done<T>(
  result: Promise<{ ok: true; value: T } | { ok: false; error: { say: string } }>,
): Promise<T> {
  const settled = await result;
  if (!settled.ok) throw new Error(settled.error.say);
  return settled.value;
}

/** A history of `steps` steps, beginning at the first event. */
const history = (steps: number): SessionEvent[] => [
  started,
  prompted(),
  ...Array.from({ length: steps }, (_, n) => [
    stepStarted(n + 1),
    answered([{ id: `c${n}`, tool: "read" }]),
    finished(`c${n}`, { facts: [{ type: "fileSeen", path: `f${n % 7}`, hash: `${n}` }] }),
  ]).flat(),
];

it("a body too long for an event lies in a blob, and reads and folds as if it did not", async () => {
  const { log, open } = world();
  const long = prompted("ü".repeat(70_000));
  const session = await done(open().append("s", emptySession, [started, long], by));
  const lengths: number[] = [];
  for await (const page of log.read("s", { after: 1 }, never)) {
    if (page.ok) lengths.push(...page.value.map(({ body }) => body?.length ?? 0));
  }
  expect(lengths).toHaveLength(1);
  expect(lengths[0]).toBeLessThan(200);
  expect(await done(open().fold("s"))).toEqual(session);
  for await (const page of open().read("s", { after: 1 }, never)) {
    expect(page).toMatchObject({ ok: true, value: [{ decoded: { kind: "event", event: long } }] });
  }
});

it("a far body whose blob is gone is a failure that says so, not an empty event", async () => {
  const { blobs, open } = world();
  await open().append("s", emptySession, [started, prompted("x".repeat(70_000))], by);
  await blobs.sweep(() => false, { graceMs: -1_000, signal: never });
  expect(await open().fold("s")).toMatchObject({ error: { code: "not_found" } });
});

it("a fold from a snapshot equals the replay, and one of other code is not used", async () => {
  const { log, open } = world();
  const writer = open("f");
  let session: Session = emptySession;
  for (const [i, event] of history(150).entries()) {
    session = await done(writer.append("s", session, [event], by));
    if (i % 60 === 0) await writer.keep("s");
  }
  const kept = await done(log.snapshot("s", "f"));
  expect(kept?.version).toBeGreaterThan(200);
  expect(kept?.version).toBeLessThan(session.version);
  const after: number[] = [];
  const watched: EventLog = {
    ...log,
    read(stream, window, signal) {
      after.push(window.after);
      return log.read(stream, window, signal);
    },
  };
  expect(await done(open("f", watched).fold("s"))).toEqual(session);
  expect(await done(open("other", watched).fold("s"))).toEqual(session);
  expect(after).toEqual([kept?.version, 0]);
});

it("whoever comes second folds and decides again: no command is lost, none is doubled", async () => {
  const { open } = world();
  const first = open();
  await first.append("s", emptySession, [started, prompted()], by);
  const turns = Array.from({ length: 20 }, (_, i) => `q${i}`);
  const sent = await Promise.all(
    turns.map((turn) =>
      open().command("s", { type: "SubmitPrompt", turn, text: turn, attachments: [] }),
    ),
  );
  expect(sent.every(({ ok }) => ok)).toBe(true);
  const session = await done(open().fold("s"));
  expect(session.queue.map(({ turn }) => turn).sort()).toEqual([...turns].sort());
});

it("an erased session is the same for who folded it before and who replays it after", async () => {
  const { log, open } = world();
  const before = open();
  await before.append("s", emptySession, [...history(3)], by);
  const s = await done(before.fold("s"));
  const end: SessionEvent = { type: "TurnEnded", turn: "t1", end: "done" };
  const rested = await done(before.append("s", s, [end], by));
  await before.command("s", { type: "Rename", title: "a secret" });
  await before.command("s", { type: "Erase", why: "private" });
  const live = await done(before.fold("s"));
  await log.erase("s", { after: 0, until: rested.version + 1 });
  expect(await done(open().fold("s"))).toEqual(live);
  expect(live).toEqual({ ...emptySession, erased: true, version: live.version });
});
