// A disk that fails (EIO) or is full (ENOSPC) at each sync and at writes of the log, in `aiex ask`:
// the store stops at once and nothing is tried again, the exit says so, and the next start goes on
// with all that was acknowledged. The faults are injected into the system's calls (strace).
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rawLog } from "./reader.ts";
import { Scene } from "./world.ts";

const hasTrace = spawnSync("strace", ["-e", "trace=none", "true"]).status === 0;
const noTrace = "strace is not installed, or may not trace here";
/** Of the writes every so manieth is tried. */
const STRIDE = Math.max(1, Math.round(8 / Number(process.env.AIEX_CRASH_SEEDS ?? "1")));

const scene = new Scene();
const [folder, home, fresh] = ["work", "home", "fresh"].map((name) => join(scene.root, name));

type Ended = { code: number | null; said: string };

function run(program: string, args: readonly string[]): Promise<Ended> {
  const env = {
    PATH: process.env.PATH,
    HOME: scene.root,
    AIEX_HOME: home,
    AIEX_PROBE: "never",
    AIEX_MODEL: `scripted/${join(scene.root, "model.json")}`,
    NODE_COMPILE_CACHE: join(scene.root, "compiled"),
  };
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    }
    child.on("close", (code) => resolve({ code, said }));
  });
}

const aiex = (...args: string[]) => run(process.execPath, [scene.main, ...args]);

const trace = join(scene.root, "trace");
const logs = ["log.db", "log.db-wal"].flatMap((name) => ["-P", join(home as string, name)]);
const calls = "trace=fsync,fdatasync,pwrite64";

/** `aiex ask` with a fault at one of its calls; the lines of what it asked of the log's files. */
async function askWith(inject: string[]): Promise<Ended & { lines: string[] }> {
  rmSync(home as string, { recursive: true, force: true });
  cpSync(fresh as string, home as string, { recursive: true });
  const args = ["-f", "-y", ...logs, "-e", calls, ...inject, "-o", trace];
  const ended = await run("strace", [...args, process.execPath, scene.main, "ask", "hi"]);
  const lines = readFileSync(trace, "utf8").split("\n");
  return { ...ended, lines: lines.filter((line) => /sync\(|pwrite64\(/.test(line)) };
}

beforeAll(async () => {
  await scene.prepare();
  mkdirSync(folder as string);
  const answers = [{ text: "I look.", calls: [{ tool: "list", input: {} }] }, { text: "Done." }];
  writeFileSync(join(scene.root, "model.json"), JSON.stringify({ answers }));
  expect(await aiex("trust")).toMatchObject({ code: 0 });
  cpSync(home as string, fresh as string, { recursive: true });
});
afterAll(() => scene.close());

/** What is wrong with how it ended, and with how it was gone on with. */
async function faultsAt(kind: string, error: string, n: number): Promise<string[]> {
  const at = `${kind} ${n} ${error}`;
  const wrong: string[] = [];
  const { code, said, lines } = await askWith(["-e", `inject=${kind}:error=${error}:when=${n}`]);
  const hit = lines.findIndex((line) => line.includes("(INJECTED)"));
  if (hit < 0) return [`${at}: not reached`];
  const again = lines.slice(hit + 1).filter((line) => line.includes("sync("));
  if (again.length > 0) wrong.push(`${at}: synced again: ${again[0]}`);
  const before = rawLog(home as string, wrong);
  const isOver = before.some(({ type }) => type === "TurnEnded");
  if (code !== 74 && !(isOver && code === 0)) wrong.push(`${at}: code ${code}, ${said}`);
  if (code === 74 && !/(disk|room|space)/.test(said)) wrong.push(`${at}: it said ${said}`);
  const begun = before.some(({ type }) => type === "TurnStarted");
  const next = isOver || !begun ? await aiex("ask", "hi") : await aiex("ask", "--continue");
  if (next.code !== 0 || !next.said.includes("Done.")) wrong.push(`${at}: then ${next.said}`);
  const after = rawLog(home as string, wrong);
  if (after.length <= before.length) wrong.push(`${at}: nothing was appended`);
  const verified = await aiex("audit", "verify");
  if (verified.code !== 0) wrong.push(`${at}: ${verified.said}`);
  return wrong;
}

describe("a disk that fails under the log", () => {
  it("at any sync, or is full at a write, stops the store and loses nothing", async (ctx) => {
    if (!hasTrace) ctx.skip(noTrace);
    const whole = await askWith([]);
    expect(whole).toMatchObject({ code: 0 });
    const count = (call: string) => whole.lines.filter((line) => line.includes(call)).length;
    const [syncs, writes] = [count("sync("), count("pwrite64(")];
    expect(syncs).toBeGreaterThan(8);
    const wrong: string[] = [];
    let cases = 0;
    for (let n = 1; n <= syncs; n += 1) {
      wrong.push(...(await faultsAt("fsync", "EIO", n)));
      cases += 1;
    }
    for (let n = 1; n <= writes; n += STRIDE) {
      wrong.push(...(await faultsAt("pwrite64", n % 2 === 0 ? "EIO" : "ENOSPC", n)));
      cases += 1;
    }
    expect(wrong).toEqual([]);
    console.log(`faults: ${cases} at ${syncs} syncs and ${writes} writes of the log, nothing lost`);
  }, 600_000);
});

describe("a disk that is slow under the log", () => {
  it.for([
    ["50 ms for each sync", "delay_enter=50000"],
    ["half a second for each sync", "delay_enter=500000"],
    ["five seconds for one", "delay_enter=5000000:when=4"],
  ])("takes %s, and the turn ends as on any other", async ([, delay], ctx) => {
    if (!hasTrace) ctx.skip(noTrace);
    const { code, said } = await askWith(["-e", `inject=fsync,fdatasync:${delay}`]);
    expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining("Done.") });
    const wrong: string[] = [];
    const log = rawLog(home as string, wrong);
    expect(wrong).toEqual([]);
    expect(log.filter(({ type }) => type === "TurnEnded")).toHaveLength(1);
    expect((await aiex("audit", "verify")).code).toBe(0);
  });
});
