// What is read as literal is exactly what bash runs: checked against known tricks, a published list
// of injections, and bash itself as the judge of generated text.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readShell } from "#core/security/shell.ts";

const fixture = join(
  process.env.AIEX_FIXTURES ?? "../shared/fixtures",
  "security/command-injection.txt",
);

/**
 * What bash runs of a text, as argv: nothing is on its path, so it asks for each command it does
 * not find, and that answer prints it. Built-ins run, in an empty environment and without a path.
 */
function ranByBash(text: string): string[][] {
  const prelude = `command_not_found_handle() { printf '%s\\0' "$#" "$@" >&9; }\n`;
  const ran = spawnSync("/bin/bash", ["--norc", "-c", `${prelude}${text}`], {
    env: { PATH: "/nonexistent", LC_ALL: "C.UTF-8" },
    cwd: "/proc",
    stdio: [
      "ignore",
      "ignore",
      "ignore",
      "ignore",
      "ignore",
      "ignore",
      "ignore",
      "ignore",
      "ignore",
      "pipe",
    ],
    timeout: 5_000,
  });
  const words = String(ran.output[9]).split("\0").slice(0, -1);
  const commands: string[][] = [];
  while (words.length > 0) commands.push(words.splice(0, Number(words.shift())));
  return commands;
}

