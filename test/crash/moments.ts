// The moments of a turn, named and counted, seen from inside the real program: around its ports,
// and in what Node calls below them (files, git, SQLite). At the moment that `DIE_AT` names, by its
// number or by its name, this process, or what it started, dies by SIGKILL.
import child from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { StatementSync } from "node:sqlite";
import type { EventLog } from "#boundary/log/port.ts";
import type { ModelPort } from "#boundary/models/port.ts";
import type { Tool } from "#boundary/tools/port.ts";
import { ok } from "#core/failure.ts";
import type { Ports } from "../../src/start.ts";

const { DIE_AT = "", DIE_NTH = "1", DEATH = "program", ACKED = "" } = process.env;

/** How many moments there were so far, and how many tool processes a death has ended. */
export const seen = { moments: 0, killed: 0 };
let named = 0;
let counts = true;

/** Whether moments count: of an undo, those of the turn before it do not. */
export function counting(isOn: boolean): void {
  counts = isOn;
}

/** A moment between two things. */
export function moment(name: string): void {
  if (!counts) return;
  seen.moments += 1;
  if (name === DIE_AT) named += 1;
  const isNow = name === DIE_AT ? named === Number(DIE_NTH) : String(seen.moments) === DIE_AT;
  if (isNow) die();
}

function die(): void {
  if (DEATH !== "program") {
    const started = startedBy(process.pid);
    for (const pid of started) kill(pid);
    seen.killed += started.length;
  }
  if (DEATH === "tools") return;
  kill(process.pid);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as { code?: string }).code !== "ESRCH") throw error;
  }
}

/** The processes below one, the deepest last, as /proc has them (proc(5): pid, name, state, ppid). */
function startedBy(root: number): number[] {
  const parents = new Map<number, number[]>();
  for (const name of fs.readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, "latin1");
      const ppid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      parents.set(ppid, [...(parents.get(ppid) ?? []), Number(name)]);
    } catch {
      // It is gone meanwhile.
    }
  }
  const below = (pid: number): number[] =>
    (parents.get(pid) ?? []).flatMap((one) => [one, ...below(one)]);
  return below(root);
}

/** What a test may hold the program to: everything that was acknowledged, outside of its home. */
function acknowledge(stream: string, version: number, types: readonly string[]): void {
  if (ACKED === "") return;
  types.forEach((type, i) => {
    fs.appendFileSync(ACKED, `${JSON.stringify([stream, version - types.length + 1 + i, type])}\n`);
  });
}

/** Calls whose intent is durable. */
const intended = new Set<string>();

/** Whoever runs before that is caught here, whether it dies then or not. */
function ran(callId: string): void {
  if (intended.has(callId) || ACKED === "") return;
  fs.appendFileSync(`${ACKED}.early`, `${callId}\n`);
}

function aroundLog(log: EventLog): EventLog {
  const tools = new Map<string, string>();
  /** An event's name; of one about a call, with the call's tool. */
  const nameOf = ({ type, body }: { type: string; body: string | null }): string => {
    if (type !== "ToolStarted" && type !== "ToolFinished") return type;
    const { callId, tool } = JSON.parse(body ?? "{}");
    if (tool) tools.set(callId, tool);
    return `${type} ${tools.get(callId)}`;
  };
  return {
    ...log,
    async append(stream, expected, drafts) {
      const names = drafts.map(nameOf);
      for (const name of names) moment(`before ${name}`);
      const added = await log.append(stream, expected, drafts);
      if (!added.ok) return added;
      for (const { type, body } of drafts) {
        if (type === "ToolStarted") intended.add(JSON.parse(body ?? "{}").callId);
      }
      for (const name of names) moment(`lost ${name}`);
      const types = drafts.map(({ type }) => type);
      acknowledge(stream, added.value.at(-1)?.version ?? 0, types);
      setImmediate(() => {
        for (const name of names) moment(`acked ${name}`);
      });
      return added;
    },
    async snapshot(stream, fingerprint) {
      const found = await log.snapshot(stream, fingerprint);
      moment("snapshot read");
      return found;
    },
  };
}

