// The tools over real language servers in a real sandbox: typescript-language-server with its
// tsserver, and pyright.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256 } from "#boundary/digest.ts";
import { code } from "#boundary/tools/builtin/code.ts";
import { edit } from "#boundary/tools/builtin/edit.ts";
import { rename } from "#boundary/tools/builtin/rename.ts";
import { write } from "#boundary/tools/builtin/write.ts";
import { called, seenIn } from "#boundary/tools/samples.ts";
import { tellingErrors } from "#boundary/tools/servers/after-edit.ts";
import { endProjects, type Project, projectWith } from "#boundary/tools/servers/samples.ts";

endProjects();

const typescript = {
  "tsconfig.json": '{"compilerOptions": {"strict": true, "types": []}}',
  "src/sum.ts": "export function sum(a: number, b: number): number {\n  return a + b;\n}\n",
  "src/use.ts": 'import { sum } from "./sum";\n\nexport const three = sum(1, 2);\n',
  "src/wrong.ts": 'import { sum } from "./sum";\nexport const x: string = sum(1, 2);\n',
};
const python = {
  "pyproject.toml": "",
  "app/__init__.py": "",
  "app/total.py": "def total(a: int, b: int) -> int:\n    return a + b\n",
  "app/use.py": "from app.total import total\n\nprint(total(1, 2))\n",
  "app/wrong.py": 'from app.total import total\n\nx: str = total(1, "2")\n',
};

const asks = ({ servers, context }: Project) => {
  const tool = code(servers);
  return async (input: object) => (await called(tool, input, context)).text;
};

describe("typescript-language-server", () => {
  it("tells errors, definitions and references", async (ctx) => {
    const project = await projectWith(typescript);
    if (project.missing) ctx.skip(project.missing);
    const ask = asks(project);
    expect(await ask({ operation: "diagnostics", path: "src/wrong.ts" })).toBe(
      "src/wrong.ts: 1 errors, 0 warnings (typescript-language-server)\n" +
        "src/wrong.ts:2:14 error 2322: Type 'number' is not assignable to type 'string'.",
    );
    const sum = { path: "src/use.ts", line: 3, symbol: "sum" };
    expect(await ask({ operation: "definition", ...sum })).toBe(
      "1 place (typescript-language-server)\n" +
        "src/sum.ts:1\texport function sum(a: number, b: number): number {",
    );
    const references = await ask({ operation: "references", ...sum });
    expect(references).toContain("5 places");
    expect(references).toContain("src/wrong.ts:2\texport const x: string = sum(1, 2);");
    expect(await ask({ operation: "definition", ...sum, line: 2 })).toContain(
      "line 2 does not have `sum`; lines that do: 1, 3",
    );
  });

  it("sees what a command changed behind its back", async (ctx) => {
    const project = await projectWith(typescript);
    if (project.missing) ctx.skip(project.missing);
    const ask = asks(project);
    const errors = { operation: "diagnostics", path: "src/wrong.ts" };
    expect(await ask(errors)).toContain("1 errors");
    const changed = typescript["src/sum.ts"].replaceAll("number", "string");
    project.box.put("src/sum.ts", changed);
    expect(await ask(errors)).toContain("error 2345: Argument of type 'number'");
    project.box.put("src/new.ts", "export const made: number = 1;\n");
    project.box.put("src/wrong.ts", 'import { made } from "./new";\nexport const x = made;\n');
    expect(await ask(errors)).toContain("0 errors");
  });

  it("renames in files that were not read, which stay unread", async (ctx) => {
    const project = await projectWith(typescript);
    if (project.missing) ctx.skip(project.missing);
    const { root } = project.box;
    const context = { ...project.context, seen: seenIn(root, "src/sum.ts") };
    const wanted = { path: "src/sum.ts", line: 1, symbol: "sum", to: "plus" };
    const prepared = await rename(project.servers).prepare(JSON.stringify(wanted), context);
    const hash = (path: string) => sha256(readFileSync(join(root, path)));
    const before = hash("src/use.ts");
    if (!prepared.ok) throw new Error(prepared.error.say);
    expect(prepared.value.effect).toBe("verifiable");
    expect(prepared.value.access.map(({ kind }) => kind)).toEqual(["write", "write", "write"]);
    const renamed = await called(rename(project.servers), wanted, context);
    expect(renamed.text).toBe(
      "renamed sum to plus in 3 files:\nsrc/sum.ts (1 place)\nsrc/use.ts (2 places)\nsrc/wrong.ts (2 places)",
    );
    const use = 'import { plus } from "./sum";\n\nexport const three = plus(1, 2);\n';
    expect(readFileSync(join(root, "src/use.ts"), "utf8")).toBe(use);
    expect(prepared.value.intent.files).toContainEqual({
      path: "src/use.ts",
      before,
      after: hash("src/use.ts"),
    });
    const facts = renamed.outcome?.facts ?? [];
    expect(facts).toContainEqual(expect.objectContaining({ path: "src/use.ts", unread: true }));
    expect(facts.filter(({ type }) => type === "fileSeen")).toMatchObject([{ path: "src/sum.ts" }]);
  });

  it("keeps a file that changes between preparing a rename and doing it", async (ctx) => {
    const project = await projectWith(typescript);
    if (project.missing) ctx.skip(project.missing);
    const wanted = { path: "src/sum.ts", line: 1, symbol: "sum", to: "plus" };
    const prepared = await rename(project.servers).prepare(JSON.stringify(wanted), project.context);
    if (!prepared.ok) throw new Error(prepared.error.say);
    writeFileSync(join(project.box.root, "src/use.ts"), "// mine\n");
    const running = { signal: project.context.signal, opened: {}, progress() {}, mask: String };
    const done = await prepared.value.run(running);
    expect(done.failed).toBe(true);
    expect(JSON.stringify(done.parts)).toContain("src/use.ts was not changed");
    expect(readFileSync(join(project.box.root, "src/use.ts"), "utf8")).toBe("// mine\n");
  });
});

