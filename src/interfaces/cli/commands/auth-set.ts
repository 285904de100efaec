// `aiex auth set`: keeps the keys of a provider, encrypted. A key is typed without being shown, or
// piped; never an argument, which other programs could see.
import { StringDecoder } from "node:string_decoder";
import type { Failure } from "#core/failure.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { count } from "#interfaces/cli/figures.ts";

/** Characters of what is piped, at most. */
const INPUT_CHARS_MAX = 100_000;

export const set = defineCommand({
  name: "auth set",
  level: "everyday",
  unquoted: true,
  about: "Keep the key of a provider, encrypted.",
  more: `You are asked for the key and it is not shown, or it is read from standard input. Several
keys, one a line or separated by commas, are separate accounts: when one is refused or used up the
others go on. A key in the environment counts more than a kept one. The kept ones are sealed with
your system's keychain, or where there is none with a file that only you can read.`,
  args: [{ name: "provider", about: "Whose: openai, anthropic, or one of your `providers`." }],
  examples: ["aiex auth set openai", "pass show openai | aiex auth set openai"],
  async run({ args: [provider = ""] }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app } = opened.value;
    // Before the question: nobody shall look up a key for a name that was mistyped.
    const names = await app.read({ type: "Providers" });
    if (!names.ok) return cli.fail(names.error);
    if (!names.value.includes(provider)) return cli.fail(noProvider(provider, names.value));
    const typed = cli.terminal.piped ? await pipedIn(cli) : await hidden(cli, provider);
    if (typed === null) {
      return cli.fail({ code: "cancelled", say: "no key was given, nothing was changed" });
    }
    const keys = typed
      .split(/[\r\n,]/)
      .map((key) => key.trim())
      .filter((key) => key !== "");
    if (keys.length === 0) {
      return cli.fail({ code: "bad_input", say: "no key was given", fix: "type or pipe it" });
    }
    const kept = await app.send({ type: "SetKeys", provider, keys });
    if (!kept.ok) return cli.fail(kept.error);
    const { terminal } = cli;
    terminal.out(`${count(keys.length, "key")} of ${provider} kept\n`);
    terminal.err(
      kept.value.stream === "keys:keychain"
        ? "  (sealed with your system's keychain)\n"
        : "  (there is no keychain here: sealed with a file that only you can read)\n",
    );
    return 0;
  },
});

const noProvider = (provider: string, names: readonly string[]): Failure => ({
  code: "bad_input",
  say: `there is no provider "${provider}"`,
  fix: `it is one of ${names.join(", ")}, or add it to \`providers\` first`,
});

async function pipedIn({ terminal }: Cli): Promise<string> {
  const decoder = new StringDecoder("utf8");
  let text = "";
  for await (const chunk of terminal.input()) {
    text += decoder.write(Buffer.from(chunk));
    if (text.length > INPUT_CHARS_MAX) break;
  }
  return text;
}

const ENTER = new Set(["\r", "\n"]);
const LEAVE = new Set(["\u0003", "\u0004"]);
const ERASE = new Set(["\u007f", "\b"]);

/**
 * Reads what is typed until Enter without showing it; null where the user leaves. Several lines
 * that are pasted at once come as one piece: only an Enter that ends a piece ends the reading.
 */
async function hidden({ terminal, interrupts }: Cli, provider: string): Promise<string | null> {
  const input = terminal.input() as AsyncIterable<Uint8Array> & {
    setRawMode?: (on: boolean) => void;
  };
  // Before the question: what is typed at once after it must not be shown either.
  input.setRawMode?.(true);
  terminal.err(`Key of ${provider} (it is not shown; several: by commas): `);
  const decoder = new StringDecoder("utf8");
  let typed = "";
  try {
    for await (const chunk of input) {
      const piece = decoder.write(Buffer.from(chunk));
      for (const char of piece) {
        if (char === "\u0003") interrupts.fire();
        if (LEAVE.has(char)) return null;
        typed = ERASE.has(char) ? typed.slice(0, -1) : typed + char;
      }
      if (ENTER.has(piece.slice(-1)) || typed.length > INPUT_CHARS_MAX) return typed;
    }
    return null;
  } finally {
    input.setRawMode?.(false);
    terminal.err("\n");
  }
}
