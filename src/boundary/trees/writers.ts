// Who writes in a location, and when: commands, edits and jobs of every Aiex process on this
// machine. What changed while a command ran is its own only where nobody else could have done it.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newId } from "#boundary/digest.ts";
import { isAlive } from "#boundary/drafts.ts";
import { parsed } from "#core/model/json.ts";

/** `paths` are those that it can have changed; null: any. Times in milliseconds since 1970. */
export type Writer = {
  title: string;
  paths: readonly string[] | null;
  process: number;
  from: number;
  to: number | null;
};

export type Writers = {
  begin(writer: Pick<Writer, "title" | "paths">): string;
  /** Ends it; answers the others that wrote while it did. */
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
  return {
    begin({ title, paths }) {
      const id = newId();
      store.put(id, { title, paths, process: process.pid, from: Date.now(), to: null });
      return id;
    },
    end(id) {
      const all = store.all();
      const own = all.get(id);
      if (!own) return [];
      const ended = { ...own, to: Date.now() };
      store.put(id, ended);
      all.set(id, ended);
      const others = [...all].filter(([other, writer]) => other !== id && overlap(writer, ended));
      prune(store, all);
      return others.map(([, writer]) => writer);
    },
  };
}

const overlap = (a: Writer, b: Writer): boolean =>
  a.from <= (b.to ?? Number.POSITIVE_INFINITY) && b.from <= (a.to ?? Number.POSITIVE_INFINITY);

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
        if (writer && (writer.to !== null || isAlive(writer.process))) writers.set(id, writer);
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
