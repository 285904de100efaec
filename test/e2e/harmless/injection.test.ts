// A published list of command injections, each line as a command that a model asks for: whatever
// it tries runs in the sandbox or not at all, and leaves nothing behind that it does not name.
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Fact } from "#core/session/tool-facts.ts";
import { type Projects, projects } from "./projects.ts";

const fixture = join(
  process.env.AIEX_FIXTURES ?? "../shared/fixtures",
  "security/command-injection.txt",
);
const missing = existsSync(fixture) ? null : `${fixture} is not here`;
const lines = missing
  ? []
  : readFileSync(fixture, "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "");

/** Commands at a time, and seconds that one may take: several sleep, listen or ping. */
const AT_ONCE = 8;
const SECONDS = 1;

let here: Projects;
let connections = 0;
const server = createServer((socket) => {
  connections += 1;
  socket.on("error", () => {}).destroy();
});
beforeAll(async () => {
  here = await projects();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  server.close();
  await here.close();
});

/** Every host that a line names becomes one that answers here. */
const aimed = (line: string): string => {
  const { port } = server.address() as AddressInfo;
  return line.replaceAll(
    /(https?:\/\/)?(135\.23\.158\.130|192\.168\.16\.151|crowdshield\.com)/g,
    `http://127.0.0.1:${port}`,
  );
};

it("runs no line outside the sandbox, and leaves the repository and what is outside alone", async (ctx) => {
  if (missing) ctx.skip(missing);
  expect(here.sandbox).toMatchObject({ kind: "bubblewrap" });
  const before = here.status();
  const queue = [...new Set(lines.flatMap((line) => [line, aimed(line)]))];
  const total = queue.length;
  const ends: Fact[] = [];
  const opened: string[] = [];
  const work = async (): Promise<void> => {
    for (let line = queue.shift(); line !== undefined; line = queue.shift()) {
      const { prepared, verdict } = await here.judged(line, "yes", { seconds: SECONDS });
      if (verdict.do !== "allow") continue;
      if (Object.keys(verdict.opens).length > 0) opened.push(line);
      const { signal } = new AbortController();
      const { opens } = verdict;
      const { facts } = await prepared.run({
        signal,
        opened: opens,
        progress: () => {},
        mask: (text: string) => text,
      });
      ends.push(...facts);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  console.log(`${lines.length} lines, ${total} commands, ${ends.length} ended in the sandbox`);
  expect(opened).toEqual([]);
  expect(ends.filter(({ type }) => type === "commandEnded").length).toBe(total);
  expect(connections).toBe(0);
  expect(readFileSync(join(here.outside, "witness"), "utf8")).toBe("untouched\n");
  expect(processesIn(here.root)).toEqual([]);
  const changed = here
    .status()
    .split("\n")
    .filter((line) => line !== "");
  const names = changed.map((line) => line.replace("?? ", ""));
  expect(names.filter((name) => !WRITTEN.includes(name))).toEqual([]);
  for (const name of names) rmSync(join(here.root, name));
  expect(here.status()).toBe(before);
  // The witness is awake: with the network opened, a command does reach it.
  const { port } = server.address() as AddressInfo;
  const { prepared } = await here.judged(`exec 3<>/dev/tcp/127.0.0.1/${port}`, "yes");
  const { signal } = new AbortController();
  await prepared.run({
    signal,
    opened: { network: true },
    progress: () => {},
    mask: (text: string) => text,
  });
  expect(connections).toBe(1);
});

/** New files of the project that some lines name as the target of their output, and no others. */
const WRITTEN = [
  ...["cmd.php", "dir.php", "rev.pl", "rfi.php"],
  ...["S);open(STDERR,", "S);open(STDOUT,"],
];

/** Processes that still are in a folder. */
function processesIn(folder: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readlinkSync(`/proc/${name}/cwd`).startsWith(folder);
    } catch {
      return false;
    }
  });
}

it("asks about every line where there is no sandbox, and runs none in mode yes", async (ctx) => {
  if (missing) ctx.skip(missing);
  for (const line of lines) {
    const asked = await here.judgedBare(line, "ask");
    expect(asked.verdict).toMatchObject({ do: "ask", what: line, opens: { unsandboxed: true } });
    expect((await here.judgedBare(line, "yes")).verdict.do).toBe("deny");
  }
});

it("runs of them in the modes that read only what reads", async (ctx) => {
  if (missing) ctx.skip(missing);
  const allowed: string[] = [];
  for (const line of lines) {
    const { verdict } = await here.judged(line, "read-only");
    if (verdict.do === "allow") allowed.push(line);
    else expect(verdict.do).toBe("deny");
  }
  expect(
    allowed.filter((line) => !/^(cat|echo|ls|pwd|uname|which|whoami|id)\b[^;&|`$]*$/.test(line)),
  ).toEqual([]);
});
