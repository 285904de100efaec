// Indexing real source with two threads, against parsing it alone in the same run; the memory that it
// takes; and how long a saved file takes to be found. `--folder F` indexes another folder.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Compared, median, outputOf } from "./measure.ts";

/** Debian's `golang-1.19-src`: 80 MB of Go. */
const SOURCES = "/usr/share/go-1.19/src";
/** Folders of it that make about a tenth. */
const PART = ["net", "encoding", "go", "text", "os"];
/** Indexing may take so many times what parsing alone takes: 0.4 of its speed. */
const TIMES_MAX = 1 / 0.4;
const MEMORY_MIB_MAX = 400;
/** What memory may grow by when the source grows tenfold. */
const GROWTH_MAX = 1.5;
const SAVE_MS_MAX = 50;

export async function index(): Promise<Compared[]> {
  const at = process.argv.indexOf("--folder");
  const folder = at < 0 ? SOURCES : (process.argv[at + 1] ?? "");
  if (!existsSync(folder)) throw new Error(`${folder} is absent: apt-get install golang-1.19-src`);
  const base = mkdtempSync(join(tmpdir(), "aiex-bench-index-"));
  try {
    const root = join(base, "files");
    cpSync(folder, root, { recursive: true });
    const floor = await run("parse", root, "");
    const ours = await run("index", root, join(base, "index.db"));
    const speed = (one: { ms: number; bytes: number }) => one.bytes / 1e3 / one.ms;
    const rows: Compared[] = [
      {
        what: `indexing ${(ours.bytes / 1e6).toFixed(0)} MB with two threads, against parsing alone`,
        ours: speed(ours),
        floor: speed(floor),
        unit: "MB/s",
        ratio: ours.ms / floor.ms,
        limit: TIMES_MAX,
      },
      row("peak memory, against its bound", ours.peakMiB, MEMORY_MIB_MAX, "MiB", 1),
    ];
    if (at < 0) rows.push(await growth(base, folder, ours.peakMiB));
    const saves = await run("save", root, join(base, "index.db"));
    const found = median(saves.times ?? []);
    rows.push(row("a saved file is found, against its bound", found, SAVE_MS_MAX, "ms", 1));
    return rows;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

async function growth(base: string, folder: string, whole: number): Promise<Compared> {
  const small = join(base, "part");
  mkdirSync(small);
  for (const name of PART) cpSync(join(folder, name), join(small, name), { recursive: true });
  const { peakMiB, bytes } = await run("index", small, join(base, "part.db"));
  const what = `peak memory, against that for ${(bytes / 1e6).toFixed(0)} MB`;
  return row(what, whole, peakMiB, "MiB", GROWTH_MAX);
}

const row = (what: string, ours: number, floor: number, unit: string, limit: number): Compared => ({
  ...{ what, ours, floor, unit, limit },
  ratio: ours / floor,
});

type Measured = { ms: number; bytes: number; times?: number[] };

async function run(mode: string, root: string, file: string) {
  const args = [join(import.meta.dirname, "index-run.ts"), mode, root, file];
  const { output, peakMiB } = await outputOf({ command: process.execPath, args });
  return { ...(JSON.parse(output) as Measured), peakMiB };
}
