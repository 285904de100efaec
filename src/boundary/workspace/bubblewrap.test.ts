// Commands in a real sandbox: they work as in a terminal, stay within their bounds, end when they
// are told to, and leave nothing behind.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Boxed, boxed, missing } from "#boundary/workspace/boxed.ts";

let box: Boxed;
beforeAll(async () => {
  box = await boxed();
});
afterAll(() => box.close());
beforeEach((ctx) => {
  const reason = missing(box);
  if (reason) ctx.skip(reason);
});

describe("a command in the sandbox", () => {
  it("gives its output in order, both streams together, and its exit code", async () => {
    const ran = await box.run("echo one; echo two >&2; echo three > /dev/stderr; exit 7");
    expect(ran).toMatchObject({ text: "one\ntwo\nthree\n", code: 7, ended: "exit" });
    expect(ran).toMatchObject({ signal: null, sandboxDenied: false, quarantined: [] });
  });

  it("may be an argv, whose words no shell sees", async () => {
    const ran = await box.run(["printf", "%s|", "$(touch pwned)", "a b", "`id`"]);
    expect(ran).toMatchObject({ text: "$(touch pwned)|a b|`id`|", code: 0 });
    expect(existsSync(join(box.root, "pwned"))).toBe(false);
  });

  it("says so when there is no such program", async () => {
    const ran = await box.run(["no-such-program"]);
    expect(ran.code).not.toBe(0);
    expect(ran.text).toContain("no-such-program");
  });

  it("writes in the workspace, from the folder it was given", async () => {
    mkdirSync(join(box.root, "deep/er"), { recursive: true });
    const ran = await box.run("pwd; echo x > made", { cwd: "deep/er" });
    expect(ran.text).toBe(`${join(box.root, "deep/er")}\n`);
    expect(readFileSync(join(box.root, "deep/er/made"), "utf8")).toBe("x\n");
  });

  it.each(["..", "/", "/etc", "../app", "nothing", "deep/er/made"])(
    "is refused a folder like %j",
    async (cwd) => {
      const spec = { command: "true", cwd, timeoutMs: 1_000, opened: {} };
      const started = await box.sandbox.start(spec, AbortSignal.timeout(5_000));
      if (cwd === "../app") expect(started.ok).toBe(true);
      else expect(started.ok).toBe(false);
    },
  );

  it("has an environment that was built up, and what the caller names", async () => {
    const ran = await box.run("env", { env: { GIVEN: "a b\n$c", LD_PRELOAD: "/x.so" } });
    expect(ran.text).toContain("GIVEN=a b\n$c\n");
    expect(ran.text).toContain("LD_PRELOAD=/x.so");
    expect(ran.text).toContain("TERM=dumb\n");
    expect(ran.text).toContain(`HOME=${box.home}\n`);
    expect(ran.text).not.toMatch(/CANARY|SSH_AUTH_SOCK|NODE_OPTIONS|VITEST/);
    expect(ran.text).not.toMatch(/^PATH=(.*:)?(\.|[^/][^:]*)?(:|$)/m);
  });

  it("has a home and a temporary folder of its own to write in", async () => {
    const ran = await box.run('touch ~/x ~/.cache/y "$TMPDIR/z" /dev/shm/w && echo fine');
    expect(ran.text).toBe("fine\n");
    expect(readdirSync(box.home)).not.toContain("x");
    expect((await box.run("ls ~/.cache")).text).toBe("y\n");
  });

  it("passes no descriptor of ours on", async () => {
    const ran = await box.run("for f in /proc/self/fd/*; do readlink $f || true; done");
    const open = ran.text.trim().split("\n");
    expect(
      open.filter((path) => !/^(\/dev\/null|\/proc\/\d+\/fd|.*\/out-\w+ \(deleted\))$/.test(path)),
    ).toEqual([]);
  });

  it("holds no more output than the reader takes, and loses none of it", async () => {
    const spec = { command: "yes | head -c 20000000", cwd: ".", timeoutMs: 20_000, opened: {} };
    const running = await box.sandbox.start(spec, AbortSignal.timeout(30_000));
    if (!running.ok) throw new Error(running.error.say);
    const before = process.memoryUsage().rss;
    let bytes = 0;
    for await (const chunk of running.value.output) {
      bytes += chunk.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bytes).toBe(20_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(64_000_000);
    expect((await running.value.done).code).toBe(0);
  });

  it("does not run ahead of a reader that waits, and ends when the reader leaves", async () => {
    const spec = { command: "yes", cwd: ".", timeoutMs: 20_000, opened: {} };
    const running = await box.sandbox.start(spec, AbortSignal.timeout(30_000));
    if (!running.ok) throw new Error(running.error.say);
    for await (const chunk of running.value.output) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    running.value.kill();
    expect(await running.value.done).toMatchObject({ ended: "killed", code: null });
  });

  it("gives the last words of a command that nobody read until its end", async () => {
    const spec = { command: "echo last words", cwd: ".", timeoutMs: 5_000, opened: {} };
    const running = await box.sandbox.start(spec, AbortSignal.timeout(5_000));
    if (!running.ok) throw new Error(running.error.say);
    await running.value.done;
    const chunks = await Array.fromAsync(running.value.output);
    expect(Buffer.concat(chunks).toString()).toBe("last words\n");
  });
});

describe("the end of a command", () => {
  /** Processes on the host whose command line has this word in it. */
  const alive = (word: string) =>
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(word);
        } catch {
          return false;
        }
      });

  it("takes everything with it that was left in the background", async () => {
    const ran = await box.run(
      "sleep 98761 & (setsid sleep 98761 &) ; nohup sleep 98761 >/dev/null 2>&1 & disown; echo up",
    );
    expect(ran).toMatchObject({ text: "up\n", code: 0 });
    expect(alive("98761")).toEqual([]);
  });

  it("comes at the time limit, politely first", async () => {
    const ran = await box.run("trap 'echo bye; exit 3' TERM; sleep 98762 & wait", {
      timeoutMs: 300,
    });
    expect(ran).toMatchObject({ text: "bye\n", ended: "timeout", code: 3 });
    expect(alive("98762")).toEqual([]);
  });

  it("cannot be refused", async () => {
    const ran = await box.run("trap '' TERM HUP INT; while :; do sleep 0.01; done", {
      timeoutMs: 200,
    });
    expect(ran).toMatchObject({ ended: "timeout", code: null, signal: "SIGKILL" });
    expect(ran.durationMs).toBeLessThan(3_200);
  });

  it("comes with an abort, and an aborted signal starts nothing", async () => {
    const abort = new AbortController();
    const spec = { command: "trap '' TERM; echo up; sleep 98763 & wait; sleep 98763", cwd: "." };
    const full = { ...spec, timeoutMs: 60_000, opened: {} };
    const running = await box.sandbox.start(full, abort.signal);
    if (!running.ok) throw new Error(running.error.say);
    const reader = running.value.output[Symbol.asyncIterator]();
    await reader.next();
    abort.abort();
    expect(await running.value.done).toMatchObject({ ended: "killed" });
    expect(alive("98763")).toEqual([]);
    expect(await box.sandbox.start(full, abort.signal)).toMatchObject({
      ok: false,
      error: { code: "cancelled" },
    });
  });

  it("comes when the program that started it dies, whatever the way", async () => {
    const script = `
      import { findSandbox } from "#boundary/workspace/index.ts";
      const sandbox = await findSandbox(JSON.parse(process.argv[1]));
      const spec = { command: "echo up; sleep 98764", cwd: ".", timeoutMs: 60000, opened: {} };
      const running = await sandbox.start(spec, new AbortController().signal);
      for await (const chunk of running.value.output) process.kill(process.pid, "SIGKILL");
    `;
    const options = {
      workspace: box.root,
      scratch: join(box.top, "scratch"),
      quarantine: box.quarantine,
      home: box.home,
      hidden: [],
      shown: [],
      host: {},
    };
    const args = ["--input-type=module-typescript", "-e", script, JSON.stringify(options)];
    expect(() => execFileSync(process.execPath, args, { stdio: "pipe" })).toThrow();
    await expect.poll(() => alive("98764"), { timeout: 3_000 }).toEqual([]);
  });
});

