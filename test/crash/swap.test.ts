// Files, links and folders that take each other's place, with a kill or a failure at each of the
// system's calls on the way (strace): every path is what it was or what it should be, or is there
// once whoever comes next went on; and nothing else is left behind.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { objectOf } from "#boundary/trees/objects.ts";
import { listing } from "#boundary/trees/samples.ts";
import type { PathChange } from "#core/tree/entry.ts";

const hasTrace = spawnSync("strace", ["-e", "trace=none", "true"]).status === 0;
const noTrace = "strace is not installed, or may not trace here";
const program = join(import.meta.dirname, "swapping.ts");

const base = mkdtempSync(join(tmpdir(), "aiex-swap-"));
const contents = ["old", "new", "to-old", "to-new"];
const file = (text: string) => `100644 ${objectOf("blob", Buffer.from(text)).id}`;
const link = (text: string) => `120000 ${objectOf("blob", Buffer.from(text)).id}`;
const folder = "040000";

const kinds = { file, link, folder: () => folder };
type Kind = keyof typeof kinds;
const pairs = (["file", "link", "folder"] as const).flatMap((from) =>
  (["file", "link", "folder"] as const).flatMap((to) =>
    from === to && from !== "link" ? [] : [{ from, to, path: `${from}-to-${to}` }],
  ),
);
const changes: PathChange[] = pairs.map(({ from, to, path }) => ({
  path,
  before: kinds[from](from === "link" ? "to-old" : "old"),
  after: kinds[to](to === "link" ? "to-new" : "new"),
}));

function put(root: string, path: string, kind: Kind, age: "old" | "new"): void {
  const real = join(root, path);
  if (kind === "folder") mkdirSync(real);
  else if (kind === "file") writeFileSync(real, age);
  else symlinkSync(`to-${age}`, real);
}

function given(age: "old" | "new"): string {
  const root = mkdtempSync(join(base, "work-"));
  for (const { from, to, path } of pairs) put(root, path, age === "old" ? from : to, age);
  return root;
}

afterAll(() => rmSync(base, { recursive: true, force: true }));

const lines = (root: string) => listing(root).sort();
const linesOf = (age: "old" | "new") => new Map(lines(given(age)).map((one) => [nameOf(one), one]));
const nameOf = (line: string) => line.split(/[ /]/)[0] ?? "";

const calls = ["link", "symlink", "rename", "unlink", "mkdir", "rmdir"];
const trace = join(base, "trace");

const asked = (root: string) => [program, root, JSON.stringify({ changes, contents })];
const run = (root: string) => spawnSync(process.execPath, asked(root), { encoding: "utf8" });

function traced(root: string, inject: readonly string[]) {
  const args = ["-f", "-o", trace, "-e", `trace=${calls.join(",")}`, ...inject];
  return spawnSync("strace", [...args, process.execPath, ...asked(root)], { encoding: "utf8" });
}

/** How often one run makes each call. */
function counts(): [call: string, count: number][] {
  expect(traced(given("old"), [])).toMatchObject({ status: 0 });
  const rows = readFileSync(trace, "utf8").split("\n");
  return calls.map((call) => [call, rows.filter((row) => row.includes(` ${call}(`)).length]);
}

const [old, fresh] = [linesOf("old"), linesOf("new")];

/** What is wrong right after a fault. */
function halfway(root: string, mayMiss: boolean): string[] {
  const now = new Map(lines(root).map((one) => [nameOf(one), one]));
  return pairs.flatMap(({ path, from, to }) => {
    const is = now.get(path);
    if (is === old.get(path) || is === fresh.get(path)) return [];
    // Between a folder and what is none there is a moment with neither, but for what waits aside.
    const mayWait = mayMiss && (from === "folder") !== (to === "folder");
    return is === undefined && mayWait ? [] : [`${path} is ${is}`];
  });
}

/** What is wrong once whoever comes next went on. A draft of the killed is nobody's. */
function atLast(root: string): string[] {
  const next = run(root);
  const now = lines(root).filter((line) => !/^\.aiex-[0-9a-f]{20}\.tmp/.test(line));
  const isWhole = next.status === 0 && now.join() === [...fresh.values()].join();
  return isWhole ? [] : [`then ${now.join(", ")} ${next.stderr}`];
}

/** What is wrong with a fault at the n-th of a call. */
function faultAt(call: string, fault: string, n: number): string[] {
  const isKill = fault.startsWith("signal");
  const root = given("old");
  const ended = traced(root, ["-e", `inject=${call}:${fault}:when=${n}`]);
  const unfit = !isKill && ended.status !== 0 ? [ended.stderr] : [];
  const wrong = [...unfit, ...halfway(root, isKill), ...atLast(root)];
  rmSync(root, { recursive: true });
  return wrong.map((one) => `${fault} at ${call} ${n}: ${one}`);
}

describe("things that take each other's place", () => {
  it.for([["a kill", "signal=SIGKILL"] as const, ["a failure", "error=EIO"] as const])(
    "are whole after %s at any call, and once it was gone on",
    { timeout: 600_000 },
    ([how, fault], ctx) => {
      if (!hasTrace) ctx.skip(noTrace);
      const cases = counts().flatMap(([call, count]) =>
        Array.from({ length: count }, (_, i) => ({ call, n: i + 1 })),
      );
      expect(cases.length).toBeGreaterThan(20);
      expect(cases.flatMap(({ call, n }) => faultAt(call, fault, n))).toEqual([]);
      console.log(`swap: ${cases.length} times ${how}`);
    },
  );
});
