// `aiex session import`: adds a session that `export` wrote, after every record was verified.
import { resolve } from "node:path";
import { fail, ok, type Result } from "#core/failure.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { readGiven } from "#interfaces/cli/given-file.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";

/** Bytes of an export: it is verified whole, as one text, before anything of it is written. */
const EXPORT_BYTES_MAX = 268_435_456;
const TOO_LARGE_FIX = "erase what is not needed of it before it is exported";

export const importSession = defineCommand({
  name: "session import",
  level: "advanced",
  about: "Add a session that `session export` wrote.",
  more: `Every record and blob is checked against its hash; one that was changed refuses the whole.
What was done before was done to other files, so it can be neither undone nor brought back here.`,
  args: [{ name: "file", about: "The file; - is standard input." }],
  examples: ["aiex session import fix.jsonl", "zcat s.gz | aiex session import -"],
  async run({ args: [file = ""] }, cli) {
    const { terminal, folder } = cli;
    const given = file === "-" ? await standardInput(terminal) : await fileNamed(file, folder);
    if (!given.ok) return cli.fail(given.error);
    const text = given.value.toString("utf8");
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const done = await opened.value.app.send({ type: "ImportSession", text, cwd: folder });
    if (!done.ok) return cli.fail(done.error);
    terminal.out(`${done.value.stream}\n`);
    terminal.err(`imported; aiex session show ${done.value.stream}\n`);
    return 0;
  },
});

const fileNamed = (name: string, folder: string): Promise<Result<Buffer>> =>
  readGiven(resolve(folder, name), {
    name,
    bytesMax: EXPORT_BYTES_MAX,
    tooLargeFix: TOO_LARGE_FIX,
  });

async function standardInput(terminal: Terminal): Promise<Result<Buffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of terminal.input()) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > EXPORT_BYTES_MAX) {
        const say = `standard input has more than ${EXPORT_BYTES_MAX} bytes`;
        return fail("too_large", say, { fix: TOO_LARGE_FIX });
      }
    }
  } catch (error) {
    const say = `standard input cannot be read: ${(error as Error).message}`;
    return fail("bad_input", say, { fix: "pipe an export into it, or name a file" });
  }
  return ok(Buffer.concat(chunks));
}
