// The tools that find: glob and search, with the real ripgrep on real folders.
import { execFileSync, spawn } from "node:child_process";
import { symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { glob } from "#boundary/tools/builtin/glob.ts";
import { search } from "#boundary/tools/builtin/search.ts";
import { called, contextOf, folderWith } from "#boundary/tools/samples.ts";
import { confirmed } from "#boundary/tools/search-lines.ts";

const project = {
  ".gitignore": "node_modules\n*.log\n",
  ".github/ci.yml": "needle\n",
  ".git/config": "needle\n",
  "src/a.ts": "one\nneedle a\nthree\n",
  "src/b.test.ts": "needle b\r\n",
  "node_modules/x/index.ts": "needle\n",
  "debug.log": "needle\n",
  "bin.dat": "\0needle\n",
};

const found = async (input: object, root = folderWith(project)) =>
  (await called(search, input, contextOf(root))).text;
const named = async (input: object, root = folderWith(project)) =>
  (await called(glob, input, contextOf(root))).text.split("\n").sort();

const SWAPS = 10_000;

/** Puts a link to another folder where `dir` was, and `dir` back, again and again. */
const swapping = `const fs = require("node:fs");
const [outside, times] = process.argv.slice(1);
for (let i = 0; i < Number(times); i += 1) {
  fs.renameSync("dir", "real");
  fs.symlinkSync(outside, "dir");
  fs.unlinkSync("dir");
  fs.renameSync("real", "dir");
}`;

describe("search", () => {
  it("finds lines with their numbers, in hidden files but not in ignored ones", async () => {
    expect(await found({ pattern: "needle" })).toBe(
      [
        ".github/ci.yml",
        "1: needle",
        "src/a.ts",
        "2: needle a",
        "src/b.test.ts",
        "1: needle b",
      ].join("\n"),
    );
  });

  it("shows context, and tells it from matches", async () => {
    const text = await found({ pattern: "needle", path: "src/a.ts", context: 1 });
    expect(text).toBe("src/a.ts\n1- one\n2: needle a\n3- three");
  });

  it("narrows by folder and by names, and never brings ignored files back", async () => {
    expect(await found({ pattern: "needle", path: "src", glob: "!*.test.ts" })).toBe(
      "src/a.ts\n2: needle a",
    );
    expect(await found({ pattern: "needle", glob: "*.ts" })).not.toContain("node_modules");
    expect(await found({ pattern: "needle", glob: "**" })).not.toContain("node_modules");
    expect(await found({ pattern: "needle", glob: "*.log" })).toBe("(no match)");
    expect(await found({ pattern: "needle", glob: ".git/**" })).toBe("(no match)");
  });

  it("takes patterns literally, without case, and with ends of CRLF lines", async () => {
    const root = folderWith({ "a.txt": "f(x)\nF(X)\r\n-e\n" });
    expect(await found({ pattern: "f(x)", literal: true }, root)).toBe("a.txt\n1: f(x)");
    expect(await found({ pattern: "f\\(x\\)$", ignoreCase: true }, root)).toBe(
      "a.txt\n1: f(x)\n2: F(X)",
    );
    expect(await found({ pattern: "-e" }, root)).toBe("a.txt\n3: -e");
    expect(await found({ pattern: "--pre=cat", literal: true }, root)).toBe("(no match)");
  });

  it("is bounded and says how many matches are left out", async () => {
    const root = folderWith({
      "a.txt": "needle\n".repeat(250),
      "b.txt": "needle\n".repeat(20_000),
    });
    const some = await found({ pattern: "needle", path: "a.txt" }, root);
    expect(some).toContain("(150 more matching lines");
    const many = await found({ pattern: "needle" }, root);
    expect(many).toContain("(at least 9900 more matching lines");
    const long = folderWith({
      "a.txt": `${"x".repeat(250)}needle${"ü".repeat(250)}\n`.repeat(100),
    });
    const cut = await found({ pattern: "needle", context: 0 }, long);
    expect(Buffer.byteLength(cut)).toBeLessThan(31 * 1024);
    expect(cut).toMatch(/\(\d+ more matching lines/);
  });

  it("cuts long lines around their match, and survives lines of a megabyte", async () => {
    const root = folderWith({
      "a.txt": `${"ä".repeat(1_000)}needle${"z".repeat(1_000)}\n`,
      "b.min.js": `${"y".repeat(3_000_000)}needle\nneedle\n`,
    });
    const text = await found({ pattern: "needle" }, root);
    expect(text).toMatch(/^a\.txt\n1: …ä{80}needlez{214}…$/m);
    expect(text).toContain("b.min.js\n(a match in a line too long to show)\n2: needle");
  });

  it("names an unusable pattern and how to go on", async () => {
    const text = await found({ pattern: "a(" });
    expect(text).toContain("unclosed group");
    expect(text).toContain("`literal: true`");
    expect(await found({ pattern: "x", glob: "{a" })).toContain("cannot be made");
    expect(await found({ pattern: "a\nb" })).toContain("cannot be made");
    expect(await found({ pattern: "a\0b" })).toContain("NUL");
  });

  it("shows no line of a file that may not be read, and says how many were left out", async () => {
    const root = folderWith({
      "a.txt": "needle\n",
      "keys/b.txt": "needle\nneedle\n",
      "c.txt": "x\n",
    });
    const readable = async () => (path: string) => !path.startsWith("keys/");
    const context = { ...contextOf(root), readable };
    const wanted = { pattern: "needle", context: 2 };
    const { text } = await called(search, wanted, context);
    expect(text).toBe(
      "a.txt\n1: needle\n(2 matching lines in 1 file left out: " +
        "the user's rules do not let you read there unasked)",
    );
    const inside = await called(search, { ...wanted, path: "keys", glob: "*.txt" }, context);
    expect(inside.text).toMatch(/^\(no match\)\n\(2 matching lines in 1 file left out/);
  });

  it("ignores what a configuration says", async () => {
    const root = folderWith({ ...project, ".ripgreprc": "--files-without-match\n" });
    process.env.RIPGREP_CONFIG_PATH = join(root, ".ripgreprc");
    try {
      expect(await found({ pattern: "needle a" }, root)).toBe("src/a.ts\n2: needle a");
    } finally {
      delete process.env.RIPGREP_CONFIG_PATH;
    }
  });

  it("follows no link out of the workspace", async () => {
    const outside = folderWith({ "secret.txt": "needle secret\n" });
    const root = folderWith({ "a.txt": "needle\n" });
    symlinkSync(outside, join(root, "out"));
    symlinkSync(join(outside, "secret.txt"), join(root, "leaf.txt"));
    expect(await found({ pattern: "needle" }, root)).toBe("a.txt\n1: needle");
    for (const path of ["out", "out/secret.txt", "leaf.txt", "..", outside]) {
      const { text } = await called(search, { pattern: "needle", path }, contextOf(root));
      expect(text).not.toContain("needle secret");
    }
    expect(await named({ pattern: "**" }, root)).toEqual(["a.txt"]);
    expect(await named({ pattern: "**", path: "out" }, root)).not.toContain("out/secret.txt");
  });

  it("shows nothing from outside while folders are swapped for links", async () => {
    const outside = folderWith({ "a.txt": "secret needle\n", "secret.txt": "secret needle\n" });
    const root = folderWith({ "dir/a.txt": "needle\n" });
    // Another process, so that it really runs in between.
    const child = spawn(process.execPath, ["-e", swapping, outside, `${SWAPS}`], { cwd: root });
    const context = contextOf(root);
    let looks = 0;
    while (child.exitCode === null) {
      for (const path of [".", "dir"]) {
        const { text } = await called(search, { pattern: "needle", path }, context);
        expect(text).not.toContain("secret");
        expect((await called(glob, { pattern: "*", path }, context)).text).not.toContain("secret");
      }
      looks += 1;
    }
    expect(child.exitCode).toBe(0);
    expect(looks).toBeGreaterThan(5);
  });

  it("drops lines that the workspace does not find in the file", async () => {
    const found = {
      matches: 3,
      files: [
        { name: "a", lines: [1, 2].map((number) => ({ number, text: "x", isMatch: true, at: 0 })) },
        { name: "gone", lines: [{ number: 1, text: "x", isMatch: true, at: 0 }] },
      ],
    };
    const read = async (name: string) => (name === "a" ? Buffer.from("x\r\ny\n") : undefined);
    expect(await confirmed(found, read)).toEqual({
      matches: 1,
      files: [{ name: "a", lines: [{ number: 1, text: "x", isMatch: true, at: 0 }] }],
    });
  });

  it("reads UTF-16 where a byte order mark says so", async () => {
    const utf16 = Buffer.from("\uFEFFone\r\nneedle ü\r\n", "utf16le");
    expect(await found({ pattern: "ü" }, folderWith({ "a.txt": utf16 }))).toBe(
      "a.txt\n2: needle ü",
    );
    const marked = folderWith({ "b.txt": "\uFEFFneedle\n" });
    expect(await found({ pattern: "^needle" }, marked)).toBe("b.txt\n1: needle");
  });

  it("treats names and patterns as data", async () => {
    const root = folderWith({ "$(touch pwned)/a b.txt": "needle\n", "-n.txt": "needle\n" });
    const text = await found({ pattern: "needle" }, root);
    expect(text).toContain("$(touch pwned)/a b.txt");
    expect(text).toContain("-n.txt");
    await found({ pattern: "$(touch pwned)", path: "$(touch pwned)" }, root);
    expect(await named({ pattern: "pwned" }, root)).toEqual(["(no file in `.` matches `pwned`)"]);
  });

  it("stops on its signal", async () => {
    const controller = new AbortController();
    const root = folderWith(project);
    const context = contextOf(root, { signal: controller.signal });
    controller.abort();
    const { outcome, text } = await called(search, { pattern: "needle" }, context);
    expect(outcome?.failed).toBe(true);
    expect(text).toContain("called off");
  });

  it("leaves git out even in a real repository, and honours its ignores", async () => {
    const root = folderWith({ "a.txt": "needle\n", "b.txt": "needle\n", ".gitignore": "b.txt\n" });
    execFileSync("git", ["init", "-q"], { cwd: root });
    expect(await found({ pattern: "needle|core" }, root)).toBe("a.txt\n1: needle");
  });
});

describe("glob", () => {
  it("finds names at any depth, those changed last first", async () => {
    const changed = { "old.ts": 0, "src/new.ts": 900, "src/mid.ts": 500, "x.js": 999 };
    const root = folderWith(Object.fromEntries(Object.keys(changed).map((name) => [name, ""])));
    for (const [name, second] of Object.entries(changed)) utimesSync(join(root, name), 0, second);
    const { text } = await called(glob, { pattern: "*.ts" }, contextOf(root));
    expect(text).toBe("src/new.ts\nsrc/mid.ts\nold.ts");
  });

  it("never brings ignored files back", async () => {
    const visible = [".github/ci.yml", ".gitignore", "bin.dat", "src/a.ts", "src/b.test.ts"];
    expect(await named({ pattern: "**" })).toEqual(visible);
    expect(await named({ pattern: "*" })).toEqual(visible);
    expect(await named({ pattern: "*.log" })).toEqual(["(no file in `.` matches `*.log`)"]);
  });

  it("looks in one folder", async () => {
    expect(await named({ pattern: "*.{test,spec}.ts", path: "src" })).toEqual(["src/b.test.ts"]);
    expect((await named({ pattern: "*", path: "src/a.ts" }))[0]).toContain("not a folder");
    expect((await named({ pattern: "*", path: "nowhere" }))[0]).toContain(
      "the right folder above it",
    );
  });

  it("is bounded and says how many are left out", async () => {
    const files = Array.from({ length: 230 }, (_, i) => [`d/f${i}.txt`, ""] as const);
    const { text } = await called(
      glob,
      { pattern: "*.txt" },
      contextOf(folderWith(Object.fromEntries(files))),
    );
    expect(text.split("\n")).toHaveLength(201);
    expect(text).toContain("(30 more files");
  });

  it("refuses patterns that find everything else, and those it cannot read", async () => {
    const refused = await called(glob, { pattern: "!a" }, contextOf(folderWith({})));
    expect(refused.code).toBe("bad_input");
    expect((await named({ pattern: "{a" }))[0]).toContain("cannot be used");
    for (const pattern of ["../*", "/etc/*", "a\0b", "../../**/passwd"]) {
      expect(await named({ pattern })).toHaveLength(1);
    }
  });
});
