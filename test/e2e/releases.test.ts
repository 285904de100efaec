// Homes as earlier releases left them (test/releases; before the first release: as earlier versions
// did): what was said is read as it was said, views are made anew, open turns go on, undo works, and
// what was erased stays so.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { linesOf, main } from "./aiex.ts";

const kept = join(import.meta.dirname, "..", "releases");
const releases = readdirSync(kept).filter((name) => name.endsWith(".tar.gz"));
/** Where each was made: the sessions in them name it as their place. */
const root = "/tmp/aiex-release";
const home = join(root, "home");
const folder = join(root, "work");

type Ran = { code: number | null; out: string; err: string };

function aiex(...args: string[]): Promise<Ran> {
  const env = { PATH: process.env.PATH, HOME: root, AIEX_HOME: home, AIEX_PROBE: "never" };
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, env });
  child.stdin.end();
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, err })));
}

const said = (name: string) => linesOf(readFileSync(join(root, "said", name), "utf8"));
const listed = async () => linesOf((await aiex("session", "list", "--json")).out);
const sessionOf = (title: string): string =>
  String(said("list.jsonl").find((row) => row.title === title)?.session);

/** Every event of a session, as the command line tells it. */
async function shown(session: string): Promise<Record<string, unknown>[]> {
  const all = await aiex("session", "show", session, "--json", "--last", "1000");
  return linesOf(all.out).filter(({ type }) => type !== "standing");
}

describe.each(releases)("the home of %s", (release) => {
  beforeAll(() => {
    rmSync(root, { recursive: true, force: true });
    execFileSync("mkdir", ["-p", root]);
    execFileSync("tar", ["-xzf", join(kept, release), "-C", root]);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("opens with every session as it was, and its log verifies", async () => {
    const rows = await listed();
    expect(rows).toHaveLength(said("list.jsonl").length);
    expect(rows).toEqual(said("list.jsonl").map((row) => expect.objectContaining(row)));
    expect((await aiex("audit", "verify")).code).toBe(0);
    const usage = linesOf((await aiex("usage", "--json")).out);
    expect(usage).toEqual(said("usage.jsonl"));
  });

  it("tells each session, event for event, as that release told it", async () => {
    for (const { session } of said("list.jsonl")) {
      const before = said(`${session}.jsonl`).filter(({ type }) => type !== "standing");
      const now = await shown(String(session));
      expect(now).toHaveLength(before.length);
      for (const [i, line] of before.entries()) expect(now[i]).toMatchObject(line);
    }
  });

  it("has the same state from its views and snapshots as from its records alone", async () => {
    const states = async () =>
      Promise.all([listed(), ...said("list.jsonl").map(({ session }) => shown(String(session)))]);
    const before = await states();
    const db = new DatabaseSync(join(home, "log.db"));
    db.exec("DELETE FROM snapshots");
    db.close();
    expect((await aiex("views", "rebuild")).code).toBe(0);
    expect(await states()).toEqual(before);
  });

  it("goes on with the turn that a killed process left", async () => {
    const model = { answers: [{ text: "Said at last." }] };
    writeFileSync(join(root, "cut.json"), JSON.stringify(model));
    const gone = await aiex("ask", "--session", sessionOf("cut"));
    expect([gone.code, gone.out]).toEqual([0, "Said at last.\n"]);
  });

  it("still has the question that nobody answered, bound to what it was for", async () => {
    const session = sessionOf("look");
    const asked = await aiex("ask", "--session", session);
    expect(asked.code).toBe(3);
    const allow = /--allow (\S+)/.exec(asked.err)?.[1] ?? "";
    const allowed = await aiex("ask", "--session", session, "--allow", allow);
    expect([allowed.code, allowed.out]).toEqual([0, "Looked.\n"]);
    expect(readFileSync(join(folder, "out.txt"), "utf8")).toBe("out\n");
  });

  it("takes back what a turn of then changed, and has the files of then", async () => {
    const session = String(
      said("list.jsonl").find(({ title, turns }) => title === "fix sum" && turns === 2)?.session,
    );
    const second = join(folder, "second.txt");
    expect(readFileSync(second, "utf8")).toBe("second\n");
    expect((await aiex("undo", session)).code).toBe(0);
    expect(existsSync(second)).toBe(false);
    expect((await aiex("undo", session)).code).toBe(0);
    expect(readFileSync(join(folder, "sum.js"), "utf8")).toContain("a - b");
    expect((await aiex("checkpoint", "restore", "v1", "--apply")).code).toBe(0);
    expect(readFileSync(join(folder, "sum.js"), "utf8")).toContain("a + b");
    expect(readFileSync(second, "utf8")).toBe("second\n");
  });

  it("keeps what was erased erased", async () => {
    expect(readFileSync(join(home, "log.db")).includes("canary")).toBe(false);
    expect(JSON.stringify(await listed())).not.toContain("canary");
  });
});
