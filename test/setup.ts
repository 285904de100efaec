// Before the suites: names what this machine lacks, so that a skip always has its reason.
import { existsSync } from "node:fs";

export function setup(): void {
  const fixtures = process.env.AIEX_FIXTURES ?? "../shared/fixtures";
  if (existsSync(fixtures)) process.env.AIEX_FIXTURES = fixtures;
}
