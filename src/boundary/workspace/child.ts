// One running command: a process of its own group, whose output comes through one real pipe at the
// reader's pace, and which is dead with all it started when `done` resolves.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, readdirSync, readFileSync, unlinkSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { codeOf, failureOf } from "#boundary/beneath.ts";
import { LAST_BYTES } from "#boundary/workspace/denial.ts";
import {
  type CommandEnd,
  type RunningCommand,
  SENT_BYTES_MAX,
} from "#boundary/workspace/sandbox-port.ts";
import { fail, ok, type Result } from "#core/failure.ts";

/** From the polite signal to the one that cannot be refused. */
export const GRACE_MS = 2_000;
/** Bytes held for a reader that is slower than the command; then the command waits. */
const HELD_BYTES_MAX = 256 * 1024;
/** How long output may stay open after the command's end, where something outlived it. */
const DRAIN_MS = 1_000;

/** The number under which a program gets the first descriptor that was handed on. */
export const FIRST_DESCRIPTOR = 5;
/** The longest wait of a timer: 24 days. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export type Launch = {
  program: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Private folder in which the pipe is made. */
  scratch: string;
  timeoutMs: number;
  signal: AbortSignal;
  /** Its input stays open. */
  talks?: true | undefined;
  /**
   * For bubblewrap: the text of descriptor 3 (`--args 3`); descriptor 4 reports the id of the
   * process inside; the others follow from `FIRST_DESCRIPTOR` on and stay the caller's to close.
   */
  wrapped?: { text: string; descriptors: readonly number[] };
  /** Called with the process before it has read what to do. */
  begun?(pid: number): void;
  /** Called when the process is gone: kills what outlived it and says what it left behind. */
  after(process: { group: number }): Promise<readonly string[]>;
  /** Judges the end by the last bytes of output. */
  isDenied(code: number | null, lastOutput: Uint8Array): boolean;
};

/** Starts a command. Fails where it cannot be started; how it ends is told by `done`. */
export async function launch(options: Launch): Promise<Result<RunningCommand>> {
  const { signal } = options;
  if (signal.aborted) return fail("cancelled", "the command was called off before it began");
  const pipe = await openPipe(options.scratch);
  if (!pipe.ok) return pipe;
  const { reader, writer } = pipe.value;
  const started = performance.now();
  const spawned = await spawnInto(options, writer);
  closeSync(writer);
  const output = new Output(reader);
  if (!spawned.ok) {
    output.close();
    return spawned;
  }
  if (spawned.value.pid !== undefined) options.begun?.(spawned.value.pid);
  return ok(follow(options, spawned.value, output, started));
}

/** Keeps to the limits of a running process, and tells its end when nothing of it is left. */
function follow(
  options: Launch,
  child: ChildProcess,
  output: Output,
  started: number,
): RunningCommand {
  const { signal, wrapped, timeoutMs } = options;
  const group = child.pid ?? 0;
  const inside = wrapped === undefined ? null : feed(child.stdio, wrapped.text);
  const end = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("exit", (code, by) => resolve({ code, signal: by }));
  });
  let ended: CommandEnd["ended"] = "exit";
  let isOver = false;
  let hard: NodeJS.Timeout | undefined;
  const stop = (why: "timeout" | "killed") => {
    if (isOver || ended !== "exit") return;
    ended = why;
    kill(inside?.pid() ?? group, "SIGTERM");
    // Killing bubblewrap kills all in it, by `--die-with-parent` and the end of its namespace.
    hard = setTimeout(() => kill(group, "SIGKILL"), GRACE_MS);
  };
  const onAbort = () => stop("killed");
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => stop("timeout"), Math.min(timeoutMs, TIMER_MS_MAX));
  if (signal.aborted) onAbort();

  const finish = async (): Promise<CommandEnd> => {
    const { code, signal: by } = await end;
    isOver = true;
    clearTimeout(timer);
    clearTimeout(hard);
    signal.removeEventListener("abort", onAbort);
    await inside?.gone();
    const quarantined = await options.after({ group });
    const last = await output.drained();
    const how = ended === "exit" ? { code, signal: by } : stoppedBy(code, by);
    const denied = ended === "exit" && options.isDenied(code, last);
    const durationMs = performance.now() - started;
    return { ...how, ended, durationMs, quarantined, sandboxDenied: denied };
  };
  const send = (bytes: Uint8Array) => !isOver && sent(child, bytes);
  const talks = options.talks ? { send } : {};
  return { output, done: finish(), kill: () => stop("killed"), ...talks };
}

function sent({ stdin }: ChildProcess, bytes: Uint8Array): boolean {
  if (!stdin?.writable || stdin.writableLength + bytes.length > SENT_BYTES_MAX) return false;
  stdin.write(bytes);
  return true;
}

async function spawnInto(options: Launch, writer: number): Promise<Result<ChildProcess>> {
  const { program, args, wrapped, talks } = options;
  const nothing = openSync("/dev/null", constants.O_RDONLY);
  const stdio: ("ignore" | "pipe" | number)[] = [talks ? "pipe" : "ignore", writer, writer];
  if (wrapped) stdio.push("pipe", "pipe", ...wrapped.descriptors);
  const own = stdio.length;
  for (const fd of inheritable()) {
    if (fd < own) continue;
    while (stdio.length < fd) stdio.push("ignore");
    stdio[fd] = nothing;
  }
  try {
    const child = spawn(program, [...args], {
      cwd: options.cwd,
      env: { ...options.env },
      stdio,
      detached: true,
    });
    // It may end before it has read what it was sent; its exit tells.
    child.stdin?.on("error", () => {});
    const failed = await new Promise<Error | null>((resolve) => {
      child.once("spawn", () => resolve(null));
      child.once("error", resolve);
    });
    return failed ? failureOf(failed, program) : ok(child);
  } catch (error) {
    return failureOf(error, program);
  } finally {
    closeSync(nothing);
  }
}

