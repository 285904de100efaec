// How a session stands, said of its evidence: for the end of a turn, for programs, and for a model
// that has to prove what it did.
import type { Evidence } from "#core/evidence/evidence.ts";
import type { TestCounts } from "#core/evidence/tests.ts";

/**
 * `nothing` was changed · `unproven` files changed since the last evidence · `doubted` proven, but by
 * tests or a runner's configuration that this session changed · `proven`.
 */
export type StandingState = "nothing" | "unproven" | "doubted" | "proven";

export type Standing = {
  state: StandingState;
  /** What no run has proven, at most `NAMED_MAX` of `unprovenFiles`. */
  unproven: readonly string[];
  unprovenFiles: number;
  /** The runs that hold for the files as they are. */
  by: readonly { command: string; folder: string; tests?: TestCounts }[];
  /** Tests and runners' configuration that this session changed, at most `NAMED_MAX` of them. */
  checks: readonly string[];
  checksChanged: number;
  /** Why there is no evidence, where more is known than that nothing ran. */
  why?: string;
};

/** What strictness asks: no change of a test, or tests that may change. */
export const strictness = ["strict", "strict_tests_may_change"] as const;
export type Strictness = (typeof strictness)[number];

/** Paths named in one list. */
const NAMED_MAX = 20;

export function standingOf(e: Evidence): Standing {
  const why = whyNot(e);
  return {
    state: stateOf(e),
    unproven: e.unproven.slice(-NAMED_MAX),
    unprovenFiles: e.unproven.length + e.unprovenMore,
    by: e.proofs.map(({ command, folder, tests }) => ({
      command,
      folder,
      ...(tests ? { tests } : {}),
    })),
    checks: e.checks.map(({ path }) => path).slice(-NAMED_MAX),
    checksChanged: e.checks.length + e.checksMore,
    ...(why === null ? {} : { why }),
  };
}

function stateOf(e: Evidence): StandingState {
  if (e.changes === 0) return "nothing";
  if (e.failing.length > 0 || e.unproven.length + e.unprovenMore > 0) return "unproven";
  return e.checks.length + e.checksMore > 0 ? "doubted" : "proven";
}

function whyNot(e: Evidence): string | null {
  if (stateOf(e) !== "unproven") return null;
  const failing = e.failing.map(({ command }) => `\`${command}\` failed when it ran last`);
  if (failing.length > 0) return failing.join("; ");
  if (e.refused !== null) return e.refused;
  return e.commands.length === 0 ? "no verify command is known here" : null;
}

/** Whether a strict turn may not end as done; `canAsk`: the model can do something about it. */
export function lackIn(
  e: Evidence,
  strict: Strictness,
): { say: string; fix: string; canAsk: boolean } | null {
  const { state, unprovenFiles, unproven, checks, checksChanged, why } = standingOf(e);
  switch (state) {
    case "nothing":
    case "proven":
      return null;
    case "doubted":
      if (strict === "strict_tests_may_change") return null;
      return {
        say: `it is proven only by tests or configuration that this session changed: ${listed(checks, checksChanged)}`,
        fix: "look at these changes; `aiex config set evidence strict_tests_may_change` accepts them",
        canAsk: true,
      };
    case "unproven": {
      const files = unprovenFiles > 0 ? `${listed(unproven, unprovenFiles)} changed, unproven` : "";
      return {
        say: [files, why ?? ""].filter((part) => part !== "").join("; "),
        fix:
          e.commands.length > 0
            ? `run ${commandsOf(e)}`
            : "`aiex verify` shows what could prove it, and asks you once",
        canAsk: e.commands.length > 0,
      };
    }
  }
}

/** What a model is told that wants to end a strict turn without evidence. */
export function noticeOf(e: Evidence, { say }: { say: string }): string {
  const ask =
    stateOf(e) === "doubted"
      ? "Put them back as they were, unless the task itself is to change them, and run the verify command again. If they must change, say so and end."
      : `Run ${commandsOf(e)}, exactly as it is and alone: no pipe, no redirection, nothing before or after it. If it fails, repair the cause, not the test.`;
  return `This turn cannot end as done yet: ${say}. ${ask}`;
}

const commandsOf = ({ commands }: Evidence): string =>
  commands
    .slice(0, NAMED_MAX)
    .map(({ command, folder }) =>
      folder === "." ? `\`${command}\`` : `\`${command}\` in the folder ${folder}`,
    )
    .join(" or ");

/** Paths in a sentence, with how many are not named. */
export function listed(paths: readonly string[], all: number): string {
  const more = all - paths.length;
  if (paths.length === 0) return more === 1 ? "a change that no tree shows" : `${more} changes`;
  return more > 0 ? `${paths.join(", ")} and ${more} more` : paths.join(", ");
}
