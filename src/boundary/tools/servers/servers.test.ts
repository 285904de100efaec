// Language servers that behave badly, and how long one lives: each question ends with an answer or
// a clear failure within its bound, in a real sandbox.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { code } from "#boundary/tools/builtin/code.ts";
import { rename } from "#boundary/tools/builtin/rename.ts";
import { called } from "#boundary/tools/samples.ts";
import {
  badServer,
  endProjects,
  type Project,
  projectWith,
} from "#boundary/tools/servers/samples.ts";
import type { ServersOptions } from "#boundary/tools/servers/servers.ts";

endProjects();

const files = { "bad.toml": "", "a.bad": "one\ntwo error\n", "other.bad": "other\n" };

const badProject = (does: string, options: Partial<ServersOptions> = {}): Promise<Project> =>
  projectWith(files, {
    table: [badServer(does)],
    deadlines: { startMs: 5_000, requestMs: 5_000 },
    ...options,
  });

const ask = ({ servers, context }: Project) =>
  called(
    code(servers),
    { operation: "definition", path: "a.bad", line: 1, symbol: "one" },
    context,
  );

const late = { deadlines: { startMs: 300, requestMs: 300 } };

describe("a language server that", () => {
  it.each([
    ["says nothing at its start", "no-hello", /did not answer initialize within 0\.3 s/, late],
    ["ends at its start", "crash-at-start", /bad ended with exit code 3/, {}],
    ["greets like a person", "garbage-at-start", /sent what is no message: "Welcome/, {}],
    ["sends a head without end", "no-head", /sent what is no message/, {}],
    ["sends more than is taken", "huge-message", /a message of 99999999999 bytes, more than/, {}],
    ["sends no JSON", "no-json", /sent what is no message: "\{\{\{\{"/, {}],
    ["answers in another shape", "wrong-shape", /an answer that is not of the protocol/, {}],
    ["ends at a question", "crash", /bad ended with exit code 9/, {}],
    ["sends garbage at a question", "garbage", /sent what is no message/, {}],
    ["gives a wrong answer", "wrong-answer", /an answer that is not of the protocol/, {}],
    ["refuses", "refuse", /bad says: no such name/, {}],
    ["floods", "flood", /more than 67108864 bytes that nobody asked for/, {}],
  ])("%s ends in a clear failure", async (_, does, say, options) => {
    const project = await badProject(does, options);
    const asked = await ask(project);
    expect(asked.outcome?.failed).toBe(true);
    expect(asked.text).toMatch(say);
    expect(asked.text).toMatch(/; .*work without it/);
  });

  it("hangs at a question fails at the deadline, and is asked again", async () => {
    const project = await badProject("hang", { deadlines: { startMs: 5_000, requestMs: 200 } });
    for (const _ of [1, 2]) {
      expect((await ask(project)).text).toMatch(
        /did not answer textDocument\/definition within 0\.2 s/,
      );
    }
  });

  it("never answers is left at once when the call is called off", async () => {
    const project = await badProject("hang", { deadlines: { startMs: 5_000, requestMs: 60_000 } });
    const abort = new AbortController();
    const asked = ask({ ...project, context: { ...project.context, signal: abort.signal } });
    setTimeout(() => abort.abort(), 500);
    expect((await asked).text).toMatch(/called off|nobody waits/);
  });

  it("wants to change files itself is refused", async () => {
    const asked = await ask(await badProject("ask"));
    expect(asked.text).toBe("1 place (bad)\n/x:1");
  });

  it("ends each time is begun four times and no more", async () => {
    const project = await badProject("crash");
    for (let i = 0; i < 4; i += 1) expect((await ask(project)).text).toMatch(/exit code 9/);
    expect((await ask(project)).text).toMatch(/begun 4 times and did not last; work without it/);
  });
});

describe("a running language server", () => {
  const talkOf = async (project: Project) => {
    const found = await project.servers.forFile(project.box.root, "a.bad");
    if (!found) throw new Error("not found");
    const talk = await project.servers.talk(found, { ...project.context, opened: {} }, never);
    if (!talk.ok) throw new Error(talk.error.say);
    return talk.value;
  };
  const pidOf = async (project: Project) => {
    const talk = await talkOf(project);
    const spot = { path: "a.bad", position: { line: 0, character: 0 } };
    const said = await talk.find("definition", spot, never);
    return { talk, pid: said.ok && said.value[0]?.range.start.character };
  };
  const never = new AbortController().signal;

  it("is one for all calls, and ends with the node", async () => {
    const project = await badProject("pid");
    const [first, second] = await Promise.all([pidOf(project), pidOf(project)]);
    expect(first.talk).toBe(second.talk);
    expect(first.pid).toBe(second.pid);
    await project.servers.close();
    expect(await first.talk.ended).toMatchObject({ code: "closed" });
  });

  it("ends when nobody asks it for a while, and is begun again", async () => {
    const project = await badProject("pid", { idleMs: 20 });
    for (let i = 0; i < 6; i += 1) {
      const talk = await talkOf(project);
      expect(await talk.ended).toMatchObject({ code: "closed" });
    }
  });

  it("cannot write in the workspace", async () => {
    const touching = {
      ...badServer("pid"),
      program: "sh",
      args: ["-c", "touch made a.bad; echo x > a.bad; exit 5"],
    };
    const project = await projectWith(files, { table: [touching], path: () => ["/bin"] });
    expect((await ask(project)).text).toMatch(/ended with exit code 5/);
    expect(existsSync(join(project.box.root, "made"))).toBe(false);
    expect(readFileSync(join(project.box.root, "a.bad"), "utf8")).toBe(files["a.bad"]);
  });

  it("writes in a folder of its own in place of one that it needs", async () => {
    const script = "echo x > .own/made && exit 6; exit 5";
    const server = { ...badServer(""), program: "sh", args: ["-c", script], writes: [".own"] };
    const own = { ...files, ".own/kept": "" };
    const project = await projectWith(own, { table: [server], path: () => ["/bin"] });
    expect((await ask(project)).text).toMatch(/ended with exit code 6/);
    expect(existsSync(join(project.box.root, ".own/made"))).toBe(false);
  });
});

describe("diagnostics that are only pushed", () => {
  it("are those of the present text", async () => {
    const project = await badProject("push");
    const errors = () =>
      called(code(project.servers), { operation: "diagnostics", path: "a.bad" }, project.context);
    expect((await errors()).text).toBe(
      "a.bad: 1 errors, 0 warnings (bad)\na.bad:2:1 error: two error",
    );
    expect((await errors()).text).toContain("two error");
    project.box.put("a.bad", "all well\n");
    expect((await errors()).text).toBe("a.bad: 0 errors, 0 warnings (bad)");
  });
});

describe("a rename whose server wants", () => {
  const renamed = ({ servers, context }: Project) =>
    called(rename(servers), { path: "a.bad", line: 1, symbol: "one", to: "x" }, context);

  it.each([
    ["to change a file outside", "outside", /`\/etc\/hosts`, which is outside the workspace/],
    ["to move files", "moves", /would rename files for that, too; nothing was changed/],
    ["a place where the name is not", "stale", /`other\.bad` is not as the language server knows/],
  ])("%s is refused", async (_, does, say) => {
    const project = await badProject(does);
    expect((await renamed(project)).text).toMatch(say);
    expect(readFileSync(join(project.box.root, "other.bad"), "utf8")).toBe("other\n");
  });

  it("is not asked where it may not be run without a question", async () => {
    const project = await badProject("crash-at-start");
    const context = { ...project.context, allows: async () => null };
    expect(await renamed({ ...project, context })).toMatchObject({ code: "permission_needed" });
  });
});