/** A shell and bubblewrap report death by a signal as 128 + its number. */
function stoppedBy(code: number | null, signal: string | null) {
  if (code === 128 + 15) return { code: null, signal: "SIGTERM" };
  if (code === 128 + 9) return { code: null, signal: "SIGKILL" };
  return { code, signal };
}

/** Signals a process group; the first of all ids that a group can be of are not ours to signal. */
function kill(group: number, signal: NodeJS.Signals): void {
  if (group <= 1) return;
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (codeOf(error) !== "ESRCH" && codeOf(error) !== "EPERM") throw error;
  }
}

type Ends = ChildProcess["stdio"];
type Inside = { pid(): number | null; gone(): Promise<void> };

/** Gives bubblewrap its arguments, and keeps in view the first process inside. */
function feed(stdio: Ends, text: string): Inside {
  const [, , , args, status] = stdio;
  if (args && "end" in args) {
    // It may die before it has read them; its exit tells.
    args.on("error", () => {});
    args.end(text);
  }
  let said = "";
  const told = new Promise<void>((resolve) => {
    if (!status || !("read" in status)) return resolve();
    status.on("data", (chunk) => {
      if (said.length < 4_096) said += String(chunk);
    });
    status.on("error", () => {});
    status.once("close", () => resolve());
  });
  const pid = () => {
    const found = /"child-pid": (\d+)/.exec(said)?.[1];
    return found === undefined ? null : Number(found);
  };
  return {
    pid,
    async gone() {
      await told;
      const first = pid();
      if (first !== null) await untilGone(first);
    },
  };
}

/**
 * Bubblewrap exits with the command; the first process of its namespace goes a moment later, when
 * the kernel has killed whatever was left in it. Only then can nothing be written any more.
 */
async function untilGone(pid: number): Promise<void> {
  const limit = performance.now() + GRACE_MS;
  while (performance.now() < limit) {
    const stat = textAt(`/proc/${pid}/stat`);
    // After the name in parentheses comes the state; a zombie has nothing left to run.
    if (stat === null || /\) [ZX] [^)]*$/.test(stat)) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

function textAt(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return null;
  }
}

/**
 * A pipe that the system knows by no name any more. What `spawn` makes for `pipe` is a socket, on
 * which `echo > /dev/stderr` fails; this one is as a shell's.
 */
async function openPipe(scratch: string): Promise<Result<{ reader: number; writer: number }>> {
  const path = join(scratch, `out-${randomBytes(8).toString("hex")}`);
  try {
    await makePipe("mkfifo", ["-m", "600", path], { env: { PATH: "/usr/bin:/bin" } });
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    unlinkSync(path);
    return ok({ reader, writer });
  } catch (error) {
    if (codeOf(error) !== "") return failureOf(error, path);
    return fail("storage", `mkfifo cannot make a pipe in ${scratch}`);
  }
}

const makePipe = promisify(execFile);

/**
 * Descriptors that some program left open when it started us, without the mark that closes them at
 * exec: a folder among them would be a way out of the sandbox. Ours all carry the mark.
 */
function inheritable(): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fdinfo").flatMap((name) => {
    try {
      const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, "utf8"));
      const closes = (Number.parseInt(flags?.[1] ?? "0", 8) & 0o2000000) !== 0;
      return closes ? [] : [Number(name)];
    } catch {
      // The descriptor of this very listing, closed by now.
      return [];
    }
  });
}

/** The bytes of a command, read once and at the reader's pace. */
class Output implements AsyncIterable<Uint8Array> {
  readonly #socket: Socket;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #last = new Uint8Array(0);
  #isClosed = false;
  /** Nobody reads any more, so bytes are dropped and the command is not held up. */
  #isLeft = false;
  /** The command is over: what is left is little, and is taken whether or not anybody reads. */
  #isDraining = false;
  #wake: () => void = () => {};
  readonly #closed: Promise<void>;

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#socket.on("error", () => this.#socket.destroy());
    this.#closed = new Promise((resolve) => {
      this.#socket.once("close", () => {
        this.#isClosed = true;
        this.#wake();
        resolve();
      });
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Takes what is left in the pipe, which holds 64 KiB at most; answers the last bytes of all. */
  async drained(): Promise<Uint8Array> {
    this.#isDraining = true;
    this.#socket.resume();
    const timer = setTimeout(() => this.close(), DRAIN_MS);
    await this.#closed;
    clearTimeout(timer);
    return this.#last;
  }

  #take(chunk: Uint8Array): void {
    this.#last = new Uint8Array(Buffer.concat([this.#last, chunk]).subarray(-LAST_BYTES));
    if (this.#isLeft) return;
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > HELD_BYTES_MAX && !this.#isDraining) this.#socket.pause();
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#held.shift();
        if (chunk !== undefined) {
          this.#heldBytes -= chunk.length;
          if (this.#heldBytes <= HELD_BYTES_MAX) this.#socket.resume();
          yield chunk;
        } else if (this.#isClosed) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
      }
    } finally {
      this.#isLeft = true;
      this.#held = [];
      this.#heldBytes = 0;
      this.#socket.resume();
    }
  }
}
