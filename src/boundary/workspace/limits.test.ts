// What one command may take of the machine: a real loop of processes and a real eater of memory, both
// bounded, so that a limit that fails costs this machine little.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { theOutside } from "#boundary/outside.ts";
import { type Boxed, boxed, missing } from "#boundary/workspace/boxed.ts";
import {
  findGroups,
  hold,
  keptHere,
  keptText,
  limitsHere,
  usualLimits,
} from "#boundary/workspace/limits.ts";

const MIB = 1024 ** 2;
const limits = { processes: 60, memoryBytes: 256 * MIB };
const kept = keptHere(findGroups());
let box: Boxed;

beforeAll(async () => {
  const parent = join(homedir(), ".cache");
  mkdirSync(parent, { recursive: true });
  box = await boxed("app", parent, theOutside, limits);
  // At most 150 processes, and at most 640 MiB, whatever the limits do.
  box.put(
    "fork.cjs",
    `const { spawn } = require("node:child_process");
     let began = 0, failed = 0;
     const tell = () => {
       if (began + failed === 150) { console.log(began, failed); process.kill(0, "SIGKILL"); }
     };
     for (let at = 0; at < 150; at += 1) {
       const child = spawn("sleep", ["5"]);
       child.on("spawn", () => { began += 1; tell(); });
       child.on("error", () => { failed += 1; tell(); });
     }`,
  );
  box.put(
    "eat.cjs",
    `const all = [];
     for (let at = 0; at < 40; at += 1) { all.push(Buffer.alloc(16 * 1024 * 1024, 1)); }
     console.log("ate " + all.length);`,
  );
});
afterAll(() => box.close());
beforeEach((ctx) => {
  const reason = missing(box);
  if (reason) ctx.skip(reason);
});

const node = (file: string) => `'${process.execPath}' ${file}`;

describe("a command", () => {
  it("gets no more processes than its limit", async (ctx) => {
    if (kept.processes === "none") ctx.skip("nothing here keeps processes of the root user");
    const ran = await box.run(node("fork.cjs"));
    const [began = 0, failed = 0] = ran.text.trim().split(" ").map(Number);
    expect(began + failed).toBe(150);
    expect(began).toBeLessThan(60);
    expect(began).toBeGreaterThan(10);
    if (kept.processes === "group") expect(ran.exceeded).toBe("processes");
  });

  it("gets no more memory than its limit, with all its processes together", async (ctx) => {
    if (kept.memory === "none") ctx.skip("no control group can be made here");
    expect(await box.run(node("eat.cjs"))).toMatchObject({ exceeded: "memory", code: 137 });
    const two = await box.run(
      "head -c 160M /dev/zero | tail & head -c 160M /dev/zero | tail; wait",
    );
    expect(two.exceeded).toBe("memory");
  });

  it("that stays below them ends as ever, and leaves nothing behind", async () => {
    const ran = await box.run("seq 3 | sort | wc -l");
    expect(ran).toMatchObject({ code: 0, text: "3\n" });
    expect(ran.exceeded).toBeUndefined();
    const groups = findGroups();
    const folders =
      groups === null ? [] : Object.values(groups).filter((f) => f !== groups.version);
    const left = folders.flatMap((folder) => readdirSync(String(folder)));
    expect(left.filter((name) => name.startsWith(`aiex-${process.pid}-`))).toEqual([]);
  });

  it("is the first to go when the machine's memory runs out, and cannot change that", async () => {
    const ran = await box.run(
      "cat /proc/self/oom_score_adj; echo 0 > /proc/self/oom_score_adj; cat /proc/self/oom_score_adj",
    );
    expect(ran.text.match(/^500$/gm)).toHaveLength(2);
  });
});

describe("control groups", () => {
  /** Folders as the kernel shows them; what it does is left to the tests above. */
  const mounted = (files: Record<string, string>): string => {
    const mount = mkdtempSync(join(tmpdir(), "aiex-groups-"));
    onTestFinished(() => rmSync(mount, { recursive: true }));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(mount, path, ".."), { recursive: true });
      writeFileSync(join(mount, path), text);
    }
    return mount;
  };
  const leaf = (folder: string, on: string) => ({
    [`${folder}cgroup.procs`]: "",
    [`${folder}cgroup.controllers`]: "cpu memory pids",
    [`${folder}cgroup.subtree_control`]: on,
  });

  it("of version 2 are made beside our own, where the kernel lets children have them", () => {
    const mount = mounted({ ...leaf("app/", "memory pids"), "app/own/cgroup.procs": "" });
    expect(findGroups(mount, "0::/app/own\n")).toEqual({ version: 2, both: join(mount, "app") });
  });

  it("of version 2 are asked for where they are not on", () => {
    const mount = mounted(leaf("own/", "cpu"));
    findGroups(mount, "0::/own\n");
    const asked = readFileSync(join(mount, "own/cgroup.subtree_control"), "utf8");
    expect(asked).toBe("+memory +pids");
  });

  it("of version 2 are set for a command", () => {
    const mount = mounted(leaf("", "memory pids"));
    const groups = findGroups(mount, "0::/\n");
    hold(groups, limits).take(2 ** 30);
    const [name = ""] = readdirSync(mount).filter((entry) => entry.startsWith("aiex-"));
    const text = (file: string) => readFileSync(join(mount, name, file), "utf8");
    expect([text("pids.max"), text("memory.max")]).toEqual(["60", String(256 * MIB)]);
    expect(text("cgroup.procs")).toBe(String(2 ** 30));
  });

  it("are none where the system has none, or shows them read-only", () => {
    expect(findGroups(mounted({}), "0::/own\n4:memory:/x\n8:pids:/\n")).toBeNull();
    expect(findGroups("/no/such/mount", "")).toBeNull();
  });
});

describe("what `aiex doctor` says of them", () => {
  const usual = { processes: 4_096, memoryBytes: 16 * 1024 * MIB };
  it("is what is kept, and by name what is not", () => {
    expect(keptText(usual, { processes: "group", memory: "group" })).toBe(
      "a command may have 4096 processes and 16.0 GiB of memory",
    );
    expect(keptText(usual, { processes: "process", memory: "none" })).toMatch(
      /^a command may have 4096 processes and any amount of memory/,
    );
    expect(keptText(usual, { processes: "none", memory: "none" })).toMatch(
      /^a command may have any/,
    );
    expect(limitsHere("none")).toContain("none");
  });

  it("leaves the machine a part of itself", () => {
    expect(usualLimits().processes).toBe(4_096);
    expect(usualLimits().memoryBytes).toBeGreaterThan(MIB);
  });
});
