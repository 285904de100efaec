// `aiex verify`: which commands prove something in a folder, and the one question about those that
// were found in its files.
import type { VerifyRow } from "#app";
import { reveal } from "#core/security/screen.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { lineOf } from "#interfaces/cli/json.ts";
import { confirmVerify, verifyLines } from "#interfaces/cli/verifying.ts";

export const verify = defineCommand({
  name: "verify",
  level: "everyday",
  about: "Show what proves that work holds here, and confirm it.",
  more: `A command counts as evidence if you configured it (\`verify\`), or if it was found in the
project's manifests or CI files and you confirmed it in this folder, once. When what it runs
changes, it asks again. Nothing is run by this.`,
  args: [{ name: "path", about: "The folder; this one if it is left out.", optional: true }],
  options: {
    confirm: { about: "Confirm these commands without a question.", value: "command", many: true },
    json: { about: "One JSON object a line." },
  },
  examples: ["aiex verify", 'aiex verify --confirm "npm test"'],
  async run({ args, options }, cli) {
    const opened = await cli.open({ folder: args[0] });
    if (!opened.ok) return cli.fail(opened.error);
    const { app, location } = opened.value;
    const { path } = location;
    const rows = await app.read({ type: "Verify", path });
    if (!rows.ok) return cli.fail(rows.error);
    const unknown = options.confirm.find((name) => !rows.value.some(isNamed(name)));
    if (unknown !== undefined) return cli.fail(notFound(unknown));
    for (const row of rows.value.filter((one) =>
      options.confirm.some((name) => isNamed(name)(one)),
    )) {
      const done = await app.send({ type: "ConfirmVerify", path, key: row.key });
      if (!done.ok) return cli.fail(done.error);
    }
    const now = await app.read({ type: "Verify", path });
    if (!now.ok) return cli.fail(now.error);
    show(now.value, { json: options.json, trusted: location.trusted }, cli);
    const isAsking = !options.json && options.confirm.length === 0 && cli.terminal.interactive;
    const asked = isAsking ? await confirmVerify(app, path, cli) : null;
    return asked && !asked.ok ? cli.fail(asked.error) : 0;
  },
});

const isNamed = (name: string) => (row: VerifyRow) => row.command === name.trim();

const notFound = (name: string) =>
  ({
    code: "not_found",
    say: `no verify command "${name}" was found here`,
    fix: "`aiex verify` shows what was; add others with `aiex config set verify`",
  }) as const;

function show(
  rows: readonly VerifyRow[],
  { json, trusted }: { json: boolean; trusted: boolean },
  { terminal }: Cli,
): void {
  if (json) {
    for (const row of rows) terminal.out(lineOf("verify", row));
    return;
  }
  if (rows.length === 0) {
    const why = trusted ? "" : " (the folder is not trusted, so its files were not looked at)";
    terminal.out(`no verify command was found here${why}\n`);
    terminal.out("add one: aiex config set verify '[\"make check\"]'\n");
    return;
  }
  for (const line of verifyLines(rows)) terminal.out(`${reveal(line)}\n`);
}
