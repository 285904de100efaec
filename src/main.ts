// The program: from the process to the command line and back to an exit code. The only file that
// touches process.argv and process.exit; it loads nothing before it knows what is wanted.
import type { World } from "#interfaces/cli/cli.ts";
import type { ExitCode } from "#interfaces/cli/exit.ts";
import { buildInfo } from "./build.ts";

const BAD_USAGE: ExitCode = 2;
const BUG: ExitCode = 70;
const STORAGE: ExitCode = 74;
const READER_GONE: ExitCode = 141;
const TERMINATED: ExitCode = 143;
const CANCELLED: ExitCode = 130;

const argv = process.argv.slice(2);
const { version } = buildInfo();

if (["--version", "-V", "version"].includes(argv[0] ?? "") && argv.length === 1) {
  process.stdout.write(`aiex ${version}\n`);
} else if (process.platform === "win32") {
  process.stderr.write(
    "Aiex runs on Linux and macOS. On Windows it runs inside WSL:\n" +
      "  wsl --install        (once, then restart)\n" +
      "  wsl                  and install Aiex there\n",
  );
  process.exitCode = BAD_USAGE;
} else {
  await main();
}

async function main(): Promise<void> {
  process.on("uncaughtException", bug);
  process.on("unhandledRejection", bug);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(READER_GONE);
      outputFailed(error);
    });
  }
  const [{ commandLine }, { interruptsTo }] = await Promise.all([
    import("#interfaces/cli/cli.ts"),
    import("#interfaces/cli/interrupts.ts"),
  ]);
  const interrupts = interruptsTo(() => process.exit(CANCELLED));
  const folder = presentFolder();
  if (folder === null) {
    process.stderr.write("aiex: the present folder is gone; change to one that exists\n");
    process.exit(BAD_USAGE);
  }
  const line = commandLine(worldWith(interrupts, folder));
  process.on("SIGINT", interrupts.fire);
  let ending: ExitCode | null = null;
  for (const signal of ["SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      ending = TERMINATED;
      void line.close().finally(() => process.exit(TERMINATED));
    });
  }
  const code = await line.run(argv);
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(ending ?? code);
}

function worldWith(interrupts: World["interrupts"], folder: string): World {
  return {
    streams: { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
    env: process.env,
    folder,
    version,
    now: Date.now,
    interrupts,
    start: async (options) => (await import("./start.ts")).start({ ...options, env: process.env }),
  };
}

/** The folder that the command was typed in; null where it was removed meanwhile. */
function presentFolder(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}

/** What standard output leads to is full or gone: nothing of ours. */
function outputFailed({ message }: Error): never {
  process.stderr.write(`\naiex: the output cannot be written: ${message}\n`);
  process.exit(STORAGE);
}

function bug(error: unknown): void {
  // To a file Node writes at once, and throws where it was asked to.
  if (isOutputFailure(error)) outputFailed(error);
  const { stack, message } = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(
    `\naiex: this is a bug in Aiex, not your mistake: ${message}\n` +
      "What was logged is safe, and `aiex ask --continue` goes on. Please report this:\n" +
      `aiex ${version}, node ${process.version}, ${process.platform}\n${stack ?? ""}\n`,
  );
  process.exit(BUG);
}

// A function: a bug may end the program before its last line was reached.
function isOutputFailure(error: unknown): error is Error {
  return (
    error instanceof Error &&
    (error as NodeJS.ErrnoException).syscall === "write" &&
    (error.stack ?? "").includes("SyncWriteStream")
  );
}
