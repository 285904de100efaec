// The turn runner. It has no state of its own: it folds the log, asks `next`, does it while it
// listens for news, appends what happened, and folds again. What it holds besides is only what is
// under way (`flights`).
import type { Guard } from "#boundary/log/port.ts";
import { type Guarded, type TurnBudget, turnBudget } from "#boundary/turn/budget.ts";
import { bug, cancelled, cut, prepareCall, recoverCall } from "#boundary/turn/calls.ts";
import { compaction, nothingToDrop } from "#boundary/turn/compaction.ts";
import { endOfTurn } from "#boundary/turn/ending.ts";
import {
  callKey,
  choiceKey,
  grounded,
  ofThisStep,
  passed,
  stepKey,
} from "#boundary/turn/flights.ts";
import { type TurnHooks, turnHooks } from "#boundary/turn/hooks.ts";
import type { Flight, Landing, Place, TurnParts } from "#boundary/turn/parts.ts";
import { lookBehindJobs } from "#boundary/turn/recorded.ts";
import { type Chosen, choose, prepareStep, runStep, settled } from "#boundary/turn/step.ts";
import { type Asked, settledSummary, summaryFor } from "#boundary/turn/summary.ts";
import { toldByRunner } from "#boundary/turn/told.ts";
import { unreachable } from "#core/assert.ts";
import { bugIn, type Failed, type Failure, fail, ok, type Result } from "#core/failure.ts";
import type { SessionEvent, TurnEnd } from "#core/session/events.ts";
import { type Action, next } from "#core/session/next.ts";
import type { OpenCall, Session } from "#core/session/state.ts";

/** Conflicts in a row before the runner gives the session up. */
const CONFLICTS_MAX = 200;
/** Times that a landing waits again for a log that another process keeps locked. */
const BUSY_MAX = 5;
/** The flight that makes a summary. */
const SUMMARY = "summary";

/** How driving ended: at rest, run by somebody else, taken over by a higher epoch, or stopped. */
export type Driven = "rest" | "elsewhere" | "deposed" | "stopped";

/** One drive of one session. Holds the flights, which is all that a crash can lose. */
export class Runner {
  readonly #flights = new Map<string, Flight>();
  /** Flights that are over and whose events are not appended yet. */
  readonly #landed: Flight[] = [];
  /** Ends the present wait, if the runner waits. */
  #wake: () => void = () => {};
  /** Waits between attempts that are over, by step and attempt. */
  readonly #waited = new Set<string>();
  readonly #hooks: TurnHooks;
  readonly #told = toldByRunner();
  readonly #budget: TurnBudget;
  /** The model of the next attempt, and the attempt that one is being chosen for. */
  #chosen: { attempt: string; model: Result<Chosen> } | null = null;
  #choosing = "";
  #lookedFor = "";
  readonly #parts: TurnParts;
  readonly #stream: string;
  readonly #epoch: number;
  readonly #signal: AbortSignal;

  constructor(parts: TurnParts, stream: string, epoch: number, signal: AbortSignal) {
    this.#parts = parts;
    this.#stream = stream;
    this.#epoch = epoch;
    this.#signal = signal;
    this.#budget = turnBudget(parts, stream);
    this.#hooks = turnHooks(parts, { session: stream, signal });
  }

  async run(): Promise<Result<Driven>> {
    try {
      while (!this.#signal.aborted) {
        const listening = new AbortController();
        const news = this.#parts.log.changed(AbortSignal.any([this.#signal, listening.signal]));
        try {
          const turned = await this.#once(news).catch((error) => this.#failed(error));
          if (turned !== "again") return turned;
        } finally {
          listening.abort();
        }
      }
      return ok("stopped");
    } finally {
      await this.#ground();
    }
  }

