// Who writes in a location, and when: commands, edits and jobs of every Aiex process on this
// machine. What changed while a command ran is its own only where nobody else could have done it.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newId } from "#boundary/digest.ts";
import { isAlive } from "#boundary/drafts.ts";
import { parsed } from "#core/model/json.ts";

/**
 * `paths` are those that it can have changed; null: any. `call` is the tool call that began it.
 * Times in milliseconds since 1970; within one process no two are the same.
 */
export type Writer = {
  title: string;
  paths: readonly string[] | null;
  call?: string;
  process: number;
  /** Tells the process from a later one with its id, where the system says so. */
  born?: string;
  /** Since when it asks who writes beside it. */
  from: number;
  /** Since when it may write itself; null: not yet, and never where its call was dropped. */
  writes: number | null;
  to: number | null;
};

export type Writers = {
  /** It does not write before `write`. */
  begin(writer: Pick<Writer, "title" | "paths" | "call">): string;
  write(id: string): void;
  /** Ends it; answers the others that wrote while it was there. */
  end(id: string): readonly Writer[];
};

type Store = {
  all(): Map<string, Writer>;
  put(id: string, writer: Writer): void;
  drop(id: string): void;
};

/** `folder` is where the processes of the machine tell each other; null: this process alone. */
export function writersIn(folder: string | null): Writers {
  const store = folder === null ? storeInMemory() : storeIn(join(folder, "writers"));
  const now = clock();
  return {
    begin(writing) {
      const id = newId();
      const open = { from: now(), writes: null, to: null };
      store.put(id, { ...writing, process: process.pid, ...bornAs(process.pid), ...open });
      return id;
    },
    write(id) {
      const own = store.all().get(id);
      if (own) store.put(id, { ...own, writes: now() });
    },
    end(id) {
      const all = store.all();
      const own = all.get(id);
      if (!own) return [];
      const ended = { ...own, to: now() };
      store.put(id, ended);
      all.set(id, ended);
      const others = [...all].filter(([other, writer]) => other !== id && overlap(writer, ended));
      prune(store, all);
      return others.map(([, writer]) => writer);
    },
  };
}

/** Never the same twice: what follows another in one process did not run beside it. */
function clock(): () => number {
  let last = 0;
  return () => {
    last = Math.max(Date.now(), last + 0.001);
    return last;
  };
}

/** Whether another wrote while this one was there. */
const overlap = (other: Writer, { from, to }: Writer): boolean =>
  other.writes !== null &&
  other.writes <= (to ?? Number.POSITIVE_INFINITY) &&
  from <= (other.to ?? Number.POSITIVE_INFINITY);

/** One that ended before every other began tells nobody anything any more. */
function prune(store: Store, all: ReadonlyMap<string, Writer>): void {
  const open = [...all.values()].filter(({ to }) => to === null).map(({ from }) => from);
  const oldest = Math.min(...open, Date.now());
  for (const [id, { to }] of all) if (to !== null && to < oldest) store.drop(id);
}

function storeInMemory(): Store {
  const writers = new Map<string, Writer>();
  return {
    all: () => new Map(writers),
    put: (id, writer) => writers.set(id, writer),
    drop: (id) => writers.delete(id),
  };
}

function storeIn(folder: string): Store {
  const fileOf = (id: string) => join(folder, id);
  const read = (id: string): Writer | null => {
    try {
      return parsed(readFileSync(fileOf(id), "utf8")) as Writer;
    } catch {
      return null;
    }
  };
  return {
    all() {
      const writers = new Map<string, Writer>();
      for (const id of namesIn(folder)) {
        const writer = read(id);
        // What a process that is gone was writing ended with it.
        if (writer && (writer.to !== null || isThere(writer))) writers.set(id, writer);
        else rmSync(fileOf(id), { force: true });
      }
      return writers;
    },
    put(id, writer) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const draft = join(folder, `.${newId()}`);
      writeFileSync(draft, JSON.stringify(writer), { mode: 0o600 });
      renameSync(draft, fileOf(id));
    },
    drop: (id) => rmSync(fileOf(id), { force: true }),
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith("."));
  } catch {
    return [];
  }
}

/** A process id is given to another process some day, in a container at the next start. */
const isThere = ({ process: id, born }: Writer): boolean =>
  isAlive(id) && (born === undefined || (bornAs(id).born ?? born) === born);

/** When a process began, as Linux says it: field 22 of proc_pid_stat(5), in ticks since the boot. */
function bornAs(id: number): Pick<Writer, "born"> {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, "utf8");
    const born = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    return born === undefined ? {} : { born };
  } catch {
    return {};
  }
}
