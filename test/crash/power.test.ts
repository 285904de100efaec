// A power cut at each sync of a turn: what was not synced is lost (disk.ts says in which readings,
// and the limits). One run is traced; for each cut the disk is made as it was, and the program goes
// on from there. Nothing that it had acknowledged may be missing, nothing happens twice.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomFrom } from "../hostile/random.ts";
import { type StrictStub, startStrictStub } from "../peers/strict.ts";
import { Disk, type Op, opsIn, type Reading, TRACED } from "./disk.ts";
import { faultsIn } from "./reader.ts";
import { Scene, type World } from "./world.ts";

const hasTrace = spawnSync("strace", ["-e", "trace=none", "true"]).status === 0;
const noTrace = "strace is not installed, or may not trace here";
/** Cuts of each reading; all of them with more seeds. */
const CUTS = 30 * Number(process.env.AIEX_CRASH_SEEDS ?? "1");
const SEED = Number(process.env.AIEX_CRASH_SEED ?? Date.now() % 1_000_000);

const scene = new Scene();
let stub: StrictStub;

const script = {
  answers: [
    { text: "I look.", calls: [{ tool: "read", input: { path: "a.txt" } }] },
    {
      calls: [
        { tool: "edit", input: { path: "a.txt", edits: [{ old: "before", new: "after" }] } },
        { tool: "write", input: { path: "c.txt", content: "new\n" } },
        { tool: "pay", input: { key: "k1" } },
        { tool: "run", input: { command: "echo hello" } },
      ],
    },
    { text: "Done." },
    { text: "Still here." },
  ],
};

beforeAll(async () => {
  await scene.prepare();
  stub = await startStrictStub({ script });
});
afterAll(async () => {
  await stub.close();
  if (!process.env.KEEP) scene.close();
});

/** One undisturbed run, traced, in a world that is as it was before it. */
async function traced(): Promise<{ world: World; ops: Op[] }> {
  const env = { OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "k", AIEX_MODEL: "openai/stub" };
  const world = scene.world("power", { env, rules: [], does: "turn" });
  const file = join(scene.root, "trace");
  const flags = ["-f", "-y", "-xx", "-s", "16777216", "--seccomp-bpf", "-e", `trace=${TRACED}`];
  const acked = { ACKED: join(world.outside, "acked"), UV_USE_IO_URING: "0" };
  const ran = await scene.run([world], acked, ["strace", ...flags, "-o", file]);
  expect({ code: ran.code, failed: ran.lived[0]?.failed }).toEqual({ code: 0 });
  const ops = opsIn(readFileSync(file, "latin1"));
  rmSync(dirname(world.folder), { recursive: true });
  scene.world("power", { env, rules: [], does: "turn" });
  return { world, ops };
}

/** A world for each cut: the disk after so many of the things that were done. */
function cutAt(world: World, ops: readonly Op[], reading: Reading): World[] {
  const place = dirname(world.folder);
  const random = randomFrom(SEED).unit;
  const syncs = ops.flatMap(({ do: what }, i) => (what === "sync" ? [i] : []));
  const wanted = new Set(syncs.toSorted((a, b) => hash(a) - hash(b)).slice(0, CUTS));
  function hash(n: number): number {
    return randomFrom(SEED + n).unit();
  }
  const disk = new Disk(place, reading, world.outside);
  const worlds: World[] = [];
  ops.forEach((op, i) => {
    // Just before a sync: as much as can be is unsynced.
    if (wanted.has(i)) {
      const from = join(scene.root, `${reading}-${i}`);
      mkdirSync(from);
      disk.restore(from, random);
      worlds.push({ ...world, name: `${reading}-${i}`, from, andMore: "prompt" });
    }
    disk.apply(op);
  });
  return worlds;
}

describe("a power cut", () => {
  it("at no sync of a turn takes anything that was acknowledged", async (ctx) => {
    if (!hasTrace) ctx.skip(noTrace);
    const { world, ops } = await traced();
    const readings = ["strict", "ordered", "torn"] as const;
    const worlds = readings.flatMap((reading) => cutAt(world, ops, reading));
    const { lived, err } = await scene.run(worlds);
    expect(err).toBe("");
    const wrong: string[] = [];
    worlds.forEach((one, i) => {
      const { session = "", failed } = lived[i] ?? {};
      const place = one.from ?? "";
      const there = {
        ...one,
        folder: join(place, "work"),
        home: join(place, "home"),
        outside: join(place, "outside"),
      };
      const faults = failed ? [failed] : Object.values(faultsIn(there, session)).flat();
      wrong.push(...faults.map((fault) => `${one.name}: ${fault}`));
    });
    expect(wrong, `seed ${SEED}`).toEqual([]);
    expect(stub.malformed()).toEqual([]);
    const syncs = ops.filter((op) => op.do === "sync").length;
    console.log(`power cut: ${worlds.length} cuts at ${syncs} syncs, nothing lost`);
  }, 600_000);
});