describe("a workspace with a difficult name", () => {
  it.each([
    "$(touch pwned)",
    "`touch pwned`",
    "new\nline",
    "quote'\"",
    "-leading",
    "--bind",
    " space ",
    "*?[a]",
    "é ü 漢",
    "a;b&c|d",
  ])("%j works, and nothing in it is expanded", async (name) => {
    const odd = await boxed(name);
    try {
      const ran = await odd.run('pwd; echo x > "in $(basename -- "$PWD")"; ls -b | wc -l');
      expect(ran.text).toBe(`${odd.root}\n1\n`);
      expect(
        (await odd.run("mkdir -p sub/.vscode && echo x > sub/.vscode/tasks.json")).quarantined,
      ).toEqual(["sub/.vscode"]);
      expect(execFileSync("find", [odd.top, "-name", "pwned"]).toString()).toBe("");
    } finally {
      odd.close();
    }
  });
});

describe("a git workspace", () => {
  it("can be worked in, and is not changed by a harmless command", async () => {
    const own = await boxed();
    try {
      const git = (...args: string[]) => execFileSync("git", args, { cwd: own.root }).toString();
      git("init", "-q", "-b", "main");
      git("config", "user.email", "a@b.c");
      git("config", "user.name", "A");
      writeFileSync(join(own.root, "a"), "a\n");
      const everything = () =>
        execFileSync("find", [own.root, "-printf", "%p %y %m %s\n"]).toString();
      const before = { status: git("status", "--porcelain"), files: everything() };
      await own.run("ls -la; cat a; true");
      expect({ status: git("status", "--porcelain"), files: everything() }).toEqual(before);

      const ran = await own.run(`set -e
        git status --porcelain; git add a; git commit -qm one; git checkout -q -b other
        echo b >> a; git commit -qam two; git checkout -q main; git merge -q other
        git stash list; git tag v1; git log --oneline | wc -l; git worktree add -q wt other
        cd wt; echo c >> a; git commit -qam three; cd ..; git worktree remove wt; git gc -q 2> /dev/null
        git init -q nested; git init -q --bare bare.git; git -C nested status --porcelain`);
      expect(ran).toMatchObject({ text: "?? a\n2\n", code: 0, quarantined: [] });
      expect(git("log", "--oneline", "other").trim().split("\n")).toHaveLength(3);
      expect(git("fsck")).toBe("");
    } finally {
      own.close();
    }
  });

  it("can be read where its repository is elsewhere", async () => {
    const own = await boxed("tree");
    try {
      const main = join(own.top, "elsewhere/main");
      mkdirSync(main, { recursive: true });
      const git = (...args: string[]) =>
        execFileSync("git", ["-c", "user.email=a@b.c", "-c", "user.name=A", ...args], {
          cwd: main,
        });
      git("init", "-q", "-b", "main");
      git("commit", "-q", "--allow-empty", "-m", "first");
      git("worktree", "add", "-q", "-f", own.root, "-b", "side");
      const ran = await own.run("git log --oneline | wc -l; git status --porcelain; git branch");
      expect(ran).toMatchObject({ text: "1\n+ main\n* side\n", code: 0 });
      expect((await own.run(`echo x > ${main}/.git/HEAD`)).code).not.toBe(0);
      await own.run(`echo x > ${main}/x`);
      expect(existsSync(join(main, "x"))).toBe(false);
    } finally {
      own.close();
    }
  });
});
