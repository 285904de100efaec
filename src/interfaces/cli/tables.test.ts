// What the tables of `models` and `usage` say where they have little to show, over a door that is
// played by the test.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Answers, App, ModelRow, Query } from "#app";
import { ok } from "#core/failure.ts";
import { commandLine } from "#interfaces/cli/cli.ts";
import { interruptsTo } from "#interfaces/cli/interrupts.ts";
import type { Streams } from "#interfaces/cli/terminal.ts";

const DAY_MS = 86_400_000;
const NOW = 100 * DAY_MS;

/** Runs a command over a door that answers what it is asked with these. */
async function run(answers: Partial<Answers>, ...argv: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "aiex-tables-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  let [out, err] = ["", ""];
  const app = {
    read: async ({ type }: Query) =>
      ok(type === "Location" ? { trusted: false, project: null } : answers[type]),
    close: async () => {},
  } as unknown as App;
  const streams: Streams = {
    stdin: process.stdin,
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  };
  const line = commandLine({
    streams,
    env: { HOME: folder, AIEX_HOME: join(folder, "home") },
    folder,
    version: "0",
    now: () => NOW,
    interrupts: interruptsTo(() => {}),
    start: async () => ok(app),
  });
  return { code: await line.run(argv), out, err };
}

const long = "a-route-with-a-name-longer-than-any-model";
const routes = ["fast", long].map((name) => ({
  name,
  models: ["own/m"],
  strategy: "local_affinity",
}));
const lines = `${"fast".padEnd(long.length)}  local_affinity: own/m
${long}  local_affinity: own/m
`;

it("routes stand in the column of names, which is as wide as the longest of them", async () => {
  const row: ModelRow = {
    name: "own/m",
    by: "own",
    ways: [],
    why: "no key",
    facts: {},
    sources: {},
  };
  const { out } = await run({ Models: { models: [row], routes, looked: [] } }, "models");
  expect(out).toBe(
    `${"own/m".padEnd(long.length)}  window and price not known  cannot be asked: no key\n${lines}`,
  );
});

it("routes are shown also where no model is in reach", async () => {
  const looked = [{ where: "Ollama", outcome: "nothing answers there" }];
  const { out } = await run({ Models: { models: [], routes, looked } }, "models");
  expect(out).toBe(`No model is in reach.\n  Ollama: nothing answers there\n${lines}`);
});

it("days without a call are told from a log without one, and no day at all is refused", async () => {
  const old = { session: "s", model: "own/m", day: 90, calls: 1, input: 5, output: 5 };
  const nothing = "No model was asked anything";
  expect((await run({ View: [] }, "usage", "--days", "7")).out).toBe(`${nothing} yet.\n`);
  expect((await run({ View: [old] }, "usage", "--days", "7")).out).toBe(
    `${nothing} in these days.\n`,
  );
  // Of day 100, the days 90 to 100 are the last eleven.
  expect((await run({ View: [old] }, "usage", "--days", "11")).out).toMatch(/^s +1 /m);
  const none = await run({ View: [old] }, "usage", "--days", "0");
  expect([none.code, none.out]).toEqual([2, ""]);
  expect(none.err).toContain("--days 1 is today");
});
