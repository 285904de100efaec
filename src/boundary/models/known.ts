// What this node knows of a model besides the catalog: what its server says, asked again after some
// minutes, and how it calls tools, which is kept. A server that is silent leaves unknown what it never
// said, and is asked again soon: it may only be loading the model.
import { type OpenedModel, probe } from "#boundary/models/index.ts";
import { type Description, silence } from "#boundary/models/lookup.ts";
import type { Probed, Probing } from "#boundary/models/probe.ts";
import type { ProbeKey, ProbeStore } from "#boundary/models/probes.ts";
import type { OpenOptions } from "#boundary/turn/parts.ts";
import { until } from "#boundary/until.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { ModelFacts } from "#core/model/catalog.ts";
import type { Usage } from "#core/model/message.ts";

/** How long a server's word counts: a model may be loaded anew with another window. Milliseconds. */
const SAID_MS = 300_000;
/** How soon a silent server is asked again; each further time after twice as long. Milliseconds. */
const AGAIN_MS = 5_000;
/** Models remembered; the one asked about longest ago is forgotten first. */
const MODELS_MAX = 1_000;

type Fresh = (signal: AbortSignal) => Promise<Result<Description>>;

export type Known = {
  /**
   * What the server says; `fresh` asks it, unless that was done lately. Its last whole word counts
   * over later silence. Nothing is kept of a failure, or of what was called off.
   */
  said(name: string, fresh: Fresh, signal: AbortSignal): Promise<Result<Description>>;
  /** What it said before, if it did. */
  saidBefore(name: string): Description;
  /** What is kept of earlier probes. */
  kept(opened: OpenedModel, facts: ModelFacts): Promise<Probed | undefined>;
  /**
   * Probes a model unless that was tried lately; undefined where nothing could be told. Of several
   * who wait for the same probe one is told what it took.
   */
  probed(opened: OpenedModel, facts: ModelFacts, options: OpenOptions): Promise<Probed | undefined>;
  /** Probes it now. */
  probe(opened: OpenedModel, facts: ModelFacts, signal: AbortSignal): Promise<Probing>;
};

export type KnownParts = {
  probes: ProbeStore;
  nowMs: () => number;
  /** Milliseconds for one description. */
  describeMs: number;
};

/** What a probe found, if anything, and what it took. */
type Tried = { value: Probed | undefined; usage: Usage };

/** An answer, until when it counts, and how often in a row before it there was none. */
type Entry<T> = { value: T; untilMs: number; silences: number };

export function knownModelsOf({ probes, nowMs, describeMs }: KnownParts): Known {
  const said = remembered<Description>(nowMs);
  const probed = remembered<Probed | undefined>(nowMs);
  const describing = together<Result<Description>>();
  const probing = together<Tried>();
  /** Probes whose usage somebody was told. */
  const counted = new WeakSet<Tried>();

  async function described(
    name: string,
    fresh: Fresh,
    signal: AbortSignal,
  ): Promise<Result<Description>> {
    const answer = await fresh(AbortSignal.any([signal, AbortSignal.timeout(describeMs)]));
    if (signal.aborted) return calledOff;
    if (!answer.ok) {
      said.forget(name);
      return answer;
    }
    const value = heardOver(said.last(name), answer.value);
    said.keep(name, value, answer.value.isWhole ? "answer" : "silence");
    return ok(value);
  }

  async function probeNow(opened: OpenedModel, facts: ModelFacts, signal: AbortSignal) {
    const probing = await probe(opened, facts, signal);
    // A finding that cannot be kept is found again: nothing is lost by it but the time.
    if (probing.found.ok) await probes.put(keyOf(opened, facts), probing.found.value);
    return probing;
  }

  async function tried(
    name: string,
    { opened, facts }: { opened: OpenedModel; facts: ModelFacts },
    signal: AbortSignal,
  ): Promise<Tried> {
    const { found, usage } = await probeNow(opened, facts, signal);
    const value = found.ok ? found.value : undefined;
    // What took too long may do so again: that is not tried again soon.
    const isSlow = !found.ok && found.error.code === "timeout";
    if (!signal.aborted) probed.keep(name, value, found.ok || isSlow ? "answer" : "silence");
    return { value, usage };
  }

  return {
    async said(name, fresh, signal) {
      const known = said.lately(name);
      if (known) return ok(known.value);
      return (await describing(name, (off) => described(name, fresh, off), signal)) ?? calledOff;
    },
    saidBefore: (name) => said.last(name) ?? silence,
    kept: (opened, facts) => probes.get(keyOf(opened, facts)),
    async probed(opened, facts, options) {
      const name = JSON.stringify(keyOf(opened, facts));
      const known = probed.lately(name);
      if (known) return known.value;
      const ask = (off: AbortSignal) => tried(name, { opened, facts }, off);
      const now = await probing(name, ask, options.signal);
      if (!now || counted.has(now)) return now?.value;
      counted.add(now);
      const { input, output } = now.usage;
      if (input + output > 0) options.probed?.(now.usage);
      return now.value;
    },
    probe: probeNow,
  };
}

