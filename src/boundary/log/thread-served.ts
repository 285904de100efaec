// The thread's side: it holds a log and does what it is asked, in the order in which it was asked.
// What waits for changes waits beside that.
import { parentPort, receiveMessageOnPort } from "node:worker_threads";
import type { EventLog, Guard, Pages } from "#boundary/log/port.ts";
import type {
  Asked,
  GuardAsked,
  LogVerb,
  Page,
  ThreadData,
  Told,
  Verdict,
} from "#boundary/log/thread-messages.ts";
import { fail, ok, type Result } from "#core/failure.ts";

/** How long a verdict on an append is waited for, in milliseconds: the log is locked meanwhile. */
const VERDICT_MS = 15_000;

/** Serves a log to the process that started this thread; what could not be opened is said. */
export function serveLog(opened: Result<EventLog>, data: ThreadData): void {
  const port = parentPort;
  if (!port) throw new Error("a log is served from a thread");
  const tell = (told: Told) => port.postMessage(told);
  tell({ opened: opened.ok ? ok() : opened });
  if (!opened.ok) return;
  const log = opened.value;
  const waiting = new Map<number, AbortController>();
  port.on("message", (asked: Asked) => {
    if ("off" in asked) return waiting.get(asked.off)?.abort();
    void answer(asked);
  });

  async function answer(asked: Extract<Asked, { ask: number }>): Promise<void> {
    const off = new AbortController();
    waiting.set(asked.ask, off);
    const { ask, verb, args } = asked;
    const guard = asked.guard ? [guardFor(ask, asked.guard)] : [];
    const result = await done(log, verb, [...args, ...guard], off.signal);
    waiting.delete(ask);
    tell({ ask, result });
    if (verb === "close") port?.close();
  }

  /** Judged by whoever asked, while this thread holds the lock and waits. */
  function guardFor(judge: number, { table, sums }: GuardAsked): Guard {
    return {
      table,
      sums,
      refuses(read) {
        tell({ judge, sums: read });
        const verdict = verdictOf(judge);
        if (!verdict) return undecided;
        return verdict.refused;
      },
    };
  }

  /** Waits for the verdict of this very append; null where none came in time. */
  function verdictOf(judge: number): Verdict | null {
    const until = performance.now() + (data.verdictMs ?? VERDICT_MS);
    for (;;) {
      const rings = Atomics.load(data.bell, 0);
      const said = receiveMessageOnPort(data.verdicts)?.message as Verdict | undefined;
      if (said?.judge === judge) return said;
      const left = until - performance.now();
      if (left <= 0) return null;
      if (said === undefined) Atomics.wait(data.bell, 0, rings, left);
    }
  }
}

const undecided = fail("busy", "nobody judged in time whether a budget has room", {
  fix: "try again",
});

/** The verbs that end by a signal, which no message carries. */
const ENDED_BY_SIGNAL: ReadonlySet<LogVerb> = new Set(["changed", "tables.refill"]);

async function done(
  log: EventLog,
  verb: LogVerb,
  args: readonly unknown[],
  signal: AbortSignal,
): Promise<unknown> {
  const given = ENDED_BY_SIGNAL.has(verb) ? [...args, signal] : args;
  if (verb === "page") return await first(log.read(...(args as PageArgs), signal));
  if (verb === "pageAll") return await first(log.readAll(args[0] as number, signal));
  const isTable = verb.startsWith("tables.");
  const holder = (isTable ? log.tables : log) as unknown as Holder;
  return await holder[isTable ? verb.slice("tables.".length) : verb]?.(...given);
}

type PageArgs = [stream: string, window: { after: number; until?: number }];
type Holder = Record<string, (...args: readonly unknown[]) => Promise<unknown>>;

/** Pages are asked for one by one: none is read that nobody takes. */
async function first(pages: Pages): Promise<Page> {
  for await (const page of pages) return page;
  return ok([]);
}
