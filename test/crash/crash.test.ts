// The runner is killed (SIGKILL, a real process) at every moment of a turn with a tool of each
// effect class. Afterwards nothing is lost, nothing ran twice that must not, no request was
// malformed. The log is read by an independent reader: raw SQL, its own hashing.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StrictStub, startStrictStub } from "../peers/strict.ts";

const root = mkdtempSync(join(tmpdir(), "aiex-crash-"));
const brain = join(import.meta.dirname, "brain.ts");
let stub: StrictStub;

const script = {
  answers: [
    { text: "I look.", calls: [{ tool: "read", input: { path: "a.txt" } }] },
    {
      calls: [
        { tool: "edit", input: { path: "a.txt", edits: [{ old: "before", new: "after" }] } },
        { tool: "run", input: { command: "echo ran >> ran.txt" } },
        { tool: "pay", input: { key: "k1" } },
      ],
    },
    { text: "Done." },
  ],
};

beforeAll(async () => {
  stub = await startStrictStub({ script });
});
afterAll(async () => {
  await stub.close();
  rmSync(root, { recursive: true, force: true });
});

type World = { folder: string; home: string; marks: string };

/** Runs the brain to its end, or to its death. */
function run(world: World, env: Record<string, string> = {}) {
  return new Promise<{ code: number | null; signal: string | null; out: string; err: string }>(
    (resolve) => {
      const child = spawn(process.execPath, [brain], {
        cwd: dirname(import.meta.dirname),
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          PATH: process.env.PATH,
          HOME: root,
          NODE_COMPILE_CACHE: join(root, "compiled"),
          AIEX_HOME: world.home,
          FOLDER: world.folder,
          MARKS: world.marks,
          OPENAI_BASE_URL: stub.url,
          OPENAI_API_KEY: "k",
          AIEX_MODEL: "openai/stub",
          ...env,
        },
      });
      let out = "";
      let err = "";
      child.stdout.on("data", (chunk: Buffer) => (out += chunk));
      child.stderr.on("data", (chunk: Buffer) => (err += chunk));
      child.on("close", (code, signal) => resolve({ code, signal, out: out.trim(), err }));
    },
  );
}

function newWorld(name: string): World {
  const folder = join(root, name, "work");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "a.txt"), "before\n");
  return { folder, home: join(root, name, "home"), marks: join(root, name, "marks") };
}

type Row = Record<string, string | number | null> & { type: string; body: string };

/** The raw log of the session, its chain checked by hashing of our own. */
function rawLog(
  { home }: World,
  session: string,
): { type: string; body: Record<string, unknown> }[] {
  const db = new DatabaseSync(join(home, "log.db"), { readOnly: true });
  const sql = "SELECT *, CAST(body AS TEXT) AS body FROM records WHERE stream = ? ORDER BY version";
  const rows = db.prepare(sql).all(session) as Row[];
  db.close();
  const sha = (text: string) => createHash("sha256").update(text).digest("hex");
  let prev = "";
  for (const [i, r] of rows.entries()) {
    expect([r.version, r.prev]).toEqual([i + 1, prev]);
    expect(r.bodyHash).toBe(sha(`${r.salt}\n${r.body}`));
    const { stream, version, id, type, schema, at, actor, node, epoch, cause, correlation } = r;
    const header = [stream, version, id, type, schema, at, actor, node, epoch, cause, correlation];
    expect(r.hash).toBe(sha(JSON.stringify(["aiex-record-1", ...header, r.bodyHash, prev])));
    prev = String(r.hash);
  }
  return rows.map(({ type, body }) => ({ type, body: JSON.parse(body) }));
}

function expectSound(world: World, out: string): void {
  const log = rawLog(world, JSON.parse(out).session);
  const count = (type: string, match: (body: Record<string, unknown>) => boolean) =>
    log.filter((record) => record.type === type && match(record.body)).length;
  const calls = log.flatMap(({ type, body }) =>
    type === "StepCompleted" ? (body.parts as { type: string; id: string }[]) : [],
  );
  for (const { id } of calls.filter((part) => part.type === "call")) {
    expect([id, count("ToolFinished", (body) => body.callId === id)]).toEqual([id, 1]);
    const opaque = (body: Record<string, unknown>) =>
      body.callId === id && body.effect === "opaque";
    expect(count("ToolStarted", opaque)).toBeLessThanOrEqual(1);
  }
  expect(log.at(-1)).toMatchObject({ type: "TurnEnded", body: { end: "done" } });
  const linesOf = (file: string) =>
    existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
  expect(linesOf(join(world.folder, "ran.txt")).length).toBeLessThanOrEqual(1);
  expect(linesOf(world.marks)).toEqual(["paid k1"]);
  expect(readFileSync(join(world.folder, "a.txt"), "utf8")).toBe("after\n");
}

describe("a runner that is killed", () => {
  it("at no moment of a turn loses anything, or does anything twice", async () => {
    const whole = newWorld("whole");
    const undisturbed = await run(whole);
    expect([undisturbed.code, undisturbed.err]).toEqual([0, ""]);
    expectSound(whole, undisturbed.out);
    const { moments } = JSON.parse(undisturbed.out);
    expect(moments).toBeGreaterThan(50);

    const dieAt = async (n: number): Promise<void> => {
      const world = newWorld(`die-${n}`);
      const died = await run(world, { DIE_AT: String(n) });
      expect([n, died.signal]).toEqual([n, "SIGKILL"]);
      const again = await run(world);
      expect([n, again.code, again.err]).toEqual([n, 0, ""]);
      expectSound(world, again.out);
      rmSync(dirname(world.folder), { recursive: true, force: true });
    };
    // The kinds of moments are mixed, so two lanes of odd and even ones share the two cores.
    const lane = async (first: number) => {
      for (let n = first; n <= moments; n += 2) await dieAt(n);
    };
    await Promise.all([lane(1), lane(2)]);
    expect(stub.malformed()).toEqual([]);
    console.log(`killed at ${moments} of ${moments} moments`);
  }, 600_000);
});
