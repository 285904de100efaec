// The completion scripts in the shells that they are for: interactive ones, in a terminal, with Tab.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { Machine } from "./aiex.ts";

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
});
afterEach(() => machine.remove());

/** Each begins without anybody's configuration: in zsh nobody has run `compinit`. */
const shells = { bash: ["--norc", "-i"], zsh: ["-f", "-i"], fish: ["--no-config", "-i"] };

it.for(Object.entries(shells))("%s completes commands, verbs and options", async (given, ctx) => {
  const [shell, args] = given;
  if (spawnSync(shell, ["--version"]).error) ctx.skip(`${shell} is not installed`);
  const script = await machine.run(["completion", shell]);
  expect(script).toMatchObject({ code: 0, err: "" });
  const bin = join(machine.root, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "aiex"), '#!/bin/sh\necho "ran <$*>"\n', { mode: 0o755 });
  writeFileSync(join(machine.root, "script"), script.out);
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: machine.root, TERM: "xterm" };
  const terminal = spawn(shell, args, { cwd: machine.root, env, cols: 120, rows: 24 });
  onTestFinished(() => terminal.kill("SIGKILL"));
  let screen = "";
  const shows = (text: string) =>
    new Promise<void>((resolve) => {
      const listening = terminal.onData((more) => {
        screen += more;
        if (!screen.includes(text)) return;
        listening.dispose();
        resolve();
      });
    });
  terminal.write("source ./script; echo rea''dy\r");
  await shows("ready");
  terminal.write("aiex sess\tsho\t--fu\t\r");
  await shows("ran <session show --full>");
});
