// Which days a command is about: the last ones, or from one date to another. UTC throughout.
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { dayIn } from "#core/ledger/exports/export.ts";
import type { Cli } from "#interfaces/cli/cli.ts";

const DAY_MS = 86_400_000;

export const dayOptions = {
  days: { about: "Only the last days, today included.", value: "n", number: true },
  since: { about: "Only from this day on (UTC).", value: "yyyy-mm-dd" },
  until: { about: "Only up to this day, itself included.", value: "yyyy-mm-dd" },
} as const;

export type Days = { from: number; to: number };

export function daysIn(
  { days, since, until }: { days?: number; since?: string; until?: string },
  { now }: Pick<Cli, "now">,
): Result<Days> {
  if (days === 0) return wrong("--days 0 would be no day at all", "--days 1 is today alone");
  if (days !== undefined && since !== undefined) {
    return wrong("--days and --since exclude each other", "say one of them");
  }
  const last = Math.floor(now() / DAY_MS) - (days ?? 0) + 1;
  const from = since === undefined ? (days === undefined ? 0 : last) : dayIn(since);
  const to = until === undefined ? Number.MAX_SAFE_INTEGER : dayIn(until);
  if (from === undefined) return wrong(`--since ${since} is no day`, "write it as 2026-03-01");
  if (to === undefined) return wrong(`--until ${until} is no day`, "write it as 2026-03-31");
  return from > to ? wrong("--since is after --until", "exchange them") : ok({ from, to });
}

const wrong = (say: string, fix: string): Failed => fail("bad_input", say, { fix });
