// One tool call, from its raw arguments to its one result: prepared, judged, started, run. Each
// stage ends with events that are durable before the next begins.
import { offered, toolsFor } from "#boundary/surfaces.ts";
import type { Prepared, Tool, ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { historyOf } from "#boundary/turn/history.ts";
import { refusalBy, saidAfter } from "#boundary/turn/hooks.ts";
import { withLosses } from "#boundary/turn/losses.ts";
import { maskedOutcome, maskedQuestion, maskOf } from "#boundary/turn/masking.ts";
import type { Landing, Place, TurnParts, Verdict } from "#boundary/turn/parts.ts";
import {
  type Before,
  recordAfter,
  recordBefore,
  recordBegin,
  recordJobEnd,
  recordLeft,
  recordLost,
} from "#boundary/turn/recorded.ts";
import { unreachable } from "#core/assert.ts";
import { type Failure, sentenceOf } from "#core/failure.ts";
import { toolNamed } from "#core/model/repair.ts";
import { plainWords } from "#core/model/surface.ts";
import type { Opened } from "#core/security/access.ts";
import type { CallEnd, SessionEvent } from "#core/session/events.ts";
import { resultBytes } from "#core/session/room.ts";
import type { OpenCall, Session } from "#core/session/state.ts";
import type { FileChange } from "#core/session/tool-facts.ts";

/** How long a cancelled tool may take to stop before it counts as interrupted, in milliseconds. */
const STOP_MS = 5_000;

type CallOptions = {
  parts: TurnParts;
  stream: string;
  place: Place;
  session: Session;
  open: OpenCall;
  signal: AbortSignal;
};

/** The first stage; changes nothing. */
export async function prepareCall(options: CallOptions): Promise<Landing> {
  const { place, session, open, signal } = options;
  const { call } = open;
  // The tools that were on offer when the model asked, also if it was switched since.
  const tools = await offered(
    toolsFor(place.tools, session.start),
    session.tools?.surface ?? "other",
  );
  const meant = toolNamed(
    call.tool,
    tools.map(({ spec }) => spec.name),
  );
  const tool = tools.find(({ spec }) => spec.name === meant);
  if (!tool) return ended(call.id, "failed", unknownTool(call.tool, tools));
  const prepared = await prepare(tool, options);
  if (signal.aborted) return cancelled(call.id);
  const masks = async (opened: Opened = {}) =>
    await maskOf(options, prepared.ok ? prepared.value.access : [], opened);
  if (!prepared.ok) {
    return ended(call.id, "failed", (await masks())(sentenceOf(prepared.error)));
  }
  const judged = await place.judge(prepared.value, session);
  const verdict = await withLosses(judged, { prepared: prepared.value, place, signal });
  if (verdict.do === "deny") return ended(call.id, "denied", verdict.say);
  if (verdict.do === "ask" && open.granted?.hash !== verdict.hash) {
    return ask(call.id, maskedQuestion(verdict, prepared.value.access, await masks()));
  }
  const denied = await beforeTool(options, prepared.value);
  if (denied) return denied;
  const before = await recordBefore(options, prepared.value);
  return start(options, { prepared: prepared.value, opened: verdict.opens, before });
}

type Ready = { prepared: Prepared; opened: Opened; before: Before };

async function prepare(tool: Tool, options: CallOptions) {
  const { parts, stream, place, session, open, signal } = options;
  return await tool.prepare(open.call.input, {
    callId: open.call.id,
    session: stream,
    mode: session.mode,
    seen: new Map(session.seen.map(({ path, hash }) => [path, hash])),
    changed: session.seen.filter(({ changed }) => changed).map(({ path }) => path),
    todo: session.todo,
    words: plainWords,
    resultBytesMax: resultBytes(session),
    workspace: place.workspace,
    sandbox: place.sandbox,
    blobs: parts.blobs,
    readable: () => place.readable(session),
    history: (at) => historyOf(parts, { stream, session, at }, signal),
    async writing(title) {
      const trees = await place.trees();
      const writing = { title, paths: null, call: open.call.id };
      return trees.ok ? trees.value.writing(writing) : () => [];
    },
    allows: async (access) => (await place.allows?.(session, access)) ?? null,
    ...(place.index ? { index: place.index } : {}),
    ...childOf(options),
    signal,
  });
}

/** The child of a call, where there can be children. */
function childOf({ parts, stream, place, session, open }: CallOptions): Pick<ToolContext, "child"> {
  const { children } = parts;
  if (!children) return {};
  const parent = { stream, session, place, callId: open.call.id };
  return { child: (task) => children.of(parent, task) };
}

function ask(callId: string, verdict: Extract<Verdict, { do: "ask" }>): Landing {
  const { do: _, ...question } = verdict;
  return {
    events: [{ type: "PermissionAsked", callId, ...question }],
    fits: (s) => mayStart(s, callId),
  };
}

async function beforeTool(options: CallOptions, prepared: Prepared): Promise<Landing | null> {
  const { place, stream, signal } = options;
  const { call } = options.open;
  const context = { session: stream, signal };
  const hook = await refusalBy(place.hooks, { call, prepared, context });
  if (!hook) return null;
  const text = `A hook of the user refused this: ${hook.say}`;
  return withFirst(hook, ended(call.id, "denied", text));
}

/** Intent before effect: the tool runs only after `ToolStarted` is durable. */
function start(options: CallOptions, ready: Ready): Landing {
  const { call } = options.open;
  const { effect, intent, title, repairs } = ready.prepared;
  const { writer: _, found, ...tracked } = ready.before;
  const started = { callId: call.id, tool: call.tool, effect, title, intent, ...tracked };
  return {
    events: [
      ...(found ? [found] : []),
      { type: "ToolStarted", ...started, ...(repairs ? { repairs } : {}) },
    ],
    fits: (s) => mayStart(s, call.id),
    after: () => run(options, ready),
  };
}

async function run(options: CallOptions, ready: Ready): Promise<Landing> {
  const { parts, stream, place, open, signal } = options;
  const { prepared, opened, before } = ready;
  const { call } = open;
  let seq = 0;
  const mask = await maskOf(options, prepared.access, opened);
  const progress = (text: string) => {
    seq += 1;
    parts.channel.publish(stream, { type: "output", callId: call.id, seq, text: mask(text) });
  };
  await recordBegin({ place }, before);
  const from = Date.now();
  const work = prepared.run({ signal, opened, progress, mask });
  const lost = () => recordLost({ place }, before);
  const done = await stoppable(work, signal).catch(async (error: unknown) => {
    await lost();
    throw error;
  });
  const to = Date.now();
  if (done === "stuck") {
    // Until it ends it may write: who proves something meanwhile has to know.
    void work.then(lost, lost);
    const unknown = "Cancelled, but the tool did not stop in time: what it did is not known.";
    return ended(call.id, "interrupted", unknown);
  }
  const outcome = maskedOutcome(done, mask);
  const end = endOf(outcome, signal);
  const { parts: said, facts } = outcome;
  const finished = { type: "ToolFinished", callId: call.id, end, parts: said, facts } as const;
  const seen = await recordJobEnd({ place, session: options.session }, finished);
  const recorded = await recordAfter({ place }, before, seen, {
    intent: prepared.intent,
    ...(outcome.changed ? { changed: outcome.changed } : {}),
    ...{ from, to },
  });
  const context = { session: stream, signal };
  const hooked = await saidAfter(place.hooks, { call, outcome, context });
  return { events: [recorded, ...hooked], fits: (s) => isOpen(s, call.id) };
}

function endOf(outcome: ToolOutcome, signal: AbortSignal): CallEnd {
  if (signal.aborted && outcome.failed) return "cancelled";
  return outcome.failed ? "failed" : "ok";
}

/** Waits for the work; once it is cancelled, only `STOP_MS` longer. */
async function stoppable(work: Promise<ToolOutcome>, signal: AbortSignal) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stuck = new Promise<"stuck">((resolve) => {
    const begin = () => {
      timer = setTimeout(() => resolve("stuck"), STOP_MS);
    };
    if (signal.aborted) begin();
    else signal.addEventListener("abort", begin, { once: true });
  });
  try {
    return await Promise.race([work, stuck]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A call that was started by a runner that is gone. Its declared effect decides: pure runs again,
 * keyed repeats with its key, verifiable is compared with its hashes, opaque is never run again.
 */
export async function recoverCall(options: CallOptions): Promise<Landing> {
  const { open, session } = options;
  const { started, call } = open;
  if (!started) return await prepareCall(options);
  const calledOff = session.turn?.cancelled !== null && session.turn?.cancelled !== undefined;
  switch (started.effect) {
    case "pure":
      return calledOff ? cancelled(call.id) : await prepareCall(options);
    case "keyed":
      if (!calledOff) return await prepareCall(options);
      if (started.intent.child) await options.parts.children?.end(started.intent.child);
      return ended(call.id, "interrupted", notRepeated);
    case "opaque":
      return await recordLeft(options, ended(call.id, "interrupted", stoppedMeanwhile));
    case "verifiable":
      return await recordLeft(options, await compare(options, { calledOff }));
    default:
      return unreachable(started.effect);
  }
}

const stoppedMeanwhile =
  "Aiex stopped while this was running. Whether it finished, and what it changed, is not known. Look at the files before you run it again.";

const notRepeated =
  "Aiex stopped while this was running, and the user cancelled. Whether it was done is not known; it was not repeated.";

async function compare(
  options: CallOptions,
  { calledOff }: { calledOff: boolean },
): Promise<Landing> {
  const { place, open, session } = options;
  const files = open.started?.intent.files ?? [];
  const states = await Promise.all(
    files.map(async (file) => {
      const now = await place.workspace.hash(file.path);
      if (!now.ok) return "unknown";
      if (now.value === file.after) return "done";
      return now.value === file.before ? "todo" : "unknown";
    }),
  );
  if (states.every((state) => state === "todo")) {
    return calledOff ? cancelled(open.call.id) : await prepareCall(options);
  }
  if (states.every((state) => state === "done")) {
    // A rename changes files that the session never read.
    const isKnown = ({ path, before }: FileChange) =>
      before === "absent" || session.seen.some((one) => one.path === path && one.hash === before);
    const facts = files.map((file) => ({
      type: "fileChanged" as const,
      ...file,
      ...(isKnown(file) ? {} : { unread: true as const }),
    }));
    const text = "Done. (Aiex stopped meanwhile; the file has exactly the intended content.)";
    return ended(open.call.id, "ok", text, facts);
  }
  const list = files
    .map((file, i) => `${file.path}: ${sayState[states[i] ?? "unknown"]}`)
    .join("\n");
  return ended(
    open.call.id,
    "interrupted",
    `Aiex stopped while this was running:\n${list}\nRead these files before you change them again.`,
  );
}

const sayState = {
  done: "changed as intended",
  todo: "not changed",
  unknown: "not as before, not as intended",
};

export function cancelled(callId: string): Landing {
  return ended(callId, "cancelled", "The user cancelled before this was done.");
}

/** What a turn that ends by a failure leaves open: nobody goes on with it. */
export function left({ call, state }: OpenCall): Landing {
  return state === "started"
    ? ended(call.id, "interrupted", "The turn failed while this ran: what it did is not known.")
    : ended(call.id, "cancelled", "Not run: the turn failed before it.");
}

export function cut(callId: string): Landing {
  return ended(callId, "failed", "Not run: the answer was cut off before it was whole.");
}

/** A bug in a tool is a failed call, said as what it is; the session goes on. */
export const bug = (callId: string, error: unknown): Landing =>
  ended(callId, "failed", `The tool itself failed: ${(error as Error).message}. Try another way.`);

function ended(
  callId: string,
  end: CallEnd,
  text: string,
  facts: ToolOutcome["facts"] = [],
): Landing {
  return {
    events: [{ type: "ToolFinished", callId, end, parts: [{ type: "text", text }], facts }],
    fits: (s) => isOpen(s, callId),
  };
}

const withFirst = (event: SessionEvent, landing: Landing): Landing => ({
  ...landing,
  events: [event, ...landing.events],
});

const find = (s: Session, callId: string): OpenCall | undefined =>
  s.calls.find(({ call }) => call.id === callId);

const isOpen = (s: Session, callId: string): boolean => {
  const open = find(s, callId);
  return open !== undefined && open.state !== "ended";
};

const mayStart = (s: Session, callId: string): boolean =>
  isOpen(s, callId) && find(s, callId)?.state !== "asked" && s.turn?.cancelled === null;

function unknownTool(name: string, tools: readonly Tool[]): string {
  const known: Failure = { code: "not_found", say: `there is no tool "${name}"` };
  return `${sentenceOf(known)}; the tools are: ${tools.map(({ spec }) => spec.name).join(", ")}`;
}
