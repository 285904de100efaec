// Surfaces in a running session: what the model said stays in the log, our tools do it, and a switch
// to a model of another family changes the tools with its next step, whoever runs it.
import { expect, it } from "vitest";
import { offered, offerOf } from "#boundary/surfaces.ts";
import { builtinTools } from "#boundary/tools/builtin/index.ts";
import { jobsOfNode } from "#boundary/tools/jobs.ts";
import type { TurnParts, Verdict } from "#boundary/turn/parts.ts";
import {
  answersOf,
  call,
  eventsOf,
  type Judged,
  newWorld,
  partsOver,
  type Say,
  text,
  type World,
} from "#boundary/turn/samples.ts";
import { choose, prepareStep } from "#boundary/turn/step.ts";
import { drive } from "#boundary/turns.ts";
import { familyOf } from "#core/model/family.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { evolve } from "#core/session/evolve.ts";
import { prompted, started } from "#core/session/samples.ts";
import { emptySession, type Session } from "#core/session/state.ts";

const never = new AbortController().signal;
const CLAUDE = "anthropic/claude-sonnet-4-5";
const GPT = "openai/gpt-5.1-codex";

const content = async ({ workspace }: World): Promise<string> => {
  const bytes = await workspace.read("a.txt", { bytesMax: 100 });
  return bytes.ok ? Buffer.from(bytes.value).toString() : bytes.error.say;
};

/** A session of a model's family over the built-in tools, begun with a prompt. */
async function sessionOf(model: string, say: Say, judge?: Judged) {
  const world = newWorld();
  const tools = await builtinTools(jobsOfNode()).tools();
  const parts = partsOver(world, say, { place: { tools }, ...(judge ? { judge } : {}) });
  const surface = familyOf(model);
  const offer = offerOf(await offered(tools, surface));
  const kept = async (said: string) => {
    const bytes = Buffer.from(said);
    const hash = await parts.blobs.put(bytes);
    return { hash: hash.ok ? hash.value : "", bytes: bytes.length, media: "text/plain" };
  };
  const start: SessionEvent = {
    ...started,
    model,
    surface,
    toolEffects: offer.effects,
    system: await kept("You are a test."),
    tools: await kept(JSON.stringify(offer.specs)),
  };
  const by = { actor: "user", epoch: 0 };
  await parts.sessions.append("s", emptySession, [start, prompted()], by);
  return { world, parts };
}

const send = async ({ sessions }: TurnParts, command: Parameters<typeof sessions.command>[1]) => {
  const sent = await sessions.command("s", command);
  if (!sent.ok) throw new Error(sent.error.say);
};

const file_path = "a.txt";
const change = JSON.stringify({ file_path, old_string: "before", new_string: "after" });

/** Reads and edits by Claude's names; later, what the test wants. */
const claudeEdits =
  (then: Say): Say =>
  (request) => {
    const first = [
      [call("c1", "Read", JSON.stringify({ file_path }))],
      [call("c2", "Edit", change)],
      [text("done")],
    ][answersOf(request)];
    return first ? { parts: first } : then(request);
  };

it("runs a call by the family's names with our tools, and logs what the model said", async () => {
  const { world, parts } = await sessionOf(
    CLAUDE,
    claudeEdits(() => ({})),
  );
  await drive(parts, "s", never);
  expect(await content(world)).toBe("after");
  const events = await eventsOf(parts);
  const said = events.flatMap((e) => (e.type === "StepCompleted" ? e.parts : []));
  expect(said).toContainEqual({ type: "call", id: "c2", tool: "Edit", input: change });
  const begun = events.find((e) => e.type === "ToolStarted" && e.callId === "c2");
  expect(begun).toMatchObject({
    tool: "Edit",
    effect: "verifiable",
    title: expect.stringMatching(/^edit a\.txt/),
  });
  expect(events.some((e) => e.type === "ToolsChanged")).toBe(false);
});

/** One turn by Claude, then the model is switched and another prompt is sent. */
async function switched(then: Say) {
  const session = await sessionOf(CLAUDE, claudeEdits(then));
  await drive(session.parts, "s", never);
  await send(session.parts, { type: "SwitchModel", model: GPT });
  await send(session.parts, { type: "SubmitPrompt", turn: "t2", text: "more", attachments: [] });
  return session;
}

