// What this build is. The bundle carries it as a constant; run from source it is read from the
// tree, and no snapshot is shared between two runs, because the code may have changed between.
import { readFileSync } from "node:fs";

declare const AIEX_BUILD: { version: string; fingerprint: string } | undefined;

/** Whether this is the bundle, and not the source. */
export const isBundled = (): boolean => typeof AIEX_BUILD !== "undefined";

export function buildInfo(): { version: string; fingerprint: string } {
  if (typeof AIEX_BUILD !== "undefined") return AIEX_BUILD;
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return { version, fingerprint: `source-${process.pid}-${Math.trunc(performance.timeOrigin)}` };
}