  /** One round: fold, ask, obey, and wait unless obeying already changed the session. */
  async #once(news: Promise<void>): Promise<Result<Driven> | "again"> {
    const folded = await this.#parts.sessions.fold(this.#stream);
    if (!folded.ok) return folded;
    const session = folded.value;
    if (session.epoch !== this.#epoch) return ok("deposed");
    const action = next(session);
    if (action.do === "rest") return ok("rest");
    const obeyed = await this.#obey(action, session);
    if (obeyed) return obeyed.ok ? "again" : orAgain(obeyed);
    // One promise a round, woken by news or by a landing: racing the flights themselves would leave
    // a handler on a long one for every piece of news.
    if (this.#landed.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        void news.then(resolve);
      });
    }
    const landed = this.#landed.shift();
    return landed ? await this.#land(landed) : "again";
  }

  /** A bug, in an adapter or in the runner, ends the turn that it happened in, and nothing else. */
  async #failed(error: unknown): Promise<Result<Driven> | "again"> {
    const failure = bugIn(error);
    await this.#ground();
    const folded = await this.#parts.sessions.fold(this.#stream);
    if (!folded.ok) return folded;
    const session = folded.value;
    if (session.epoch !== this.#epoch) return ok("deposed");
    if (!session.turn) return { ok: false, error: failure };
    const ended = await this.#endTurn(session, "failed", failure);
    return ended.ok ? "again" : orAgain(ended);
  }

  /** Does what `next` wants. Null: it is under way; a result: the session changed, or why not. */
  async #obey(action: Action, s: Session): Promise<Result<Session> | null> {
    if (action.do !== "callModel" && this.#flights.has(choiceKey)) {
      // Nobody is to be asked any more. It lands at once, and then this is done.
      this.#flights.get(choiceKey)?.abort.abort();
      return null;
    }
    switch (action.do) {
      case "rest":
      case "awaitModel":
        return null;
      case "startTurn":
        return await this.#append(s, [{ type: "TurnStarted", ...action.prompt }]);
      case "callModel":
        return await this.#callModel(action, s);
      case "settleStep":
        return await this.#append(s, [settled(action.open)]);
      case "stopModel":
        this.#flights.get(stepKey(s, action.open))?.abort.abort();
        return null;
      case "runTools":
        return await this.#runTools(action.calls, s);
      case "endCalls":
        return await this.#endCalls(action, s);
      case "compact":
        return await this.#compact(action.why, s);
      case "awaitSummary":
        return null;
      case "settleSummary":
        return await this.#append(s, [settledSummary(action.open)]);
      case "stopSummary":
        this.#flights.get(SUMMARY)?.abort.abort();
        return null;
      case "askEvidence": {
        const { say } = action;
        return await this.#append(s, [{ type: "EvidenceAsked", turn: s.turn?.id ?? "", say }]);
      }
      case "endTurn":
        return await this.#finish(action, s);
      default:
        return unreachable(action);
    }
  }

  async #compact(why: "overflow" | "full", s: Session): Promise<Result<Session>> {
    // Where a budget has nothing left no model is asked for a summary: the digest needs none.
    const left = await this.#budget.before(s);
    if (left.ok && left.value.length > 0) return await this.#append(s, left.value);
    const asking = { session: s, signal: this.#signal };
    const asked = left.ok ? await summaryFor(this.#parts, this.#stream, asking) : null;
    if (asked) return await this.#summarise(asked, s);
    const compacted = await compaction(this.#parts.blobs, s, why);
    if (compacted) return await this.#append(s, [compacted]);
    return await this.#endTurn(s, "failed", nothingToDrop);
  }

  /** Begins a summary, which a budget has to have room for as for any other call. */
  async #summarise({ events, need, without, run }: Asked, s: Session): Promise<Result<Session>> {
    const held = need ? await this.#budget.guard(s, need) : ok<Guarded>({ told: [] });
    const started = held.ok
      ? await this.#append(s, [...held.value.told, ...events], held.value.guard)
      : held;
    if (!started.ok && started.error.code === "budget" && without) {
      return await this.#append(s, without(started.error));
    }
    if (started.ok && run) this.#fly(SUMMARY, run);
    return started;
  }

  async #callModel(
    action: Extract<Action, { do: "callModel" }>,
    s: Session,
  ): Promise<Result<Session> | null> {
    const key = stepKey(s, action);
    if (action.afterMs > 0 && !this.#waited.has(key)) {
      this.#wait(`wait ${key}`, action.afterMs, () => this.#waited.add(key));
      return null;
    }
    const left = await this.#budgetLeft(s);
    if (left) return left;
    const chosen = this.#choose(s, key);
    if (chosen === null) return null;
    if (!chosen.ok) return await this.#endTurn(s, "failed", chosen.error);
    const told = (await this.#tell(s, chosen.value)) ?? (await this.#beforePrompt(s));
    if (told) return told;
    const options = { session: s, chosen: chosen.value };
    const prepared = await prepareStep(this.#parts, this.#stream, options);
    if (!prepared.ok) return await this.#endTurn(s, "failed", prepared.error);
    const { request, name: model, reserved, budget, output, costAtMost, ...call } = prepared.value;
    const { step, attempt } = action;
    const aside = { reserved, output, ...(costAtMost === undefined ? {} : { costAtMost }) };
    const open = { step, attempt, model, epoch: this.#epoch, ...aside };
    const event = { type: "StepStarted", step, attempt, model, request, budget, ...aside } as const;
    const held = await this.#budget.guard(s, { model, budget });
    if (!held.ok) return await this.#stopped(s, held);
    const started = await this.#append(s, [...held.value.told, event], held.value.guard);
    if (!started.ok) return await this.#stopped(s, started);
    const session = started.value;
    this.#fly(key, (signal) => runStep(this.#parts, this.#stream, { call, open, session, signal }));
    return started;
  }

  /** What is to be said of the budgets, or the end of a turn for which one holds no more. */
  async #budgetLeft(s: Session): Promise<Result<Session> | null> {
    const left = await this.#budget.before(s);
    if (!left.ok) return await this.#stopped(s, left);
    return left.value.length > 0 ? await this.#append(s, left.value) : null;
  }

  /** A call that a budget has no room for ends its turn; any other failure is passed on. */
  async #stopped(s: Session, failed: Failed): Promise<Result<Session>> {
    return failed.error.code === "budget" ? await this.#endTurn(s, "limit", failed.error) : failed;
  }

  /**
   * Chosen once for an attempt, however often the log gets news before: a choice may turn a round.
   * Null: it is under way, as servers may have to be asked, and news is heard meanwhile.
   */
  #choose(s: Session, key: string): Result<Chosen> | null {
    const attempt = JSON.stringify([key, s.model, s.turn?.model, s.turn?.gaveUp.length]);
    const flight = this.#flights.get(choiceKey);
    // What it was told of probes is in the log before the call is made: a crash then loses none.
    if (!flight && this.#chosen?.attempt === attempt) return this.#chosen.model;
    if (flight) {
      // The user chose another model meanwhile: that one is opened once this one is left.
      if (this.#choosing !== attempt) flight.abort.abort();
      return null;
    }
    this.#choosing = attempt;
    this.#fly(choiceKey, async (signal) => {
      const events: SessionEvent[] = [];
      const told = (event: SessionEvent) => void events.push(event);
      const model = await choose(this.#parts, s, { signal, told });
      if (!signal.aborted) this.#chosen = { attempt, model };
      return { events };
    });
    return null;
  }

  /** Another window, other tools, new instructions: the log says it before a request does. */
  async #tell(s: Session, asked: Chosen): Promise<Result<Session> | null> {
    const news = await this.#told.news(this.#parts, s, asked, this.#signal);
    if (!news.ok) return await this.#endTurn(s, "failed", news.error);
    const { events, done } = news.value;
    const told = events.length > 0 ? await this.#append(s, events) : null;
    if (told === null || told.ok) done();
    return told;
  }

  async #beforePrompt(s: Session): Promise<Result<Session> | null> {
    const said = await this.#hooks.beforePrompt(s);
    if (said.length === 0) return null;
    const told = await this.#append(s, said);
    if (told.ok) this.#hooks.logged(s);
    return told;
  }

  async #runTools(calls: readonly OpenCall[], s: Session): Promise<Result<Session> | null> {
    const idle = calls.filter(
      (open) => open.state !== "asked" && !this.#flights.has(callKey(s, open)),
    );
    if (idle.length === 0) return null;
    const place = await this.#parts.placeOf(s);
    if (!place.ok) return await this.#endTurn(s, "failed", place.error);
    for (const open of idle) this.#flyCall(open, place.value, s);
    return null;
  }

  #flyCall(open: OpenCall, place: Place, session: Session): void {
    const { id } = open.call;
    const work = async (signal: AbortSignal): Promise<Landing> => {
      const options = { parts: this.#parts, stream: this.#stream, place, session, open, signal };
      try {
        return open.state === "started" ? await recoverCall(options) : await prepareCall(options);
      } catch (error) {
        return bug(id, error);
      }
    };
    this.#fly(callKey(session, open), async (signal) => ofThisStep(session, await work(signal)), {
      callId: id,
    });
  }

  async #endCalls(
    action: Extract<Action, { do: "endCalls" }>,
    s: Session,
  ): Promise<Result<Session> | null> {
    const end = action.why === "cut" ? cut : cancelled;
    const idle: SessionEvent[] = [];
    for (const open of action.calls) {
      const flight = this.#flights.get(callKey(s, open));
      flight?.abort.abort();
      if (open.state !== "started" || !flight) idle.push(...end(open.call.id).events);
    }
    return idle.length > 0 ? await this.#append(s, idle) : null;
  }

  async #finish(
    action: Extract<Action, { do: "endTurn" }>,
    s: Session,
  ): Promise<Result<Session> | null> {
    const said = action.end === "done" ? await this.#hooks.turnEnded(s) : null;
    if (said) return await this.#append(s, [said]);
    const near = await this.#budget.before(s);
    if (near.ok && near.value.length > 0) return await this.#append(s, near.value);
    const found = await this.#foundBehindJobs(s);
    if (found) return await this.#append(s, [found]);
    return await this.#endTurn(s, action.end, action.failure);
  }

  /** Looked for once for each step: a job may go on to change files for ever. */
  async #foundBehindJobs(s: Session): Promise<SessionEvent | null> {
    const step = `${s.turn?.id} ${s.turn?.steps}`;
    if (this.#lookedFor === step) return null;
    this.#lookedFor = step;
    return await lookBehindJobs(this.#parts, s, this.#signal);
  }

  async #endTurn(s: Session, end: TurnEnd, failure?: Failure): Promise<Result<Session>> {
    const events = endOfTurn(s, end, failure);
    const ended = await this.#append(s, events);
    if (ended.ok) {
      this.#parts.channel.clear(this.#stream);
      await this.#parts.sessions.keep(this.#stream);
    }
    return ended;
  }

  /** Appends a landing's events, on top of whatever others appended, while they still fit. */
  async #land(flight: Flight): Promise<Result<Driven> | "again"> {
    this.#flights.delete(flight.key);
    const { events, fits, after } = await flight.done;
    if (events.length === 0) return "again";
    let busy = 0;
    for (let tries = 0; tries < CONFLICTS_MAX; tries += 1) {
      const session = await this.#parts.sessions.fold(this.#stream);
      if (!session.ok) return session;
      if (session.value.epoch !== this.#epoch) return ok("deposed");
      if (fits && !fits(session.value)) return "again";
      const added = await this.#append(session.value, events);
      if (!added.ok && added.error.code === "conflict") continue;
      // What a tool did cannot be done again: a log that is locked for long is waited for.
      if (!added.ok && added.error.code === "busy" && ++busy < BUSY_MAX) continue;
      if (!added.ok) return added;
      // The answer is in the log: nobody who listens from now on needs its text so far.
      if (session.value.step && !added.value.step) this.#parts.channel.clear(this.#stream);
      if (after) this.#fly(flight.key, after, { callId: flight.callId, abort: flight.abort });
      return "again";
    }
    return fail("busy", "others kept changing the session", { fix: "send the prompt again" });
  }

  #fly(
    key: string,
    work: (signal: AbortSignal) => Promise<Landing>,
    options: { callId?: string; abort?: AbortController } = {},
  ): void {
    const { callId, abort = new AbortController() } = options;
    const done = work(abort.signal).catch((error: unknown): Landing => {
      if (callId === undefined) throw error;
      return bug(callId, error);
    });
    const flight: Flight = { key, abort, done, ...(callId === undefined ? {} : { callId }) };
    this.#flights.set(key, flight);
    const land = () => {
      this.#landed.push(flight);
      this.#wake();
    };
    // A step that throws is a bug: it lands too, and `#land` throws it where the turn is ended.
    done.then(land, land);
  }

  #wait(key: string, forMs: number, over: () => void): void {
    if (this.#flights.has(key)) return;
    this.#parts.channel.publish(this.#stream, { type: "waiting", forMs, why: "trying again" });
    this.#fly(key, async (signal) => {
      await passed(forMs, signal);
      over();
      return { events: [] };
    });
  }

  #append(s: Session, events: readonly SessionEvent[], guard?: Guard): Promise<Result<Session>> {
    const by = { actor: "runner", epoch: this.#epoch, correlation: s.turn?.id };
    return this.#parts.sessions.append(this.#stream, s, events, by, guard);
  }

  /** Stops what is still under way: nothing of a stopped or deposed runner may act any more. */
  async #ground(): Promise<void> {
    await grounded([...this.#flights.values()]);
    this.#flights.clear();
    this.#landed.length = 0;
  }
}

/** A conflict means that somebody said something: fold and ask again. Anything else ends the drive. */
const orAgain = (failed: Failed): Failed | "again" =>
  failed.error.code === "conflict" ? "again" : failed;