it("changes the tools before the first step of a model of another family", async () => {
  const then: Say = (request) =>
    answersOf(request) === 3 ? { parts: [call("c3", "Edit", change)] } : { parts: [text("ok")] };
  const { world, parts } = await switched(then);
  await drive(parts, "s", never);
  const events = await eventsOf(parts);
  const changed = events.flatMap((e, i) => (e.type === "ToolsChanged" ? [{ e, i }] : []));
  expect(changed).toHaveLength(1);
  expect(changed[0]?.e).toMatchObject({ surface: "gpt", toolEffects: { shell_command: "opaque" } });
  const step = events.findIndex((e) => e.type === "StepStarted" && e.model === GPT);
  expect(changed[0]?.i).toBeLessThan(step);
  const names = (n: number) => world.requests[n]?.tools.map(({ name }) => name) ?? [];
  expect(names(2)).toContain("Edit");
  expect(names(3)).toEqual(expect.arrayContaining(["shell_command", "apply_patch", "read"]));
  expect(names(3)).not.toContain("Edit");
  expect(JSON.stringify(world.requests[3]?.messages)).toContain(
    "From here on your tools have other names than above: shell_command, apply_patch",
  );
  // A name of before is history; a new call by it is answered with the present ones.
  const last = JSON.stringify(world.requests.at(-1)?.messages);
  expect(last).toContain('there is no tool \\"Edit\\"; the tools are: shell_command, apply_patch');
});

it("says it once when the runner dies between the switch and the step", async () => {
  const { world, parts } = await switched(() => ({ parts: [text("ok")] }));
  // The first runner stops at its own ToolsChanged: nothing of its step is in the log.
  const stop = new AbortController();
  const stopping: typeof parts = {
    ...parts,
    openModel: async (name, options) => {
      stop.abort();
      await new Promise(() => {});
      return parts.openModel(name, options);
    },
  };
  const dying = drive(stopping, "s", stop.signal);
  await new Promise<void>((resolve) => stop.signal.addEventListener("abort", () => resolve()));
  void dying;
  const fresh = partsOver(world, () => ({ parts: [text("ok")] }), {
    place: { tools: await builtinTools(jobsOfNode()).tools() },
  });
  const leases = newWorld().leases;
  expect(await drive({ ...fresh, leases }, "s", never)).toEqual({ ok: true, value: "rest" });
  const events = await eventsOf(fresh);
  expect(events.filter((e) => e.type === "ToolsChanged")).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ type: "TurnEnded", end: "done" });
});

it("runs a call that waited for leave by the names it was made in", async () => {
  const ask: Verdict = {
    do: "ask",
    title: "edit",
    why: "",
    what: "",
    opens: {},
    hash: "h",
    keys: [],
  };
  const judge: Judged = (title) => (title.startsWith("edit") ? ask : { do: "allow", opens: {} });
  const { world, parts } = await sessionOf(
    CLAUDE,
    claudeEdits(() => ({})),
    judge,
  );
  const driving = drive(parts, "s", never);
  for (let asked = false; !asked; ) {
    const s = await parts.sessions.fold("s");
    asked = s.ok && s.value.calls.some((open) => open.state === "asked");
    await new Promise((resolve) => setImmediate(resolve));
  }
  await send(parts, { type: "SwitchModel", model: GPT });
  const answer = { callId: "c2", answer: "allow", scope: "once", hash: "h" } as const;
  await send(parts, { type: "AnswerPermission", ...answer });
  expect(await driving).toEqual({ ok: true, value: "rest" });
  expect(await content(world)).toBe("after");
  const events = await eventsOf(parts);
  const order = events.flatMap((e) =>
    /^(ToolStarted|ToolsChanged)$/.test(e.type) ? [e.type] : [],
  );
  expect(order).toEqual(["ToolStarted", "ToolStarted", "ToolsChanged"]);
});

it("rebuilds every request from the log, byte for byte, across the switch", async () => {
  const { parts } = await switched(() => ({ parts: [text("ok")] }));
  await drive(parts, "s", never);
  let s: Session = emptySession;
  let steps = 0;
  for (const event of await eventsOf(parts)) {
    if (event.type === "StepStarted") {
      steps += 1;
      const chosen = await choose(parts, s, { signal: never, told() {} });
      if (!chosen.ok) throw new Error(chosen.error.say);
      const again = await prepareStep(parts, "s", { session: s, chosen: chosen.value });
      const kept = await parts.requests.get(event.request.hash);
      expect(again.ok && kept.ok && JSON.stringify(again.value.wire) === kept.value).toBe(true);
    }
    s = evolve(s, event);
  }
  expect(steps).toBe(4);
});
