// What this node knows of a model besides the catalog: what its server says, asked again after some
// minutes, and how it calls tools, which is kept. A server that is silent leaves all of it unknown.
import { type OpenedModel, probe } from "#boundary/models/index.ts";
import type { Probed, Probing } from "#boundary/models/probe.ts";
import type { ProbeKey, ProbeStore } from "#boundary/models/probes.ts";
import { ok, type Result } from "#core/failure.ts";
import type { ModelFacts } from "#core/model/catalog.ts";

/** How long a server's word counts: a model may be loaded anew with another window. Milliseconds. */
const SAID_MS = 300_000;
/** Models remembered; the one asked about longest ago is forgotten first. */
const MODELS_MAX = 1_000;

export type Known = {
  /** What the server says; `fresh` asks it. Nothing is kept of a failure. */
  said(
    name: string,
    fresh: ((signal: AbortSignal) => Promise<Result<ModelFacts>>) | null,
  ): Promise<Result<ModelFacts>>;
  /** What is kept of earlier probes. */
  kept(opened: OpenedModel, facts: ModelFacts): Promise<Probed | undefined>;
  /** Probes a model unless that was tried lately; undefined where nothing could be told. */
  probed(opened: OpenedModel, facts: ModelFacts): Promise<Probed | undefined>;
  /** Probes it now. */
  probe(opened: OpenedModel, facts: ModelFacts, signal: AbortSignal): Promise<Probing>;
};

type Entry<T> = { value: Promise<T>; untilMs: number };

export function knownModelsOf(parts: {
  probes: ProbeStore;
  nowMs: () => number;
  /** Milliseconds for one description. */
  describeMs: number;
}): Known {
  const { probes, nowMs, describeMs } = parts;
  const said = new Map<string, Entry<Result<ModelFacts>>>();
  const probed = new Map<string, Entry<Probed | undefined>>();

  /** Two that ask at once ask together. */
  function lately<T>(map: Map<string, Entry<T>>, name: string, ask: () => Promise<T>): Promise<T> {
    const known = map.get(name);
    if (known && nowMs() < known.untilMs) return known.value;
    const value = ask();
    map.delete(name);
    map.set(name, { value, untilMs: nowMs() + SAID_MS });
    const [oldest] = map.keys();
    if (map.size > MODELS_MAX && oldest !== undefined) map.delete(oldest);
    return value;
  }

  async function probeNow(opened: OpenedModel, facts: ModelFacts, signal: AbortSignal) {
    const probing = await probe(opened, facts, signal);
    // A finding that cannot be kept is found again: nothing is lost by it but the time.
    if (probing.found.ok) await probes.put(keyOf(opened, facts), probing.found.value);
    return probing;
  }

  return {
    async said(name, fresh) {
      if (!fresh) return (await said.get(name)?.value) ?? ok({});
      const facts = await lately(said, name, () => fresh(AbortSignal.timeout(describeMs)));
      if (!facts.ok) said.delete(name);
      return facts;
    },
    kept: (opened, facts) => probes.get(keyOf(opened, facts)),
    async probed(opened, facts) {
      const name = JSON.stringify(keyOf(opened, facts));
      return await lately(probed, name, async () => {
        const { found } = await probeNow(opened, facts, new AbortController().signal);
        return found.ok ? found.value : undefined;
      });
    },
    probe: probeNow,
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