const calledOff = fail("cancelled", "asking the model's server was called off");

/** The newest word over what was heard before: a whole one counts until there is another. */
function heardOver(before: Description | undefined, now: Description): Description {
  if (now.isWhole || !before) return now;
  return before.isWhole ? before : { ...now, facts: { ...before.facts, ...now.facts } };
}

/** Answers by name, each with how long it counts; silence counts shorter, but longer each time. */
function remembered<T>(nowMs: () => number) {
  const entries = new Map<string, Entry<T>>();
  return {
    last: (name: string) => entries.get(name)?.value,
    lately(name: string) {
      const entry = entries.get(name);
      return entry && nowMs() < entry.untilMs ? entry : undefined;
    },
    keep(name: string, value: T, what: "answer" | "silence") {
      const before = entries.get(name)?.silences ?? 0;
      const forMs = what === "answer" ? SAID_MS : Math.min(SAID_MS, AGAIN_MS * 2 ** before);
      entries.delete(name);
      const silences = what === "answer" ? 0 : before + 1;
      entries.set(name, { value, untilMs: nowMs() + forMs, silences });
      const [oldest] = entries.keys();
      if (entries.size > MODELS_MAX && oldest !== undefined) entries.delete(oldest);
    },
    forget: (name: string) => void entries.delete(name),
  };
}

/**
 * Two that ask the same at once ask together. Each leaves at its own signal, with undefined; the
 * last one to leave calls the question off, and hears how it ended: at once.
 */
function together<T>() {
  type Question = { answer: Promise<T>; waiting: number; off: AbortController };
  const open = new Map<string, Question>();

  function begun(name: string, ask: (off: AbortSignal) => Promise<T>): Question {
    const off = new AbortController();
    const question: Question = { answer: ask(off.signal), waiting: 0, off };
    open.set(name, question);
    const over = () => {
      if (open.get(name) === question) open.delete(name);
    };
    question.answer.then(over, over);
    return question;
  }

  return async (
    name: string,
    ask: (off: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined> => {
    if (signal.aborted) return undefined;
    const question = open.get(name) ?? begun(name, ask);
    question.waiting += 1;
    const answer = await until(question.answer, signal).finally(() => {
      question.waiting -= 1;
    });
    if (!signal.aborted || question.waiting > 0) return answer;
    open.delete(name);
    question.off.abort();
    return await question.answer;
  };
}

const keyOf = ({ url, account, model }: OpenedModel, { digest }: ModelFacts): ProbeKey => ({
  url: url === undefined ? account : withoutLogin(url),
  model,
  ...(digest === undefined ? {} : { digest }),
});

/** A URL may hold a password, which is nothing to be kept. */
function withoutLogin(text: string): string {
  const url = URL.parse(text);
  if (!url) return text;
  url.username = "";
  url.password = "";
  return url.href;
}
