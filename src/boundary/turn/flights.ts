// How the runner tells its flights apart, a landing of this step from one of another, and waits.
import type { Flight, Landing } from "#boundary/turn/parts.ts";
import type { OpenCall, Session } from "#core/session/state.ts";

/** Names of calls and steps recur from turn to turn: some servers count calls from 0 in each answer. */
export const callKey = ({ turn }: Session, { call }: OpenCall): string =>
  `call ${turn?.id} ${turn?.steps} ${call.id}`;
export const stepKey = ({ turn }: Session, step: { step: number; attempt: number }): string =>
  `step ${turn?.id} ${step.step}.${step.attempt}`;

/** A session has one next model to choose at a time. */
export const choiceKey = "choice";

/** A landing that fits only in the step that it was made for, with all that follows it. */
export function ofThisStep(
  { turn }: Pick<Session, "turn">,
  { events, fits, after }: Landing,
): Landing {
  const isSame = (s: Session) => s.turn?.id === turn?.id && s.turn?.steps === turn?.steps;
  return {
    events,
    fits: (s) => isSame(s) && (!fits || fits(s)),
    ...(after ? { after: async () => ofThisStep({ turn }, await after()) } : {}),
  };
}

/** How long the flights of a stopped runner are waited for, in milliseconds. */
const LANDING_MS = 6_000;

/** Calls flights off and waits until they are over, if that does not take too long. */
export async function grounded(flights: readonly Flight[]): Promise<void> {
  for (const flight of flights) flight.abort.abort();
  if (flights.length === 0) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, LANDING_MS);
  });
  const landings = flights.map((flight) => flight.done.catch(() => null));
  await Promise.race([Promise.all(landings), late]);
  clearTimeout(timer);
}

/** Resolves after so many milliseconds, or once the flight is called off. */
export function passed(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
