// The log of a process that people look at, in a thread of its own: a disk that is slow to sync, or
// another process that holds the lock, holds up no key and no line on the screen. The same log as in
// this process, by the same promises, asked by messages in their order.
import { MessageChannel, Worker } from "node:worker_threads";
import type { EventLog, Guard, Pages, Sums } from "#boundary/log/port.ts";
import { PAGE_RECORDS } from "#boundary/log/port.ts";
import type {
  Asked,
  GuardAsked,
  LogVerb,
  Page,
  ThreadData,
  Told,
  Verdict,
} from "#boundary/log/thread-messages.ts";
import { bugIn, type Failed, fail, ok, type Result } from "#core/failure.ts";
import type { TableShape } from "#core/views/view.ts";

type Pending = { resolve(result: unknown): void; guard: Guard | undefined };

/** Starts the thread of this file, with what it is given, and waits until its log is open. */
export async function threadLog(
  file: URL,
  given: Record<string, unknown>,
): Promise<Result<EventLog>> {
  const { port1: verdicts, port2 } = new MessageChannel();
  const bell = new Int32Array(new SharedArrayBuffer(4));
  const data: ThreadData = { verdicts: port2, bell };
  const worker = new Worker(file, { workerData: { ...given, ...data }, transferList: [port2] });
  // Only as long as somebody waits for an answer does the thread keep its process alive.
  verdicts.unref();
  const judge = (guard: Guard | undefined, told: Extract<Told, { judge: number }>) => {
    const verdict: Verdict = { judge: told.judge, refused: judged(guard, told.sums) };
    verdicts.postMessage(verdict);
    Atomics.add(bell, 0, 1);
    Atomics.notify(bell, 0);
  };
  return await opened(worker, judge);
}

/** A bug in a judgement refuses the append, and ends nothing else. */
function judged(guard: Guard | undefined, sums: readonly Sums[]): Failed | null {
  try {
    return guard?.refuses(sums) ?? null;
  } catch (error) {
    return { ok: false, error: bugIn(error) };
  }
}

type Judge = (guard: Guard | undefined, told: Extract<Told, { judge: number }>) => void;

function opened(worker: Worker, judge: Judge): Promise<Result<EventLog>> {
  const pending = new Map<number, Pending>();
  let stopped: Failed | null = null;
  return new Promise((resolve) => {
    const end = (why: string) => {
      stopped ??= fail("storage", `the thread of the log ended: ${why}`, {
        fix: "start Aiex again; nothing acknowledged is lost",
      });
      for (const { resolve: answer } of pending.values()) answer(stopped);
      pending.clear();
      resolve(stopped);
    };
    worker.on("error", (error) => end(String(error)));
    worker.on("exit", (code) => end(`code ${code}`));
    worker.on("message", (told: Told) => {
      if ("opened" in told) {
        const stop = (why: Failed) => {
          stopped = why;
        };
        worker.unref();
        const thread = { worker, pending, stopped: () => stopped, stop };
        resolve(told.opened.ok ? ok(logOver(thread)) : told.opened);
      } else if ("judge" in told) judge(pending.get(told.judge)?.guard, told);
      else {
        pending.get(told.ask)?.resolve(told.result);
        pending.delete(told.ask);
        if (pending.size === 0) worker.unref();
      }
    });
  });
}

type Thread = {
  worker: Worker;
  pending: Map<number, Pending>;
  stopped(): Failed | null;
  stop(why: Failed): void;
};

function logOver({ worker, pending, stopped, stop }: Thread): EventLog {
  let asks = 0;

  function ask<T>(
    verb: LogVerb,
    args: readonly unknown[],
    more: { guard?: Guard; signal?: AbortSignal } = {},
  ): Promise<T> {
    const failed = stopped();
    if (failed) return Promise.resolve(failed as T);
    const { guard, signal } = more;
    asks += 1;
    const number = asks;
    const message: Asked = { ask: number, verb, args, ...(guard ? { guard: plain(guard) } : {}) };
    return new Promise((resolve, reject) => {
      const off = () => worker.postMessage({ off: number } satisfies Asked);
      const answered = (result: unknown) => {
        signal?.removeEventListener("abort", off);
        resolve(result as T);
      };
      pending.set(number, { resolve: answered, guard });
      worker.ref();
      try {
        worker.postMessage(message);
      } catch (error) {
        // What no message can carry is a bug of whoever asked.
        pending.delete(number);
        if (pending.size === 0) worker.unref();
        return reject(error);
      }
      if (signal?.aborted) off();
      else signal?.addEventListener("abort", off, { once: true });
    });
  }

  async function* pages(take: (last: Page | null) => Promise<Page>, signal: AbortSignal): Pages {
    let last: Page | null = null;
    while (!signal.aborted) {
      const page: Page = await take(last);
      if (!page.ok || page.value.length > 0) yield page;
      if (!page.ok || page.value.length < PAGE_RECORDS) return;
      last = page;
    }
  }

  const lastOf = (page: Page | null) => (page?.ok ? page.value.at(-1) : undefined);
  const one =
    (verb: LogVerb) =>
    (...args: readonly unknown[]) =>
      ask<never>(verb, args);

  return {
    append: (stream, expected, drafts, guard) =>
      ask("append", [stream, expected, drafts], guard ? { guard } : {}),
    head: one("head"),
    read: (stream, window, signal) =>
      pages(
        (last) =>
          ask("page", [stream, { ...window, after: lastOf(last)?.version ?? window.after }]),
        signal,
      ),
    readAll: (after, signal) =>
      pages((last) => ask("pageAll", [lastOf(last)?.position ?? after]), signal),
    last: one("last"),
    streams: one("streams"),
    erase: one("erase"),
    changed: async (signal) => void (await ask("changed", [], { signal })),
    snapshot: one("snapshot"),
    keepSnapshot: one("keepSnapshot"),
    tables: {
      ensure: (shape) => ask("tables.ensure", [shapeOf(shape)]),
      feed: one("tables.feed"),
      clear: one("tables.clear"),
      refill: (table, signal) => ask("tables.refill", [table], { signal }),
      rows: one("tables.rows"),
      sums: one("tables.sums"),
    },
    async close() {
      if (stopped()) return;
      await ask("close", []);
      stop(fail("closed", "the log was closed"));
      await worker.terminate();
    },
  };
}

/** A view is more than its shape: what it does with records stays here. */
const shapeOf = ({ name, version, columns, key, indexes }: TableShape): TableShape => ({
  ...{ name, version, columns, key },
  ...(indexes ? { indexes } : {}),
});

const plain = ({ table, sums }: Guard): GuardAsked => ({ table, sums });
