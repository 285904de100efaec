// What holds for every command, contained or not: a suite over all adapters of the sandbox port.
// What a sandbox keeps away is shown in escape.test.ts and guard.test.ts, for the adapters that are
// one.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type CommandSpec,
  type Opened,
  type Sandbox,
  SENT_BYTES_MAX,
} from "#boundary/workspace/sandbox-port.ts";

export type SandboxUnderTest = {
  sandbox: Sandbox;
  root: string;
  /** What a command needs to run at all with this adapter. */
  opened: Opened;
  /** Why it cannot be tried here, if it cannot. */
  missing: string | null;
};

export function sandboxContract(name: string, open: () => Promise<SandboxUnderTest>): void {
  describe(`sandbox: ${name}`, () => {
    let under: SandboxUnderTest;
    beforeEach(async (ctx) => {
      under = await open();
      if (under.missing) ctx.skip(under.missing);
    });
    const start = (command: CommandSpec["command"], more: Partial<CommandSpec> = {}) => {
      const spec = { command, cwd: ".", timeoutMs: 20_000, opened: under.opened, ...more };
      return under.sandbox.start(spec, AbortSignal.timeout(30_000));
    };
    const run = async (...given: Parameters<typeof start>) => {
      const running = await start(...given);
      if (!running.ok) throw new Error(running.error.say);
      const chunks = await Array.fromAsync(running.value.output);
      return { ...(await running.value.done), text: Buffer.concat(chunks).toString() };
    };

    it("gives both streams in order, and the exit code", async () => {
      const ran = await run("echo one; echo two >&2; echo three > /dev/stdout; exit 7");
      expect(ran).toMatchObject({ text: "one\ntwo\nthree\n", code: 7, ended: "exit" });
    });

    it("runs an argv as it is", async () => {
      expect(await run(["printf", "%s|", "$HOME", "a b"])).toMatchObject({ text: "$HOME|a b|" });
    });

    it("builds the environment up", async () => {
      const { text } = await run("env", { env: { GIVEN: "x" } });
      expect(text).toMatch(/^GIVEN=x$/m);
      expect(text).toMatch(/^TERM=dumb$/m);
      expect(text).not.toMatch(/VITEST|NODE_OPTIONS|npm_/);
    });

    it("runs in a folder of the workspace, and in no other", async () => {
      mkdirSync(join(under.root, "sub"), { recursive: true });
      expect((await run("pwd", { cwd: "sub" })).text).toBe(`${under.root}/sub\n`);
      for (const cwd of ["..", "/", "nothing", "sub/../.."]) {
        expect((await start("true", { cwd })).ok).toBe(false);
      }
    });

    it("refuses what cannot be a command", async () => {
      for (const command of ["", "a\0b", [], ["x", "a\0"], "x".repeat(200_000)]) {
        expect((await start(command)).ok, JSON.stringify(command).slice(0, 20)).toBe(false);
      }
      expect((await start("true", { env: { "A B": "x" } })).ok).toBe(false);
      expect((await start("true", { env: { A: "x\0" } })).ok).toBe(false);
    });

    it("ends at the limit, and takes along what was started", async () => {
      const ran = await run("sleep 87651 & trap '' TERM; while :; do sleep 0.02; done", {
        timeoutMs: 200,
      });
      expect(ran).toMatchObject({ ended: "timeout", code: null });
      expect((await run("pgrep -f '[s]leep 87651' || echo none")).text).toBe("none\n");
    });

    it("gives what is sent to a command that talks, and to no other", async () => {
      const running = await start("read -r line; echo got $line", { talks: true });
      if (!running.ok) throw new Error(running.error.say);
      expect(running.value.send?.(Buffer.from("this\n"))).toBe(true);
      const chunks = await Array.fromAsync(running.value.output);
      expect(Buffer.concat(chunks).toString()).toBe("got this\n");
      expect(await running.value.done).toMatchObject({ code: 0 });
      expect(running.value.send?.(Buffer.from("late\n"))).toBe(false);
      const other = await start("read -r line || echo nothing");
      expect(other.ok && other.value.send).toBeUndefined();
    });

    it("takes no more than it holds for a command that does not read", async () => {
      const running = await start("sleep 60", { talks: true });
      if (!running.ok) throw new Error(running.error.say);
      const part = Buffer.alloc(SENT_BYTES_MAX / 4);
      const taken = [1, 2, 3, 4, 5, 6].map(() => running.value.send?.(part));
      expect(taken).toContain(false);
      running.value.kill();
      expect(await running.value.done).toMatchObject({ ended: "killed" });
    });

    it("can be killed more than once, and tells its end once", async () => {
      const running = await start("sleep 60");
      if (!running.ok) throw new Error(running.error.say);
      running.value.kill();
      running.value.kill();
      expect(await running.value.done).toMatchObject({ ended: "killed", code: null });
      running.value.kill();
    });
  });
}
