// What can go wrong, as values. Each edge maps the codes by a complete table (exit code, HTTP
// status, JSON-RPC); whatever is thrown instead is a bug.

/** The closed list of failure codes, each with what it means wherever it appears. */
export const failureCodes = {
  bad_input: "what the caller gave cannot be used",
  not_found: "the named thing does not exist",
  not_supported: "this is not built, and says so",
  conflict: "somebody else appended first; fold again and decide again",
  busy: "another process is at it",
  deposed: "a higher epoch runs this session now",
  closed: "the node or the port was closed",
  cancelled: "the user or the caller called it off",
  timeout: "a named deadline passed",
  permission_needed: "the user's leave is needed and nobody is here to give it",
  denied: "the policy, the user or the sandbox refused",
  untrusted: "the location is not trusted yet",
  stale: "the file changed since this session read it",
  ambiguous: "more than one place fits",
  no_match: "no place fits",
  too_large: "over a limit, which is named",
  storage: "the log or the blobs cannot be read or written",
  corrupt: "stored bytes are not what was written",
  unreachable: "the other end does not answer",
  unauthorised: "the other end refused the credentials",
  rate_limited: "the other end asks to slow down",
  quota: "the other end says the account is used up",
  budget: "a budget that the user set holds no more",
  overloaded: "the other end is failing (5xx) or overloaded",
  rejected: "the other end says the request is malformed",
  overflow: "the request does not fit the model's context window",
  broken: "an answer ended before it was whole, or was not in its format",
  no_model: "no model is configured or in reach",
  unproven: "files changed and nothing proves that they work",
  command_failed: "a command ran and did not succeed",
  bug: "Aiex itself failed at this, and nothing the user did is the cause",
} as const;

export type FailureCode = keyof typeof failureCodes;

/** A failure: a code for programs, `say` for people (what was wrong), `fix` (what to do next). */
export type Failure = {
  code: FailureCode;
  say: string;
  fix?: string;
  /** Data that goes with the code, for programs: the places of an ambiguous match, a diff … */
  detail?: unknown;
};

export type Ok<T> = { ok: true; value: T };
export type Failed = { ok: false; error: Failure };
export type Result<T> = Ok<T> | Failed;

export function ok(): Ok<void>;
export function ok<T>(value: T): Ok<T>;
export function ok<T>(value?: T): Ok<T | undefined> {
  return { ok: true, value };
}

export function fail(code: FailureCode, say: string, more?: Omit<Failure, "code" | "say">): Failed {
  return { ok: false, error: { code, say, ...more } };
}

/** A bug that was caught where it harms one session only, said as what it is. */
export function bugIn(error: unknown): Failure {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return {
    code: "bug",
    say: `this is a bug in Aiex, not your mistake: ${message}`,
    fix: "nothing of the log is lost; please report it, and send the prompt again",
    detail: stack,
  };
}

/** One line for a person: what was wrong, then what to do. */
export function sentenceOf(failure: Failure): string {
  return failure.fix ? `${failure.say}; ${failure.fix}` : failure.say;
}
