// `aiex context "prompt"`: what a model would be sent for it, what that costs, and why each piece is
// there. Nothing is sent.
import type { Answers } from "#app";
import { dollars } from "#core/model/money.ts";
import { reveal } from "#core/security/screen.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { column, cut, short } from "#interfaces/cli/figures.ts";
import { upToDate } from "#interfaces/cli/indexing.ts";
import { lineOf } from "#interfaces/cli/json.ts";

export const context = defineCommand({
  name: "context",
  level: "advanced",
  about: "Show what a model would be sent for a prompt, what it costs, and why.",
  more: `Nothing is sent. Tokens are counted by the model's encoding where it is known. Code is in a
    request by themselves only where context.codeTokens gives them room; else the model finds them
    with its tools, and this command shows what would be found first.`,
  args: [{ name: "prompt", about: "What you would ask.", many: true }],
  options: {
    model: { about: "The model instead of the configured one.", value: "name" },
    cwd: { about: "The folder instead of this one.", value: "folder" },
    text: { about: "Show the text of each piece, too." },
    json: { about: "One JSON object." },
  },
  examples: ['aiex context "why does the retry never stop"'],
  async run({ args, options }, cli) {
    const opened = await cli.open(options.cwd === undefined ? {} : { folder: options.cwd });
    if (!opened.ok) return cli.fail(opened.error);
    const { app, location } = opened.value;
    const path = location.path;
    const fresh = await upToDate(app, cli.terminal, { path });
    if (!fresh.ok) return cli.fail(fresh.error);
    const text = args.join(" ");
    const model = options.model === undefined ? {} : { model: options.model };
    const made = await app.read({ type: "Context", path, text, ...model });
    if (!made.ok) return cli.fail(made.error);
    const shown = made.value as Answers["Context"];
    if (options.json) cli.terminal.out(lineOf("context", shown));
    else show(shown, cli, options.text);
    return 0;
  },
});

function show(made: Answers["Context"], cli: Cli, withText: boolean): void {
  const { dim, bold } = cli.terminal.paint.out;
  const { out } = cli.terminal;
  const room = Math.max(24, cli.terminal.columns - 50);
  for (const { kind, name, tokens, why, text } of made.pieces) {
    const left = `${column(kind, 13)} ${column(short(tokens), 8)}`;
    out(`${left} ${cut(reveal(name), room)}  ${dim(reveal(why))}\n`);
    if (withText)
      out(
        `${text
          .split("\n")
          .map((line) => `    ${reveal(line)}`)
          .join("\n")}\n`,
      );
  }
  for (const { kind, name, tokens, why } of made.left) {
    const left = `${column(kind, 13)} ${column(short(tokens), 8)}`;
    out(dim(`${left} ${cut(reveal(name), room)}  left out: ${why}\n`));
  }
  const cost = made.nanoDollars === null ? "" : `, about ${dollars(made.nanoDollars)}`;
  const [least, most] = made.within;
  const about = least === most ? "" : "about ";
  const sum = `${about}${short(made.tokens)} of ${short(made.room)} tokens`;
  const error = least === most ? "" : ` (${least} to ${most} times the true count)`;
  out(`${bold(sum)}${dim(error)}${cost} for ${reveal(made.model)}\n`);
}
