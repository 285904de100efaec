// The event log with its seals: after so many records, so long, at the end of a turn, and before it
// closes, what was appended since the last seal is sealed. An append never waits for that, and one
// that cannot be sealed stands; `state` says why, and the next seal covers it.
import type { EventLog } from "#boundary/log/port.ts";
import type { SealParts } from "#boundary/seals.ts";
import type { Result } from "#core/failure.ts";
import { SEAL_STREAM } from "#core/seal.ts";

/** Records that this process appends before it seals, at most. */
const RECORDS_MAX = 500;
/** How long an appended record waits for its seal, at most, in milliseconds. */
const WAIT_MS = 60_000;

export type Sealing = {
  log: EventLog;
  /** The number of the last seal this process made, or why it could not; null: none was due. */
  state(): Result<number> | null;
};

export function sealing(inner: EventLog, parts: SealParts): Sealing {
  let unsealed = 0;
  /** Unsealed records at which it is due; further on where the last time failed. */
  let dueAt = RECORDS_MAX;
  let timer: NodeJS.Timeout | null = null;
  let state: Result<number> | null = null;
  let running: Promise<void> | null = null;

  async function make(): Promise<void> {
    if (timer) clearTimeout(timer);
    timer = null;
    const begun = unsealed;
    const { seal } = await import("#boundary/seals.ts");
    state = await seal(inner, parts);
    if (state.ok) unsealed -= begun;
    dueAt = unsealed + RECORDS_MAX;
  }

  /** One at a time; what is appended meanwhile is due again. */
  function due(): Promise<void> {
    running ??= make().finally(() => {
      running = null;
    });
    return running;
  }

  function appended(types: readonly string[]): void {
    unsealed += types.length;
    if (types.includes("TurnEnded") || unsealed >= dueAt) void due();
    else if (timer === null) {
      timer = setTimeout(() => void due(), WAIT_MS);
      timer.unref();
    }
  }

  return {
    state: () => state,
    log: {
      ...inner,
      async append(stream, expected, drafts, guard) {
        const added = await inner.append(stream, expected, drafts, guard);
        if (added.ok && stream !== SEAL_STREAM) appended(drafts.map(({ type }) => type));
        return added;
      },
      async close() {
        await running;
        if (unsealed > 0) await due();
        if (timer) clearTimeout(timer);
        await inner.close();
      },
    },
  };
}
