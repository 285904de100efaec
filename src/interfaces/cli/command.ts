// A command as data: what it is called, what it takes, how it is explained, and what it does. The
// parser, the help, the completions and docs/cli.md all read this one definition.
import type { Cli } from "#interfaces/cli/cli.ts";
import type { ExitCode } from "#interfaces/cli/exit.ts";

/** Who needs it: everybody every day · somebody now and then · who looks after the machine. */
export type Level = "everyday" | "advanced" | "operator";

export type Option = {
  about: string;
  /** One letter for `-x`. */
  short?: string;
  /** What stands for the value in the help. An option without it is a flag. */
  value?: string;
  choices?: readonly string[];
  number?: true;
  /** May be given several times. */
  many?: true;
};

export type Arg = { name: string; about: string; optional?: true; many?: true };

export type Options = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends { value: string }
  ? O extends { many: true }
    ? string[]
    : O extends { number: true }
      ? number | undefined
      : O extends { choices: readonly (infer C)[] }
        ? C | undefined
        : string | undefined
  : boolean;

export type Values<O extends Options> = { [K in keyof O]: ValueOf<O[K]> };

export type Given<O extends Options = Options> = { args: string[]; options: Values<O> };

export type Command<O extends Options = Options> = {
  /** What is typed: one word, or a group and a verb. */
  name: string;
  level: Level;
  /** One line. */
  about: string;
  /** What else a user needs to know, as one paragraph. */
  more?: string;
  args?: readonly Arg[];
  options?: O;
  examples: readonly string[];
  /** What is typed after it by mistake may be a secret, and is not repeated in an error. */
  unquoted?: true;
  run(given: Given<O>, cli: Cli): Promise<ExitCode>;
};

export function defineCommand<const O extends Options>(command: Command<O>): Command {
  return command as unknown as Command;
}

/** How a command is typed, for help and errors. */
export function usageOf({ name, args = [], options = {} }: Command): string {
  const words = args.map(({ name: arg, optional, many }) => {
    const word = many ? `${arg}…` : arg;
    return optional ? `[${word}]` : `<${word}>`;
  });
  const some = Object.keys(options).length > 0 ? ["[options]"] : [];
  return ["aiex", name, ...words, ...some].filter(Boolean).join(" ");
}
