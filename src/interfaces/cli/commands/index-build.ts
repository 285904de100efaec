// `aiex index`: makes the code index of a folder, or brings it up to date; `aiex index status` says
// what is in it.
import type { Answers } from "#app";
import { defineCommand } from "#interfaces/cli/command.ts";
import { ago, count, lasted } from "#interfaces/cli/figures.ts";
import { upToDate } from "#interfaces/cli/indexing.ts";
import { lineOf } from "#interfaces/cli/json.ts";

const folder = { about: "The folder instead of this one.", value: "folder" } as const;

export const build = defineCommand({
  name: "index",
  level: "advanced",
  about: "Make the code index of this folder, or bring it up to date.",
  more: `Searches do it by themselves. What is unchanged is not read again, also after switching
    branches; interrupted it goes on where it was.`,
  options: {
    rebuild: { about: "Forget what there is and make it anew." },
    cwd: folder,
    json: { about: "One JSON object." },
  },
  examples: ["aiex index", "aiex index --rebuild"],
  async run({ options }, cli) {
    const opened = await cli.open(options.cwd === undefined ? {} : { folder: options.cwd });
    if (!opened.ok) return cli.fail(opened.error);
    const { app, location } = opened.value;
    const began = cli.now();
    const path = location.path;
    const done = await upToDate(app, cli.terminal, { path, anew: options.rebuild });
    if (!done.ok) return cli.fail(done.error);
    const known = await app.read({ type: "IndexStatus", path });
    if (!known.ok) return cli.fail(known.error);
    const now = known.value as Answers["IndexStatus"];
    if (options.json) cli.terminal.out(lineOf("index", { read: done.value, ...now }));
    else {
      const read = `read ${count(done.value, "file")} in ${lasted(cli.now() - began)}`;
      cli.terminal.out(`${read}; ${holds(now)}\n`);
    }
    return 0;
  },
});

export const status = defineCommand({
  name: "index status",
  level: "advanced",
  about: "Show what the code index of this folder holds.",
  options: { cwd: folder, json: { about: "One JSON object." } },
  examples: ["aiex index status"],
  async run({ options }, cli) {
    const opened = await cli.open(options.cwd === undefined ? {} : { folder: options.cwd });
    if (!opened.ok) return cli.fail(opened.error);
    const { app, location } = opened.value;
    const known = await app.read({ type: "IndexStatus", path: location.path });
    if (!known.ok) return cli.fail(known.error);
    const now = known.value as Answers["IndexStatus"];
    if (options.json) cli.terminal.out(lineOf("index", now));
    else {
      const when = now.at === null ? "never made; `aiex index` makes it" : ago(now.at, cli.now());
      cli.terminal.out(
        `${holds(now)}\nup to date: ${when}\n${now.file} (${Math.ceil(now.bytes / 1_048_576)} MiB)\n`,
      );
    }
    return 0;
  },
});

const holds = ({ files, chunks, symbols, commits }: Answers["IndexStatus"]): string =>
  [
    count(files, "file"),
    count(chunks, "chunk"),
    count(symbols, "symbol"),
    count(commits, "commit"),
  ].join(", ");
