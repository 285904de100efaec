// The command line: routes what was typed to its command, gives it what it needs, and answers how
// the process should end. A command loads only itself.
import type { App } from "#app";
import type { Config } from "#config";
import { type Failure, type Result, sentenceOf } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import type { Command } from "#interfaces/cli/command.ts";
import { commands } from "#interfaces/cli/commands/index.ts";
import { type ExitCode, exitOfFailure } from "#interfaces/cli/exit.ts";
import type { Interrupts } from "#interfaces/cli/interrupts.ts";
import { doorOf, type Opened, type Opening } from "#interfaces/cli/open.ts";
import { parse, route } from "#interfaces/cli/parse.ts";
import { type Streams, type Terminal, terminalOver } from "#interfaces/cli/terminal.ts";

/** What the process brings. */
export type World = {
  streams: Streams;
  env: Readonly<Record<string, string | undefined>>;
  /** The folder that the command was typed in. */
  folder: string;
  version: string;
  /** Milliseconds since 1970. */
  now(): number;
  interrupts: Interrupts;
  start(options: {
    config: Config;
    env: World["env"];
    ephemeral?: boolean;
    thread?: boolean;
  }): Promise<Result<App>>;
};

/** What a command works with. */
export type Cli = Omit<World, "streams" | "start"> & {
  terminal: Terminal;
  /** Opens the door, in a folder, with what the flags say. Closed when the command ends. */
  open(opening?: Opening): Promise<Result<Opened>>;
  /** The command table, for those that explain it. */
  table: { names: readonly string[]; load(name: string): Promise<Command> };
  /** Says what went wrong, and answers how to end. */
  fail(failure: Failure): ExitCode;
};

export type CommandLine = {
  run(argv: readonly string[]): Promise<ExitCode>;
  /** Closes what is open; nothing durable is lost. */
  close(): Promise<void>;
};

export function commandLine(world: World): CommandLine {
  const { streams, start, ...rest } = world;
  const door = doorOf(world);

  function cliOn(terminal: Terminal): Cli {
    return {
      ...rest,
      terminal,
      open: door.open,
      table: { names: Object.keys(commands), load },
      fail(failure) {
        terminal.err(`${terminal.paint.err.red("aiex:")} ${reveal(sentenceOf(failure))}\n`);
        return exitOfFailure(failure.code);
      },
    };
  }

  return {
    async run(argv) {
      const cli = cliOn(terminalOver(streams, world.env, "auto"));
      const routed = route(argv, Object.keys(commands));
      if (!routed.ok) return cli.fail(routed.error);
      const command = await load(routed.value.name);
      const parsed = parse(command, routed.value.rest);
      if (!parsed.ok) return cli.fail(parsed.error);
      const { color, help, args, options } = parsed.value;
      const coloured = cliOn(terminalOver(streams, world.env, color));
      try {
        if (!help) return await command.run({ args, options }, coloured);
        const { helpOf } = await import("#interfaces/cli/help.ts");
        coloured.terminal.out(helpOf(command, coloured.terminal.paint.out));
        return 0;
      } finally {
        await door.close();
      }
    },
    close: door.close,
  };
}

/** A command by a name of the table. */
async function load(name: string): Promise<Command> {
  const loading = commands[name];
  if (!loading) throw new Error(`the table has no command ${name}`);
  return await loading();
}
