// `aiex map`: the repository at a glance, as much of it as fits a number of tokens.
import { type Answers, MAP_TOKENS_MAX } from "#app";
import { fail } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { upToDate } from "#interfaces/cli/indexing.ts";
import { lineOf } from "#interfaces/cli/json.ts";

/** Tokens where nobody says how many. */
const TOKENS = 2_000;

export const map = defineCommand({
  name: "map",
  level: "everyday",
  about: "Show the symbols that most of the code refers to, with their signatures.",
  more: `Files stand in the order of their paths; tests, documentation and what programs made come
    last. With --focus the map is about what a text asks for, or about the paths that it names.`,
  options: {
    tokens: { about: "How long it may be, in tokens.", value: "n", number: true },
    focus: { about: "What it is to be about, in words and paths.", value: "text" },
    cwd: { about: "The folder instead of this one.", value: "folder" },
    json: { about: "One JSON object." },
  },
  examples: ["aiex map", 'aiex map --tokens 4000 --focus "src/server retry and timeouts"'],
  async run({ options }, cli) {
    const tokens = options.tokens ?? TOKENS;
    if (tokens < 1 || tokens > MAP_TOKENS_MAX) {
      const say = `--tokens is from 1 to ${MAP_TOKENS_MAX}`;
      return cli.fail(fail("bad_input", say, { fix: "give another" }).error);
    }
    const opened = await cli.open(options.cwd === undefined ? {} : { folder: options.cwd });
    if (!opened.ok) return cli.fail(opened.error);
    const { app, location } = opened.value;
    const { path } = location;
    const fresh = await upToDate(app, cli.terminal, { path });
    if (!fresh.ok) return cli.fail(fresh.error);
    const { focus } = options;
    const made = await app.read({ type: "Map", path, tokens, ...(focus ? { focus } : {}) });
    if (!made.ok) return cli.fail(made.error);
    const drawn = made.value as Answers["Map"];
    if (options.json) cli.terminal.out(lineOf("map", { ...drawn }));
    else if (drawn.text !== "") {
      cli.terminal.out(`${drawn.text.split("\n").map(reveal).join("\n")}\n`);
    }
    if (drawn.symbols > 0) return 0;
    cli.terminal.err("nothing that could be shown; more tokens may do better\n");
    return 1;
  },
});
