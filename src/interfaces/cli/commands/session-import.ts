// `aiex session import`: adds a session that `export` wrote, after every record was verified.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { defineCommand } from "#interfaces/cli/command.ts";

export const importSession = defineCommand({
  name: "session import",
  level: "advanced",
  about: "Add a session that `session export` wrote.",
  more: "Every record and blob is checked against its hash; one that was changed refuses the whole.",
  args: [{ name: "file", about: "The file; - is standard input." }],
  examples: ["aiex session import fix.jsonl", "zcat s.gz | aiex session import -"],
  async run({ args: [file = ""] }, cli) {
    const { terminal, folder } = cli;
    let text: string;
    try {
      text =
        file === "-"
          ? Buffer.concat(await Array.fromAsync(terminal.input())).toString("utf8")
          : await readFile(resolve(folder, file), "utf8");
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const say = code === "ENOENT" ? `there is no file ${file}` : `${file}: ${message}`;
      return cli.fail({ code: "bad_input", say, fix: "check the path" });
    }
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const done = await opened.value.app.send({ type: "ImportSession", text, cwd: folder });
    if (!done.ok) return cli.fail(done.error);
    terminal.out(`${done.value.stream}\n`);
    terminal.err(`imported; aiex session show ${done.value.stream}\n`);
    return 0;
  },
});