describe("typescript from version 7 on", () => {
  it("is its own server for errors, definitions, references and renames", async (ctx) => {
    const project = await projectWith(typescript, { native: true });
    if (project.missing) ctx.skip(project.missing);
    const ask = asks(project);
    expect(await ask({ operation: "diagnostics", path: "src/wrong.ts" })).toBe(
      "src/wrong.ts: 1 errors, 0 warnings (typescript)\n" +
        "src/wrong.ts:2:14 error 2322: Type 'number' is not assignable to type 'string'.",
    );
    const sum = { path: "src/use.ts", line: 3, symbol: "sum" };
    expect(await ask({ operation: "definition", ...sum })).toContain("src/sum.ts:1\texport");
    expect(await ask({ operation: "references", ...sum })).toContain("5 places");
    const renamed = await called(rename(project.servers), { ...sum, to: "plus" }, project.context);
    expect(renamed.text).toContain("renamed sum to plus in 3 files:");
    project.box.put("src/sum.ts", "export const plus = 1;\n");
    const errors = await ask({ operation: "diagnostics", path: "src/use.ts" });
    expect(errors).toContain("error 2349: This expression is not callable.");
  });
});

describe("pyright", () => {
  it("tells errors, definitions and references, and renames", async (ctx) => {
    const project = await projectWith(python);
    if (project.missing) ctx.skip(project.missing);
    const ask = asks(project);
    const errors = await ask({ operation: "diagnostics", path: "app/wrong.py" });
    expect(errors).toContain("2 errors");
    expect(errors).toContain("app/wrong.py:3:10 error reportAssignmentType");
    const total = { path: "app/use.py", line: 3, symbol: "total" };
    expect(await ask({ operation: "definition", ...total })).toContain(
      "app/total.py:1\tdef total(a: int, b: int) -> int:",
    );
    expect(await ask({ operation: "references", ...total })).toContain("app/wrong.py:3");
    const to = { ...total, to: "plus" };
    const renamed = await called(rename(project.servers), to, project.context);
    expect(renamed.text).toContain("app/use.py (2 places)");
    expect(readFileSync(join(project.box.root, "app/wrong.py"), "utf8")).toContain("plus(1");
    expect(await ask({ operation: "diagnostics", path: "app/use.py" })).toContain("0 errors");
  });
});

describe("errors behind an edit", () => {
  const wrong = { path: "src/use.ts", edits: [{ old: "sum(1, 2)", new: "sum(1, '2')" }] };

  it("are told once, by what the file holds now", async (ctx) => {
    const project = await projectWith(typescript);
    if (project.missing) ctx.skip(project.missing);
    const { root } = project.box;
    const tell = tellingErrors(project.servers, 60_000);
    const seen = () => ({ ...project.context, seen: seenIn(root, "src/use.ts") });
    const edited = await called(tell(edit), wrong, seen());
    expect(edited.outcome?.failed).toBe(false);
    expect(edited.text).toContain(
      "Errors there now that were not told before:\nsrc/use.ts:3:29 error 2345: Argument",
    );
    const more = { path: "src/use.ts", edits: [{ old: "three", new: "four" }] };
    expect((await called(tell(edit), more, seen())).text).not.toContain("error");
    const made = await called(
      tell(write),
      { path: "src/b.ts", content: "export let a: b;\n" },
      seen(),
    );
    expect(made.text).toContain("src/b.ts:1:15 error 2304: Cannot find name 'b'.");
  });

  it("are not waited for where no server may run unasked, or none comes in time", async (ctx) => {
    const project = await projectWith(typescript);
    if (project.missing) ctx.skip(project.missing);
    const seen = seenIn(project.box.root, "src/use.ts");
    const context = { ...project.context, seen, allows: async () => null };
    const edited = await called(tellingErrors(project.servers)(edit), wrong, context);
    expect(edited.text).not.toContain("error");
    const found = await project.servers.forFile(project.box.root, "src/use.ts");
    expect(found && project.servers.runs(project.box.root, found)).toBe(false);
    const at = tellingErrors(project.servers, 1)(write);
    const made = await called(at, { path: "src/b.ts", content: "a b" }, project.context);
    expect(made.text).toMatch(/^created src\/b\.ts \([^\n]*$/);
  });
});
