// `aiex views rebuild`: makes the lists again from the log, which alone is the truth.
import type { App } from "#app";
import { defineCommand } from "#interfaces/cli/command.ts";
import { count, lasted } from "#interfaces/cli/figures.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";

const JOB = "job:views";

export const rebuild = defineCommand({
  name: "views rebuild",
  level: "operator",
  about: "Make every list again from the log.",
  examples: ["aiex views rebuild"],
  async run(_, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app } = opened.value;
    const began = cli.now();
    const over = new AbortController();
    const showing = progress(app, cli.terminal, over.signal);
    const done = await app.send({ type: "RebuildViews" });
    over.abort();
    await showing;
    if (!done.ok) return cli.fail(done.error);
    const records = count(done.value.version, "record");
    cli.terminal.out(`rebuilt from ${records} in ${lasted(cli.now() - began)}\n`);
    return 0;
  },
});

async function progress(app: App, terminal: Terminal, signal: AbortSignal): Promise<void> {
  for await (const item of app.listen({ session: JOB }, signal)) {
    if (item.type === "output") terminal.status(`${item.text} …`);
  }
}
