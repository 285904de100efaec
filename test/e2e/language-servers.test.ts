// Language servers through the whole program: offered where one is found, in plan mode as far as
// they only read, and a rename that can be undone.
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findBubblewrap } from "#boundary/workspace/index.ts";
import { linesOf, Machine } from "./aiex.ts";

const modules = resolve(import.meta.dirname, "../../node_modules");

let machine: Machine;
beforeEach(async (ctx) => {
  machine = new Machine();
  const wrap = await findBubblewrap(machine.folder);
  if (typeof wrap === "string") ctx.skip(`no sandbox: ${wrap}`);
  machine.write("package.json", "{}");
  machine.write("tsconfig.json", '{"compilerOptions": {"strict": true, "types": []}}');
  machine.write("sum.ts", "export const sum = (a: number, b: number) => a + b;\n");
  machine.write("use.ts", 'import { sum } from "./sum";\nexport const three = sum(1, 2);\n');
  mkdirSync(join(machine.folder, "node_modules"));
  symlinkSync(join(modules, "typescript"), join(machine.folder, "node_modules/typescript"));
});
afterEach(() => machine.remove());

const place = { path: "sum.ts", line: 1, symbol: "sum" };
const references = { tool: "code", input: { operation: "references", ...place } };
const rename = { tool: "rename", input: { ...place, to: "plus" } };
const fileOf = (name: string) => readFileSync(join(machine.folder, name), "utf8");

async function ask(calls: object[], ...args: string[]) {
  const answers = [...calls.map((call) => ({ calls: [call] })), { text: "done" }];
  const model = machine.model("m", answers);
  const ran = await machine.run(["ask", "--json", "-m", model, ...args, "go"]);
  const events = linesOf(ran.out).filter(({ type }) => type === "ToolFinished");
  return { ...ran, ends: events.map((event) => JSON.stringify(event.body ?? event)) };
}

describe("a project whose language server is installed", () => {
  it("is asked about and renamed in, and undo takes the rename back", async () => {
    const [use, sum] = [fileOf("use.ts"), fileOf("sum.ts")];
    const ran = await ask([references, rename], "--trust", "--yes");
    expect(ran.code).toBe(0);
    expect(ran.ends[0]).toContain("3 places (typescript)");
    expect(ran.ends[1]).toContain("renamed sum to plus in 2 files");
    expect(fileOf("use.ts")).toBe(use.replaceAll("sum(", "plus(").replace("{ sum }", "{ plus }"));
    expect(await machine.run(["undo"])).toMatchObject({ code: 0 });
    expect([fileOf("use.ts"), fileOf("sum.ts")]).toEqual([use, sum]);
  });

  it("tells the errors of what the session changed", async () => {
    const read = { tool: "read", input: { path: "use.ts" } };
    const edits = [{ old: "sum(1, 2)", new: "sum(1, '2')" }];
    const edit = { tool: "edit", input: { path: "use.ts", edits } };
    const errors = { tool: "code", input: { operation: "diagnostics" } };
    const ran = await ask([references, read, edit, errors], "--trust", "--yes");
    expect(ran.ends[3]).toContain("use.ts:2:29 error 2345: Argument of type 'string'");
  });

  it("may be looked at in plan mode, where nothing is renamed", async () => {
    const ran = await ask([references, rename], "--trust", "--mode", "plan");
    expect(ran.ends[0]).toContain("3 places (typescript)");
    expect(ran.ends[1]).toContain("mode plan changes no file");
  });

  it("has no such tools where the user switched them off", async () => {
    const model = machine.model("m", [{ calls: [references] }, { text: "done" }]);
    const env = { AIEX_LANGUAGE_SERVERS: "off" };
    const ran = await machine.run(["ask", "--json", "--trust", "-m", model, "go"], { env });
    expect(ran.out).toContain("there is no tool");
  });
});
