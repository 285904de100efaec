// What developers type all day is never asked about where the sandbox works, and does in it what
// it does outside: everything that is installed here is run, the rest is judged.
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { CommandEnd } from "#boundary/workspace/sandbox-port.ts";
import { groups, programsOf } from "./commands.ts";
import { type Projects, projects, value } from "./projects.ts";

/** Milliseconds that one command may take: a tool without its cache builds a library first. */
const COMMAND_MS_MAX = 300_000;

let here: Projects;
beforeAll(async () => {
  here = await projects();
});
afterAll(() => here.close());

const all = groups.flatMap(({ ecosystem, folder, commands }) =>
  commands.map((command) => ({ ecosystem, folder, command })),
);

it("holds enough of what developers type", () => {
  const programs = new Set(all.flatMap(({ command }) => programsOf(command)));
  const ecosystems = new Set(groups.map(({ ecosystem }) => ecosystem));
  console.log(`${all.length} commands, ${programs.size} programs, ${ecosystems.size} ecosystems`);
  expect(new Set(all.map(({ command }) => command)).size).toBe(all.length);
  expect(all.length).toBeGreaterThanOrEqual(200);
  expect(programs.size).toBeGreaterThanOrEqual(60);
  expect(ecosystems.size).toBeGreaterThanOrEqual(8);
});

it.each(["ask", "yes"] as const)("asks about none of them in mode %s", async (mode) => {
  expect(here.sandbox).toMatchObject({ kind: "bubblewrap" });
  const asked: string[] = [];
  for (const { command, folder } of all) {
    const { verdict } = await here.judged(command, mode, { folder });
    if (verdict.do !== "allow" || Object.keys(verdict.opens).length > 0) asked.push(command);
  }
  expect(asked).toEqual([]);
});

it("runs those that are installed as they run outside, and tracks nothing new", async () => {
  const before = here.status();
  const ran: Ran[] = [];
  // Those of one project one after the other: what is built first is used by the next.
  await Promise.all(
    [...Map.groupBy(all, ({ folder }) => folder).values()].map(async (group) => {
      for (const { command, folder } of group) {
        if (!programsOf(command).every(isInstalled) || needsFile(command)) continue;
        ran.push(await ranInside(command, folder));
      }
    }),
  );
  const failed = ran.filter(({ end }) => end.code !== 0).map(({ command }) => command);
  console.log(`${all.length} judged, ${ran.length} ran; failed inside and outside:`, failed);
  expect(ran.flatMap((one) => one.wrong ?? [])).toEqual([]);
  expect(here.status()).toBe(before);
  expect(ran.length).toBeGreaterThanOrEqual(100);
  expect(failed.length).toBeLessThanOrEqual(ran.length / 10);
}, 900_000);

type Ran = { command: string; end: CommandEnd; wrong: string | null };

/** Runs a command in the sandbox; what fails in it must fail outside too, without a network. */
async function ranInside(command: string, folder: string): Promise<Ran> {
  const before = here.status();
  const { signal } = new AbortController();
  const spec = { command, cwd: folder, timeoutMs: COMMAND_MS_MAX, opened: {} };
  const running = value(await here.sandbox.start(spec, signal));
  const chunks: Uint8Array[] = [];
  for await (const chunk of running.output) chunks.push(chunk);
  const end = await running.done;
  const said = Buffer.concat(chunks).toString().slice(-600);
  const isSame = end.code === 0 || (await codeOutside(command, join(here.root, folder))) !== 0;
  const isLike = isSame && end.ended === "exit" && end.quarantined.length === 0;
  const isClean = here.status() === before && !(end.code === 0 && end.sandboxDenied);
  const wrong = isLike && isClean ? null : `${command}: ${JSON.stringify(end)}\n${said}`;
  return { command, end, wrong };
}

/** Of a project that is not here: a path in it, or a tool that its dependencies bring. */
const needsFile = (command: string): boolean =>
  /^(\S+=\S+ )*(\.\/|vendor\/|bin\/|npx )/.test(command);

const known = new Map<string, boolean>();

/** Installed: the shell finds it, and what it finds is no stub for something that is missing. */
function isInstalled(program: string): boolean {
  const before = known.get(program);
  if (before !== undefined) return before;
  const script = `command -v -- "$0" >/dev/null || exit 127
    case "$(command -v -- "$0")" in */shims/*) "$0" --version >/dev/null 2>&1;; esac`;
  const found = spawnSync("/bin/bash", ["-c", script, program], { cwd: here.root });
  known.set(program, found.status === 0);
  return found.status === 0;
}

/** The exit code of a command on the machine as it is, without a network. */
function codeOutside(command: string, cwd: string): Promise<number | null> {
  const only = ["--dev-bind", "/", "/", "--unshare-net", "--die-with-parent", "--"];
  return new Promise((resolve, reject) => {
    const child = spawn("bwrap", [...only, "/bin/bash", "-c", command], {
      cwd,
      stdio: "ignore",
      timeout: COMMAND_MS_MAX,
    });
    child.on("error", reject);
    child.on("close", resolve);
  });
}
