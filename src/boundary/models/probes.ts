// What probes found, in one small file of the node's home, so that each model is probed once. A file
// that is missing, torn or of another form is an empty one: the worst that follows is a new probe.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Probed } from "#boundary/models/probe.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { fieldsOf, listOf, parsed, textAt } from "#core/model/json.ts";

/** Models kept; the one probed longest ago is forgotten first. */
const PROBES_MAX = 200;

/** Which model was probed: another build of the same name (`digest`) is another model. */
export type ProbeKey = { url: string; model: string; digest?: string };

export type ProbeStore = {
  get(key: ProbeKey): Promise<Probed | undefined>;
  /** Whole or not at all. Of two processes that write at once, one's finding may be lost. */
  put(key: ProbeKey, probed: Probed): Promise<Result<void>>;
};

/** The store in this file; usually `probes.json` in the node's home. */
export function probeStore(path: string): ProbeStore {
  return {
    async get(key) {
      const name = nameOf(key);
      return (await kept(path)).find((entry) => entry.name === name)?.probed;
    },
    async put(key, probed) {
      const name = nameOf(key);
      const others = (await kept(path)).filter((entry) => entry.name !== name);
      const probes = [...others, { name, probed }].slice(-PROBES_MAX);
      const fresh = `${path}.${randomUUID()}`;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeFile(fresh, JSON.stringify({ probes }), { mode: 0o600 });
        await rename(fresh, path);
        return ok();
      } catch (error) {
        await rm(fresh, { force: true }).catch(() => {});
        return fail("storage", `${path} cannot be written: ${(error as Error).message}`);
      }
    },
  };
}

const nameOf = ({ url, model, digest = "" }: ProbeKey): string =>
  JSON.stringify([url, model, digest]);

type Entry = { name: string; probed: Probed };

async function kept(path: string): Promise<Entry[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return listOf(fieldsOf(parsed(text)).probes).flatMap((entry) => {
    const name = textAt(fieldsOf(entry), "name");
    const { calls, say } = fieldsOf(fieldsOf(entry).probed);
    const isKnown = calls === "native" || calls === "text";
    if (name === undefined || !isKnown || typeof say !== "string") return [];
    return [{ name, probed: { calls, say } }];
  });
}
