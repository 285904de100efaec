// JSON-RPC with one running program: requests with deadlines, notifications both ways. Whatever the
// other end does (hangs, ends, floods, sends garbage), each request gets one answer or one failure.
import { framed, frameReader } from "#boundary/tools/servers/framing.ts";
import { message } from "#boundary/tools/servers/shapes.ts";
import type { RunningCommand } from "#boundary/workspace/sandbox-port.ts";
import { type Failure, fail, ok, type Result } from "#core/failure.ts";

/** Bytes that may come without anything having been asked or said in between. */
const UNASKED_BYTES_MAX = 64 * 1024 * 1024;
/** Requests under way at one time. */
const PENDING_MAX = 64;
/** Characters that are shown of the other end's own words. */
const SAID_CHARACTERS_MAX = 300;

export type Deadline = { timeoutMs: number; signal: AbortSignal };

export type Connection = {
  /** Fails as `timeout` after its deadline, as `cancelled` by its signal; the other end is told. */
  request(method: string, params: unknown, deadline: Deadline): Promise<Result<unknown>>;
  notify(method: string, params: unknown): void;
  /** Resolves once, with why no more is answered. */
  readonly ended: Promise<Failure>;
  close(): void;
};

export type Listener = {
  name: string;
  told(method: string, params: unknown): void;
  /** What a request of the other end is answered; undefined: there is no such thing here. */
  asked(method: string, params: unknown): unknown;
};

type Settle = (answer: Result<unknown>) => void;

export function connectionTo(running: RunningCommand, listener: Listener): Connection {
  const { name } = listener;
  const pending = new Map<number, Settle>();
  let last = 0;
  let unasked = 0;
  let isDeaf = false;
  let over: Failure | null = null;
  let tell: (failure: Failure) => void = () => {};
  const ended = new Promise<Failure>((resolve) => {
    tell = resolve;
  });

  const end = (failure: Failure) => {
    if (over) return;
    over = failure;
    running.kill();
    for (const settle of pending.values()) settle({ ok: false, error: failure });
    pending.clear();
    tell(failure);
  };

  const send = (what: object) => {
    if (over || isDeaf || running.send?.(framed({ jsonrpc: "2.0", ...what }))) return;
    // It may be over already; how it ends tells, soon.
    isDeaf = true;
    running.kill();
  };

  const take = (raw: unknown) => {
    const read = message.safeParse(raw);
    if (!read.success) return end(fault("broken", `${name} sent JSON that is no message`));
    const { id, method, params, result, error } = read.data;
    if (method !== undefined && id !== undefined) {
      const answer = listener.asked(method, params);
      if (answer === undefined) send({ id, error: { code: -32_601, message: "not supported" } });
      else send({ id, result: answer });
    } else if (method !== undefined) listener.told(method, params);
    else if (typeof id === "number") {
      pending.get(id)?.(error ? refusedBy(name, error) : ok(result ?? null));
      pending.delete(id);
    }
  };

  const passed = (bytes: number) => (unasked += bytes);
  void listen({ running, name, take, end, passed, isDeaf: () => isDeaf });

  return {
    ended,
    close: () => end(fault("closed", `${name} was ended`)),
    notify(method, params) {
      unasked = 0;
      send({ method, params });
    },
    request(method, params, { timeoutMs, signal }) {
      if (over) return Promise.resolve({ ok: false, error: over });
      if (signal.aborted) return Promise.resolve(calledOff(name));
      if (pending.size >= PENDING_MAX) {
        return Promise.resolve(fail("busy", `${name} is asked ${PENDING_MAX} things already`));
      }
      last += 1;
      const id = last;
      return new Promise((resolve) => {
        const settle = (answer: Result<unknown>) => {
          clearTimeout(timer);
          signal.removeEventListener("abort", abort);
          resolve(answer);
        };
        const leave = (answer: Result<unknown>) => {
          if (!pending.delete(id)) return;
          settle(answer);
          send({ method: "$/cancelRequest", params: { id } });
        };
        const abort = () => leave(calledOff(name));
        const timer = setTimeout(() => leave(late(name, method, timeoutMs)), timeoutMs);
        signal.addEventListener("abort", abort, { once: true });
        pending.set(id, settle);
        unasked = 0;
        send({ id, method, params });
      });
    },
  };
}

type Listening = {
  running: RunningCommand;
  name: string;
  take(raw: unknown): void;
  end(failure: Failure): void;
  /** How many bytes came unasked, with these. */
  passed(bytes: number): number;
  /** It took no more of what it was sent, and was told to end for that. */
  isDeaf(): boolean;
};

async function listen(listening: Listening): Promise<void> {
  const { running, name, take, end, passed, isDeaf } = listening;
  const read = frameReader();
  for await (const chunk of running.output) {
    if (passed(chunk.length) > UNASKED_BYTES_MAX) {
      const say = `${name} sent more than ${UNASKED_BYTES_MAX} bytes that nobody asked for`;
      return end(fault("too_large", say));
    }
    const messages = read(chunk);
    if (!messages.ok) return end(fault(messages.error.code, `${name}: ${messages.error.say}`));
    for (const one of messages.value) take(one);
  }
  const { code, signal } = await running.done;
  if (code === null && isDeaf()) {
    return end(fault("unreachable", `${name} does not read what it is sent`));
  }
  const how = code === null ? `by ${signal ?? "a signal"}` : `with exit code ${code}`;
  end(fault("unreachable", `${name} ended ${how}`));
}

const fault = (code: Failure["code"], say: string): Failure => ({
  code,
  say,
  fix: "call again: it is started anew; if it goes on, work without it",
});

const calledOff = (name: string) => fail("cancelled", `the question to ${name} was called off`);

const late = (name: string, method: string, timeoutMs: number) =>
  fail("timeout", `${name} did not answer ${method} within ${timeoutMs / 1_000} s`, {
    fix: "it may still be reading the project: call again later, or work without it",
  });

function refusedBy(name: string, error: { code: number; message: string }) {
  const said = error.message.replaceAll(/\s+/g, " ").slice(0, SAID_CHARACTERS_MAX);
  return fail("rejected", `${name} says: ${said}`, {
    fix: "check the place that was named, or work without it",
    detail: { code: error.code },
  });
}
