// Which sockets of the host a command could see by their names in the file system.
import { accessSync, constants, lstatSync, readFileSync } from "node:fs";
import { codeOf } from "#boundary/beneath.ts";

/** Sockets of the host that are covered one by one, in one command. */
const SOCKETS_MAX = 200;

/**
 * Sockets of the host that have a name in the file system: a read-only mount does not keep anybody
 * from connecting, so each that would be seen is covered.
 */
export function hostSockets(): string[] {
  try {
    accessSync("/proc/net/unix", constants.R_OK);
    const paths = readFileSync("/proc/net/unix", "utf8")
      .split("\n")
      .flatMap((line) => /^\S+: (?:\S+ ){5}\s*\d+ (\/.*)$/.exec(line)?.[1] ?? []);
    return [...new Set(paths)].filter(isSocket).slice(0, SOCKETS_MAX);
  } catch (error) {
    if (codeOf(error) === "") throw error;
    return [];
  }
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}
