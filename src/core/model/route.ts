// In which order the models of a route are asked. Pure: health, load, limits, the turn of a round
// and the dice come in as arguments. Whatever the strategy, a model that can answer now comes before
// one that has to be waited for, and nobody is left out: the order is also the chain of fallbacks.

export const strategies = ["local_affinity", "load_balanced", "round_robin", "random"] as const;

/** One of the strategies, or the name of the model that is preferred. */
export type Strategy = (typeof strategies)[number] | (string & {});

export type Candidate = {
  name: string;
  /** Runs on this machine. */
  isLocal: boolean;
  /** Milliseconds until it may be asked: its breaker, its limits, its `Retry-After`. */
  waitMs: number;
  /** Calls that it is answering now, over all its keys. */
  open: number;
};

export type Choice = {
  strategy: Strategy;
  /** How often this route was asked before. */
  round: number;
  /** A fresh random number in [0, 1) at each call. */
  random: () => number;
};

/** The candidates in the order in which they are to be asked: a permutation of what was given. */
export function routeOrder(candidates: readonly Candidate[], choice: Choice): Candidate[] {
  const preferred = byStrategy(candidates, choice);
  return preferred.toSorted((a, b) => a.waitMs - b.waitMs);
}

function byStrategy(candidates: readonly Candidate[], choice: Choice): Candidate[] {
  const { strategy, round, random } = choice;
  switch (strategy) {
    case "local_affinity":
      return candidates.toSorted((a, b) => Number(b.isLocal) - Number(a.isLocal));
    case "load_balanced":
      return candidates.toSorted((a, b) => a.open - b.open);
    case "round_robin": {
      const from = candidates.length === 0 ? 0 : round % candidates.length;
      return [...candidates.slice(from), ...candidates.slice(0, from)];
    }
    case "random":
      return shuffled(candidates, random);
    default:
      return candidates.toSorted(
        (a, b) => Number(b.name === strategy) - Number(a.name === strategy),
      );
  }
}

/** Every order equally likely (Fisher and Yates). */
function shuffled(candidates: readonly Candidate[], random: () => number): Candidate[] {
  const all = [...candidates];
  for (let i = all.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [all[i], all[j]];
    if (a && b) [all[i], all[j]] = [b, a];
  }
  return all;
}
