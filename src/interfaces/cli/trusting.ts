// A folder is asked about once before anything of it is obeyed or run, and again when its project
// configuration has changed since.
import { fail, ok, type Result } from "#core/failure.ts";
import { reveal } from "#core/security/screen.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import type { Opened } from "#interfaces/cli/open.ts";

/** What trust means, said wherever it is asked for. */
export const meaning = (path: string): string =>
  [
    `This folder is not trusted yet: ${reveal(path)}`,
    "If you trust it, Aiex may read and change its files, run its commands in the sandbox,",
    "and follow its AGENTS.md and .aiex/config.json. Nothing of it was obeyed or run so far.",
  ].join("\n");

/** Sees to it that the folder is trusted: it is, the flag says so, or the user does. */
export async function ensureTrusted(
  opened: Opened,
  cli: Cli,
  options: { trust: boolean; ask: boolean },
): Promise<Result<{ isNew: boolean }>> {
  const { app, location } = opened;
  if (location.trusted) return ok({ isNew: false });
  const { terminal } = cli;
  if (!options.trust) {
    if (!options.ask || !terminal.interactive) return untrusted(location.path);
    if (!(await confirm(cli, `${meaning(location.path)}\n`, "Trust this folder?"))) {
      return untrusted(location.path);
    }
  }
  const done = await app.send({ type: "Trust", path: location.path });
  return done.ok ? ok({ isNew: true }) : done;
}

const untrusted = (path: string) =>
  fail("untrusted", `${path} is not trusted, so nothing was done in it`, {
    fix: `look at what is in it, then: aiex trust ${quoted(path)} (or add --trust)`,
  });

/** A path as a shell takes it. */
export const quoted = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;

/** A question that is answered with yes or no; anything but yes is no. */
export async function confirm(
  { terminal, interrupts }: Cli,
  about: string,
  question: string,
  options: { yesByDefault?: boolean } = {},
): Promise<boolean> {
  terminal.err(about);
  const keyboard = terminal.keyboard(interrupts.fire);
  try {
    const choice = options.yesByDefault ? "[Y/n]" : "[y/N]";
    const typed = await keyboard.ask(`${question} ${choice} `);
    if (typed === null) return false;
    const word = typed.trim().toLowerCase();
    return word === "" ? Boolean(options.yesByDefault) : word === "y" || word === "yes";
  } finally {
    keyboard.close();
  }
}
