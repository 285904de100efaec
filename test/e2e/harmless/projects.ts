// A repository with a small project for each toolchain, none with a dependency, and the real
// sandbox, policy and tools around it, as a node makes them.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { memoryBlobs } from "#boundary/blobs/memory.ts";
import { locationsOver } from "#boundary/locations.ts";
import { memoryLog } from "#boundary/log/memory.ts";
import { judgeOver } from "#boundary/security/judge.ts";
import { run } from "#boundary/tools/builtin/run.ts";
import { jobsOfNode } from "#boundary/tools/jobs.ts";
import type { Prepared, ToolContext } from "#boundary/tools/port.ts";
import type { Verdict } from "#boundary/turn/parts.ts";
import { findSandbox } from "#boundary/workspace/index.ts";
import { localWorkspace } from "#boundary/workspace/local.ts";
import type { Sandbox } from "#boundary/workspace/sandbox-port.ts";
import type { Result } from "#core/failure.ts";
import { noRules } from "#core/security/rules.ts";
import { emptySession } from "#core/session/state.ts";
import type { Mode } from "#core/session/tool-facts.ts";

const files: Record<string, string> = {
  ".gitignore": "build/\nout/\ntarget/\n__pycache__/\n.pytest_cache/\n",
  "README.md": "# Sums\n\nA project to sum things up in many languages.\n",
  "tool.sh": "#!/bin/sh\necho tool\n",
  "tool.pl": "use strict;\nprint 1 + 1;\n",
  "js/package.json": JSON.stringify({
    name: "sums",
    version: "1.0.0",
    private: true,
    scripts: { test: "node --test", build: "node --check sum.js", lint: "node --check sum.js" },
  }),
  "js/sum.js": "exports.add = (a, b) => a + b;\nexports.none = () => {\n  return 0;\n};\n",
  "js/sum.test.js": `const { test } = require("node:test");
const assert = require("node:assert");
const { add } = require("./sum.js");
test("adds", () => assert.strictEqual(add(1, 2), 3));
`,
  "py/summing.py": "def add(a: int, b: int) -> int:\n    return a + b\n",
  "py/test_sum.py": `import unittest

from summing import add


class TestSum(unittest.TestCase):
    def test_adds(self) -> None:
        self.assertEqual(add(1, 2), 3)
`,
  "rust/Cargo.toml": '[package]\nname = "sums"\nversion = "0.1.0"\nedition = "2021"\n',
  "rust/Cargo.lock": 'version = 4\n\n[[package]]\nname = "sums"\nversion = "0.1.0"\n',
  "rust/src/lib.rs": `pub fn add(a: i32, b: i32) -> i32 {
    a + b
}

#[test]
fn adds() {
    assert_eq!(add(1, 2), 3);
}
`,
  "rust/src/main.rs": 'fn main() {\n    println!("{}", sums::add(1, 2));\n}\n',
  "java/Sum.java": `public class Sum {
  public static void main(String[] args) {
    System.out.println(1 + 2);
  }
}
`,
  "java/pom.xml": `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>org.example</groupId>
  <artifactId>sums</artifactId>
  <version>1.0</version>
  <packaging>pom</packaging>
</project>
`,
  "go/go.mod": "module example.org/sums\n\ngo 1.21\n",
  "go/sum_test.go": `package sums

import "testing"

func TestAdd(t *testing.T) {
	if 1+2 != 3 {
		t.Fatal("no")
	}
}
`,
  "go/cmd/app/main.go": "package main\n\nfunc main() {\n}\n",
  "c/Makefile": [
    "CFLAGS ?= -Wall",
    "build/sum: sum.c",
    "\t@mkdir -p build",
    "\t$(CC) $(CFLAGS) -o $@ $<",
    "test check: build/sum",
    "\t./build/sum",
    "clean:",
    "\trm -rf build",
    ".PHONY: test check clean",
    "",
  ].join("\n"),
  "c/sum.c": '#include <stdio.h>\nint main(void) { printf("%d\\n", 1 + 2); return 0; }\n',
  "c/sum.cpp": "#include <iostream>\nint main() { std::cout << 1 + 2; }\n",
  "c/CMakeLists.txt": `cmake_minimum_required(VERSION 3.10)
project(sums C)
enable_testing()
add_executable(sum sum.c)
add_test(NAME sum COMMAND sum)
`,
};

export type Projects = {
  root: string;
  /** A folder beside the repository that no command may touch. */
  outside: string;
  sandbox: Sandbox;
  /** What `run` would do with a command, and what the policy says of it. */
  judged(command: string, mode: Mode, more?: { folder?: string; seconds?: number }): Judged;
  /** As `judged`, on a machine that has no sandbox. */
  judgedBare(command: string, mode: Mode): Judged;
  /** `git status` of the repository, by the git of the machine. */
  status(): string;
  git(...args: string[]): string;
  close(): Promise<void>;
};

type Judged = Promise<{ prepared: Prepared; verdict: Verdict }>;

/** The folder is trusted; the home is the user's own, because the toolchains are there. */
export async function projects(): Promise<Projects> {
  const top = realpathSync(mkdtempSync(join(tmpdir(), "aiex-harmless-")));
  const [root, outside] = [join(top, "repo"), join(top, "outside")];
  for (const [name, text] of Object.entries({ ...files, "../outside/witness": "untouched\n" })) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const git = (...args: string[]): string =>
    execFileSync("git", ["-c", "user.name=dev", "-c", "user.email=dev@example.org", ...args], {
      cwd: root,
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: outside, GIT_OPTIONAL_LOCKS: "0" },
    });
  git("init", "-q", "-b", "main");
  git("config", "user.name", "dev");
  git("add", "-A");
  git("commit", "-qm", "Begin");
  writeFileSync(join(root, "js/sum.js"), `${files["js/sum.js"]}exports.one = () => 1;\n`);
  git("commit", "-qam", "Add one");

  const sandbox = await findSandbox({
    workspace: root,
    scratch: join(top, "scratch"),
    quarantine: join(top, "quarantine"),
    home: homedir(),
    hidden: [],
    shown: [],
    host: process.env,
  });
  const log = memoryLog({ node: "n", atOnce: () => [], now: Date.now });
  const locations = locationsOver(log, "n");
  value(await locations.trust(root));
  const jobs = jobsOfNode();
  const tool = run(jobs);
  const judging = async (
    command: string,
    mode: Mode,
    box: Sandbox,
    more: { folder?: string; seconds?: number } = {},
  ) => {
    const context: ToolContext = {
      callId: "call",
      session: "session",
      mode,
      seen: new Map(),
      todo: [],
      workspace: value(localWorkspace(root)),
      sandbox: box,
      blobs: memoryBlobs(),
      signal: new AbortController().signal,
    };
    const given = { command, cwd: more.folder ?? ".", timeoutSeconds: more.seconds ?? 120 };
    const prepared = value(await tool.prepare(JSON.stringify(given), context));
    const judge = judgeOver({
      locations,
      path: root,
      sandbox: box,
      sandboxWaived: false,
      rules: noRules,
    });
    return { prepared, verdict: await judge(prepared, { ...emptySession, mode }) };
  };
  return {
    root,
    outside,
    sandbox,
    judged: (command, mode, more) => judging(command, mode, sandbox, more),
    judgedBare: (command, mode) => judging(command, mode, { ...sandbox, kind: "none" }),
    status: () => git("status", "--porcelain", "--untracked-files=all"),
    git,
    async close() {
      await jobs.close();
      rmSync(top, { recursive: true, force: true });
    },
  };
}

export function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error.say);
  return result.value;
}
