// Children as a user meets them: roles from files, their questions, what a killed process leaves, what
// is listed and what is erased. The real program; each role asks a scripted model of its own.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { linesOf, Machine } from "./aiex.ts";

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
});
afterEach(() => machine.remove());

type Answers = Parameters<Machine["model"]>[1];

/** A role of the user's whose children say this. */
function role(name: string, answers: Answers): void {
  const model = machine.model(name, answers);
  const agents = join(machine.home, "agents");
  mkdirSync(agents, { recursive: true });
  const head = ["---", `description: does ${name}`, `model: ${model}`, "---"];
  writeFileSync(join(agents, `${name}.md`), [...head, "Do it."].join("\n"));
}

const task = (role: string, id: string) => ({
  id,
  tool: "task",
  input: { title: `do ${role}`, prompt: `please do ${role}`, role },
});

/** A parent that gives work to these, and ends with what it was told by them. */
function parent(...roles: string[]): string {
  const calls = roles.map((one, i) => task(one, `t${i}`));
  return machine.model("parent", [{ calls }, { text: "both are over" }]);
}

type Line = Record<string, unknown> & { record?: Record<string, unknown> };

/** The events of a `--json` run of this type. */
const eventsOf = (out: string, type: string): Record<string, unknown>[] =>
  (linesOf(out) as Line[]).filter((line) => line.event === type || line.type === type);

async function childrenListed(): Promise<Record<string, unknown>[]> {
  const all = linesOf((await machine.run(["session", "list", "--children", "--json"])).out);
  return all.filter(({ child }) => child === 1);
}

async function shown(session: unknown): Promise<string> {
  return (await machine.run(["session", "show", String(session), "--full"])).out;
}

describe("a child that needs leave", () => {
  const asking: Answers = [
    {
      calls: [
        {
          id: "n",
          tool: "run",
          input: {
            command: "echo reached > net.txt",
            escalate: { kind: "network", hosts: ["example.com"], why: "to look" },
          },
        },
      ],
    },
    { text: "looked" },
  ];

  it("asks through its parent: without a terminal by exit code and hash, and goes on once allowed", async () => {
    role("looker", asking);
    const model = parent("looker");
    const first = await machine.run(["ask", "--trust", "-m", model, "go"]);
    expect(first.code).toBe(3);
    expect(first.err).toContain("A child of Aiex (looker) asks for your leave");
    const allow = /aiex ask (--session \S+ --allow \S+)/.exec(first.err)?.[1] ?? "";
    const second = await machine.run(["ask", "-m", model, ...allow.split(" ")]);
    expect([second.code, second.out]).toEqual([0, "both are over\n"]);
    expect(readFileSync(join(machine.folder, "net.txt"), "utf8")).toBe("reached\n");
    // One child did it, and it was asked once.
    const [child, ...more] = await childrenListed();
    expect(more).toEqual([]);
    const told = await shown(child?.session);
    expect(told.match(/asked: /g)).toHaveLength(1);
    expect(told).toContain("the child is over: done");
  });

  it("asks in a terminal by its name", async () => {
    role("looker", asking);
    const model = parent("looker");
    const terminal = await machine.type(
      ["ask", "--trust", "--color", "never", "-m", model, "go"],
      [
        ["A child of Aiex (looker)", ""],
        ["? ", "y\r"],
      ],
    );
    expect(terminal.screen).toContain("both are over");
    expect(terminal.code).toBe(0);
  });
});

describe("a parent that is killed", () => {
  it("loses no child: one that had ended is not run again, one under way is gone on with", async () => {
    role("quick", [{ text: "quick was here" }]);
    role("slow", [{ delayMs: 600_000, text: "never said" }]);
    const model = parent("quick", "slow");
    const first = machine.start(["ask", "--trust", "--json", "-m", model, "go"]);
    // The quick one's end is in the log once its parent's call has its result.
    await first.wrote('"ToolFinished"');
    first.kill("SIGKILL");
    await first.ended;
    role("quick", [{ text: "quick was here twice" }]);
    role("slow", [{ text: "slow got there" }]);
    const second = await machine.run(["ask", "--continue", "-m", model]);
    expect([second.code, second.out]).toEqual([0, "both are over\n"]);
    const children = await childrenListed();
    expect(children).toHaveLength(2);
    const told = await Promise.all(children.map(({ session }) => shown(session)));
    const all = told.join("\n");
    expect(all).toContain("quick was here");
    expect(all).not.toContain("twice");
    expect(all).toContain("slow got there");
    expect(all.match(/the child is over/g)).toHaveLength(2);
  });
});

describe("the children of a session", () => {
  it("are listed where they are asked for, and erased with it", async () => {
    role("quick", [{ text: "the canary sings at noon" }]);
    const model = parent("quick");
    const ran = await machine.run(["ask", "--trust", "--json", "-m", model, "go"]);
    expect(ran.code).toBe(0);
    const [finished] = eventsOf(ran.out, "ToolFinished");
    expect(JSON.stringify(finished ?? ran.out)).toContain("the canary sings at noon");
    const plain = linesOf((await machine.run(["session", "list", "--json"])).out);
    expect(plain).toHaveLength(1);
    const [child] = await childrenListed();
    expect(child).toMatchObject({ title: "do quick" });
    // The newest session of the folder is still the one that the user spoke in.
    const more = machine.model("more", [{ text: "more" }, { text: "more" }, { text: "more" }]);
    expect((await machine.run(["ask", "--continue", "-m", more, "and?"])).code).toBe(0);
    expect((await machine.run(["session", "rm", String(plain[0]?.session), "--yes"])).code).toBe(0);
    expect(await childrenListed()).toEqual([]);
    const log = readFileSync(join(machine.home, "log.db"));
    expect(log.includes("the canary sings at noon")).toBe(false);
  });

  it("take no prompt of their own, and are named by `aiex doctor` where their role is none", async () => {
    role("quick", [{ text: "done" }]);
    await machine.run(["ask", "--trust", "-m", parent("quick"), "go"]);
    const [child] = await childrenListed();
    const asked = await machine.run(["ask", "--session", String(child?.session), "more"]);
    expect(asked.code).not.toBe(0);
    expect(asked.err).toContain("aiex session fork");
    writeFileSync(join(machine.home, "agents", "broken.md"), "no head");
    const doctor = await machine.run(["doctor"]);
    expect(doctor.out + doctor.err).toContain("broken.md: it does not begin with a head");
  });
});