describe("a shell command", () => {
  it.each<[string, string[][]]>([
    ["ls -la", [["ls", "-la"]]],
    ["git commit -m 'a b' -- x", [["git", "commit", "-m", "a b", "--", "x"]]],
    [`echo "a 'b' c"'d'e ''`, [["echo", "a 'b' cde", ""]]],
    ["a && b || c; d | e", [["a"], ["b"], ["c"], ["d"], ["e"]]],
    ["a\nb\n\nc &&\n d", [["a"], ["b"], ["c"], ["d"]]],
    ["a;", [["a"]]],
    ["npm test 2>/dev/null", [["npm", "test"]]],
    ["npm test > /dev/null 2>&1 && x", [["npm", "test"], ["x"]]],
    ["git diff HEAD~1 HEAD^ a..b", [["git", "diff", "HEAD~1", "HEAD^", "a..b"]]],
    ["printf a#b c=d x:y %s", [["printf", "a#b", "c=d", "x:y", "%s"]]],
    ["ls 'a*' \"b?\" '$x'", [["ls", "a*", "b?", "$x"]]],
    ["cat größe 漢字", [["cat", "größe", "漢字"]]],
    ["'if' x", [["if", "x"]]],
    ["2 >&1", [["2"]]],
    ["a 2>&1 3>/dev/null 4</dev/null", [["a"]]],
  ])("%j is literal", (text, commands) => {
    expect(readShell(text)).toEqual({ kind: "literal", commands });
  });

  it.each([
    "",
    " ",
    "\n",
    ";",
    "&&",
    "a &&",
    "a |",
    "| a",
    "&& a",
    "; a",
    "a ;; b",
    "a & b",
    "a &",
    "a || || b",
    "echo $(id)",
    "echo `id`",
    'echo "$(id)"',
    'echo "`id`"',
    "cat <(id)",
    "tee >(id)",
    "echo $HOME",
    'echo "$HOME"',
    `echo \${v@P}`,
    `echo \${v:=x}`,
    `echo \${!v}`,
    "cat$IFS/etc/passwd",
    "echo $'a'",
    'echo $"a"',
    "echo $((1))",
    "a\rb",
    "a\0b",
    "a\u001bb",
    "a \\\n b",
    "\\rm x",
    "r\\m x",
    "echo a\\ b",
    "cat <<EOF\n$(id)\nEOF",
    "cat <<'EOF'\nx\nEOF",
    "cat <<< x",
    "echo x > f",
    "echo x >> f",
    "a < f",
    "a 2> f",
    "a &> f",
    "a >| f",
    "a >& f",
    "a <> f",
    "a > /dev/nullx",
    "a >/dev/null/../x",
    "a 2>&1x",
    "a 22>&1",
    "a 12>&1",
    "a 33>/dev/null",
    "a 10</dev/null",
    "22>&1",
    "a 99999999999999999999>&1",
    "a |& b",
    "ls *.ts",
    "ls ?",
    "ls [ab]",
    "ls {a,b}",
    "echo a{1..9}",
    "x=1 ls",
    "x=1",
    "PATH=. ls",
    "x+=1 ls",
    "a[0]=1 ls",
    "ls ~",
    "ls ~root/x",
    "ls a:~",
    "x --home=~",
    "if a; then b; fi",
    "for x in a; do b; done",
    "while a; do b; done",
    "case a in a) b;; esac",
    "f() { a; }",
    "(a)",
    "{ a; }",
    "! a",
    "[[ a ]]",
    "((1))",
    "time a",
    "coproc a",
    "function f { a; }",
    "a # b",
    "# a",
    "a 'b",
    'a "b',
    "echo !!",
    "echo \ud800",
    "a\u00a0b",
    "a\u2028b",
    "ls\u3000-l",
    "() { :;}; a",
    "a ; ; b",
    "a && && b",
    `${"a;".repeat(51)}`,
    "x".repeat(10_001),
    "select x in a; do b; done",
    "until a; do b; done",
    "a\tb\vc",
    "a & & b",
    "a|||b",
    "a ||& b",
    "echo ${x",
    "$x",
    '"$x"',
    "a;|b",
    "a && | b",
  ])("%j is opaque", (text) => {
    expect(readShell(text).kind).toBe("opaque");
  });

  it("is never taken for something else in a published list of injections", (ctx) => {
    if (!existsSync(fixture)) ctx.skip("fixtures absent: AIEX_FIXTURES names no such folder");
    const lines = readFileSync(fixture, "utf8").split("\n").filter(Boolean);
    expect(lines.length).toBeGreaterThan(200);
    let literal = 0;
    for (const line of lines) {
      const read = readShell(line);
      if (read.kind === "opaque") continue;
      literal += 1;
      for (const argv of ranByBash(line)) expect(read.commands, line).toContainEqual(argv);
      // As an argument of a quoted kind it stays one.
      expect(readShell(`echo '${line.replaceAll("'", "")}'`)).toMatchObject({ kind: "literal" });
    }
    expect(literal).toBeGreaterThan(10);
  });

  it("runs in bash exactly as it was read, whatever it is made of", { timeout: 120_000 }, (ctx) => {
    if (!existsSync("/bin/bash")) ctx.skip("bash is absent");
    const pieces = [
      "xa",
      "xb",
      "-c",
      " ",
      " ",
      "\t",
      "\n",
      ";",
      "&&",
      "||",
      "|",
      "&",
      "'",
      '"',
      "''",
      "$",
      "`",
      "\\",
      "$(",
      ")",
      "(",
      "{",
      "}",
      "<",
      ">",
      "/dev/null",
      "2>&1",
      ">/dev/null",
      "2>",
      "*",
      "?",
      "[",
      "]",
      "~",
      "#",
      "=",
      "x=1",
      "!",
      "^",
      "%",
      "@",
      ":",
      ",",
      "if",
      "then",
      "fi",
      "é",
      "\u00a0",
      "$'",
      "<<",
      "EOF",
      "..",
      "1",
      "2",
    ];
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((all) => all.join(""));
    let literal = 0;
    fc.assert(
      fc.property(text, (shell) => {
        const read = readShell(shell);
        if (read.kind === "opaque") return;
        literal += 1;
        const ran = ranByBash(shell);
        for (const argv of ran) expect(read.commands).toContainEqual(argv);
        // Without an `||` nothing is left out, as all of these "succeed".
        const builtin = read.commands.some(([name]) => /^(:|\.|%.*|.*\/.*|\[|)$/s.test(name ?? ""));
        if (!shell.includes("||") && !builtin) expect(ran).toHaveLength(read.commands.length);
      }),
      { numRuns: 4_000 },
    );
    expect(literal).toBeGreaterThan(200);
  });

  it("never throws, and reads quoted text as it is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        readShell(text);
        const plain = text.replace(/['\p{Cc}]/gu, "");
        if (!plain.isWellFormed()) return;
        expect(readShell(`xa '${plain}'`)).toEqual({ kind: "literal", commands: [["xa", plain]] });
      }),
    );
  });
});
