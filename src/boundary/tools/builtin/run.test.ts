// What the model and the log are told of a command that may reach some hosts.
import { describe, expect, it } from "vitest";
import { job } from "#boundary/tools/builtin/job.ts";
import { endLine, factsOf } from "#boundary/tools/builtin/run.ts";
import { jobsOfNode } from "#boundary/tools/jobs.ts";
import { collected } from "#boundary/tools/output.ts";
import { called, contextOf, folderWith } from "#boundary/tools/samples.ts";
import type { CommandEnd } from "#boundary/workspace/sandbox-port.ts";
import { plainWords } from "#core/model/surface.ts";

const end: CommandEnd = {
  code: 1,
  signal: null,
  ended: "exit",
  durationMs: 5,
  quarantined: [],
  sandboxDenied: true,
};
const told = { seconds: 10, words: plainWords };
const refused = [{ host: "evil.org:443", why: "it was not among the hosts allowed" }];

describe("the end of a command", () => {
  it("says which hosts were refused, why, and how to ask for them", () => {
    const text = endLine({ ...end, hosts: { reached: ["a.org:443"], refused } }, told);
    expect(text).toContain("evil.org:443 (it was not among the hosts allowed)");
    expect(text).toContain("kind network and hosts that name it too");
    expect(text).not.toContain("the sandbox refused something");
    expect(endLine(end, told)).toContain("the sandbox refused something");
  });

  it("says which limit it ran into", () => {
    expect(endLine({ ...end, exceeded: "memory" }, told)).toContain("more memory than one command");
    expect(endLine({ ...end, exceeded: "processes" }, told)).toContain("more processes than one");
    expect(endLine(end, told)).not.toContain("than one command");
  });

  const ran = { command: "x", cwd: ".", output: collected() };
  it("is kept with the hosts it tried, and without where it tried none", () => {
    expect(factsOf(ran, { ...end, hosts: { reached: ["a.org:443"], refused } })).toContainEqual({
      type: "hostsTried",
      reached: ["a.org:443"],
      refused: ["evil.org:443"],
    });
    const none = factsOf(ran, { ...end, hosts: { reached: [], refused: [] } });
    expect(none.map(({ type }) => type)).toEqual(["commandEnded"]);
  });
});

describe("a job that ended", () => {
  it("is told with what else ran until then", async () => {
    const jobs = jobsOfNode();
    async function* nothing() {}
    const run = { output: nothing(), done: Promise.resolve(end), kill() {} };
    const what = { session: "s", command: "npm test", cwd: "." };
    const options = { mask: (text: string) => text, ended: () => ["./swap.sh"] };
    const { id, done } = jobs.start(what, run, options);
    await done;
    const context = contextOf(folderWith({}), { session: "s" });
    const followed = await called(job(jobs), { job: id, action: "follow" }, context);
    expect(followed.outcome?.facts).toContainEqual({
      type: "jobEnded",
      job: id,
      code: 1,
      besides: ["./swap.sh"],
    });
  });
});