function aroundTool(tool: Tool): Tool {
  const { name } = tool.spec;
  return {
    ...tool,
    async prepare(input, context) {
      moment(`preparing ${name}`);
      const prepared = await tool.prepare(input, context);
      moment(`prepared ${name}`);
      if (!prepared.ok) return prepared;
      const { run, effect, title } = prepared.value;
      const isCommand = effect === "opaque" && !title.startsWith("sleep");
      return ok({
        ...prepared.value,
        async run(running) {
          ran(context.callId);
          moment(`starting ${name}`);
          const progress = (text: string) => {
            running.progress(text);
            if (text.includes("begun")) moment(`running ${name}`);
          };
          const work = run(isCommand ? { ...running, progress } : running);
          // What runs in this process has begun, and not ended.
          if (effect !== "opaque") moment(`running ${name}`);
          const done = await work;
          moment(`done ${name}`);
          return done;
        },
      });
    },
  };
}

function aroundModel(port: ModelPort): ModelPort {
  return {
    ...port,
    async *call(wire, options) {
      let count = 0;
      const kinds = new Set<string>();
      for await (const item of port.call(wire, options)) {
        count += 1;
        if (count === 1) moment("item first");
        const kind = item.type === "callInput" ? "input" : item.type;
        if (!kinds.has(kind)) moment(`item ${kind}`);
        kinds.add(kind);
        yield item;
      }
    },
  };
}

/** The ports of the program with a moment before and after everything that goes through them. */
export function aroundPorts(ports: Ports, more: readonly Tool[]): Ports {
  const { log, blobs, leases } = ports;
  return {
    ...ports,
    log: aroundLog(log),
    blobs: {
      ...blobs,
      async put(bytes) {
        moment("before blob");
        const kept = await blobs.put(bytes);
        moment("after blob");
        return kept;
      },
    },
    leases: {
      ...leases,
      take(name) {
        const lease = leases.take(name);
        if (!lease.ok) return lease;
        const release = () => {
          lease.value.release();
          if (!name.startsWith("tree")) moment("lease released");
        };
        return ok({ release });
      },
    },
    tools: {
      name: "test",
      tools: async () => [...(await ports.tools.tools()), ...more].map(aroundTool),
    },
    async openModel(name, options) {
      const opened = await ports.openModel(name, options);
      return opened.ok ? ok({ ...opened.value, port: aroundModel(opened.value.port) }) : opened;
    },
  };
}

/** An edit's draft, its rename, and the sync of its folder. Before anything imports them by name. */
export function watchFiles(): void {
  const { renameSync, unlinkSync, fsync } = fs;
  let renamed = false;
  fs.renameSync = (from, to) => {
    const isEdit = String(to).startsWith("/proc/self/fd/");
    if (isEdit) moment("file written");
    renameSync(from, to);
    if (isEdit) moment("file renamed");
    renamed = isEdit;
  };
  fs.unlinkSync = (path) => {
    const isFile = /^\/proc\/self\/fd\/\d+\/[^.]/.test(String(path));
    if (isFile) moment("file to remove");
    unlinkSync(path);
    if (isFile) moment("file removed");
  };
  const synced: typeof fs.fsync = Object.assign(
    (fd: number, done: fs.NoParamCallback) => {
      if (renamed) moment("folder to sync");
      renamed = false;
      fsync(fd, done);
    },
    { __promisify__: fsync.__promisify__ },
  );
  fs.fsync = synced;
  syncBuiltinESMExports();
}

/** A tree's pack on its way to git. */
export function watchTrees(): void {
  const { spawn } = child;
  const watched = (...given: Parameters<typeof spawn>) => {
    const started = spawn(...given);
    if (!(Array.isArray(given[1]) && given[1].includes("index-pack"))) return started;
    const write = started.stdin?.write.bind(started.stdin);
    let parts = 0;
    if (started.stdin && write) {
      started.stdin.write = ((...part: Parameters<typeof write>) => {
        const wrote = write(...part);
        parts += 1;
        if (parts === 2) moment("tree half");
        return wrote;
      }) as typeof started.stdin.write;
    }
    started.on("close", () => moment("tree whole"));
    return started;
  };
  child.spawn = watched as typeof spawn;
  syncBuiltinESMExports();
}

/** Seals go to the log below the ports, so they are seen in what SQLite is asked. */
export function watchSeals(): void {
  const run: (...given: never[]) => unknown = StatementSync.prototype.run;
  let sealing = false;
  StatementSync.prototype.run = function (this: StatementSync, ...given: never[]) {
    const isSeal = (given as unknown[])[0] === "audit:seals" && given.length > 10;
    if (isSeal) moment("before seal");
    sealing ||= isSeal;
    const ran = run.apply(this, given);
    if (sealing && this.sourceSQL === "COMMIT") {
      sealing = false;
      moment("acked seal");
    }
    return ran;
  } as unknown as StatementSync["run"];
}
