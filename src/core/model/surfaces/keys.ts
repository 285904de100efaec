// Keys that the surfaces of several families have in the same form.
import * as z from "zod/mini";

/** UTF-16 units of one side of an edit, as the inner tool bounds it. */
const TEXT_CHARACTERS_MAX = 200_000;
/** UTF-16 units of a file's content. */
const CONTENT_CHARACTERS_MAX = 1_000_000;
const COMMAND_CHARACTERS_MAX = 100_000;
const PATH_CHARACTERS_MAX = 4_096;
/** Items of a list of things to do. */
export const TODO_ITEMS_MAX = 50;

export const pathKey = (about: string) =>
  z.string().check(z.minLength(1), z.maxLength(PATH_CHARACTERS_MAX), z.describe(about));
export const textKey = (about: string) =>
  z.string().check(z.maxLength(TEXT_CHARACTERS_MAX), z.describe(about));
export const contentKey = z
  .string()
  .check(z.maxLength(CONTENT_CHARACTERS_MAX), z.describe("The whole content of the file."));
export const commandKey = z
  .string()
  .check(z.minLength(1), z.maxLength(COMMAND_CHARACTERS_MAX), z.describe("Command for bash."));
export const patternKey = (about: string, charactersMax: number) =>
  z.string().check(z.minLength(1), z.maxLength(charactersMax), z.describe(about));
export const wordKey = (about: string) => z.string().check(z.maxLength(2_000), z.describe(about));
export const todoKey = z.string().check(z.minLength(1), z.maxLength(300));
export const lineKey = (about: string) => z.int().check(z.gte(1), z.describe(about));
export const flagKey = (about: string) => z.boolean().check(z.describe(about));

/** How a command asks to leave the sandbox; the same for every family, none was trained on it. */
/** Hosts that a command needs, as `run` takes them. */
export const hostsKey = z
  .array(z.string().check(z.maxLength(300)))
  .check(
    z.maxLength(100),
    z.describe('For network: the hosts needed, e.g. ["registry.npmjs.org", "*.docs.rs"].'),
  );

export const escalateKey = z
  .strictObject({
    kind: z.enum(["network", "path", "protected", "secret", "unsandboxed"]),
    path: z.optional(
      z
        .string()
        .check(z.describe("Path wanted: absolute for path and protected; the file for secret.")),
    ),
    hosts: z.optional(hostsKey),
    why: z.string().check(z.minLength(1), z.maxLength(500)),
  })
  .check(z.describe("Ask the user to let this command out of the sandbox."));

/** What a command may do, for the descriptions of all command tools. */
export const SANDBOX = [
  "It runs in a sandbox: it may write only in the workspace and its temporary folder, has no",
  "network, and cannot read secrets of the home folder or secret files of the workspace (.env, keys;",
  "kind secret asks for one). If the sandbox refuses what the task needs,",
  "call again with `escalate`: the user is asked. Each call is a fresh shell: `cd` and variables do",
  "not last. A command that waits for input gets none.",
].join(" ");

/** Seconds of a time limit that was given in milliseconds: at least one, at most a day. */
export const secondsOf = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.min(86_400, Math.max(1, Math.ceil(ms / 1_000)));

/** Limit in milliseconds. */
export const millisecondsKey = (about: string) =>
  z.int().check(z.gte(1), z.lte(86_400_000), z.describe(about));
