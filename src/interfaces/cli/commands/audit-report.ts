// `aiex audit report`: what happened in a period, by kind: prompts, permissions, commands, files, hosts.
import type { App } from "#app";
import { ok, type Result } from "#core/failure.ts";
import type { LogRecord } from "#core/record.ts";
import { reveal } from "#core/security/screen.ts";
import { type EntryKind, entryKinds, type ReportEntry, reporter } from "#core/session/report.ts";
import { type Decoded, decode } from "#core/session/upcast.ts";
import { wholeBlob } from "#interfaces/cli/blobs.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { cut, moment } from "#interfaces/cli/figures.ts";
import { lineOf } from "#interfaces/cli/json.ts";
import { pagesOf, streamOf } from "#interfaces/cli/records.ts";

const DAY_MS = 86_400_000;
/** Entries of one kind that the text shows, the newest; `--json` has all. */
const SHOWN_MAX = 200;

export const report = defineCommand({
  name: "audit report",
  level: "operator",
  about: "What happened: prompts, permissions, commands, files, hosts, refusals.",
  more: `A day is a UTC date (2026-03-01) or a moment (2026-03-01T12:00Z); \`--until\` a day means its
end. What was erased is counted, never shown. \`aiex audit verify\` proves that nothing is missing.`,
  options: {
    since: { about: "From this day or moment on.", value: "when" },
    until: { about: "Up to this day or moment.", value: "when" },
    days: { about: "Only the last days, today included.", value: "n", number: true },
    session: { about: "Only this session.", value: "id" },
    json: { about: "One JSON object a line; the last one has the counts." },
  },
  examples: ["aiex audit report --days 7", "aiex audit report --since 2026-03-01 --json"],
  async run({ options }, cli) {
    const period = periodOf(options, cli.now());
    if (!period.ok) return cli.fail(period.error);
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app } = opened.value;
    const stream = await streamOf(app, options.session);
    if (!stream.ok) return cli.fail(stream.error);
    const told = tellerOf(cli, { json: options.json });
    const done = await each(app, { ...period.value, stream: stream.value }, told.take);
    if (!done.ok) return cli.fail(done.error);
    told.end(period.value, done.value);
    return 0;
  },
});

type Period = { since: number; until: number };

function periodOf(
  { since, until, days }: { since?: string; until?: string; days?: number },
  now: number,
): Result<Period> {
  if (days !== undefined && (since !== undefined || until !== undefined)) {
    return bad("--days stands alone: it ends now");
  }
  if (days === 0) return bad("--days 0 would be no day at all");
  const today = Math.floor(now / DAY_MS);
  if (days !== undefined) return ok({ since: (today - days + 1) * DAY_MS, until: now });
  const from = since === undefined ? 0 : momentOf(since);
  const to = until === undefined ? now : momentOf(until);
  const wrong = Number.isNaN(from) ? since : Number.isNaN(to) ? until : null;
  if (wrong !== null) return bad(`${JSON.stringify(wrong)} is no day and no moment`);
  const isDay = until !== undefined && /^\d{4}-\d\d-\d\d$/.test(until);
  return ok({ since: from, until: isDay ? to + DAY_MS - 1 : to });
}

/** Only the forms of ISO 8601 that every runtime reads alike. */
const momentOf = (text: string): number =>
  /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z)?$/.test(text) ? Date.parse(text) : Number.NaN;

const bad = (say: string): Result<Period> => ({
  ok: false,
  error: { code: "bad_input", say, fix: "for example: --since 2026-03-01 --until 2026-03-31" },
});

/** Hands on the entries of the records of a period; answers how many records had lost their bodies. */
async function each(
  app: App,
  { since, until, stream }: Period & { stream: string | undefined },
  take: (entry: ReportEntry) => void,
): Promise<Result<number>> {
  const folding = reporter();
  let erased = 0;
  for await (const page of pagesOf(app, { after: 0, stream })) {
    if (!page.ok) return page;
    for (const record of page.value) {
      if (record.at > until) continue;
      const decoded = await meant(app, record);
      const entries = folding.take(record, decoded);
      if (record.at < since) continue;
      if (record.body === null) erased += 1;
      entries.forEach(take);
    }
  }
  return ok(erased);
}

async function meant(app: App, record: LogRecord): Promise<Decoded> {
  const decoded = decode(record);
  if (decoded.kind !== "far") return decoded;
  const body = await wholeBlob(app, decoded.blob);
  if (!body.ok) return { kind: "erased", type: record.type };
  return decode({ ...record, body: body.value.toString() });
}

function tellerOf({ terminal }: Cli, { json }: { json: boolean }) {
  const counts = new Map<EntryKind, number>();
  const shown = new Map<EntryKind, ReportEntry[]>();
  const kinds = Object.entries(entryKinds) as [EntryKind, string][];
  return {
    take(entry: ReportEntry): void {
      counts.set(entry.kind, (counts.get(entry.kind) ?? 0) + 1);
      if (json) {
        terminal.out(lineOf("entry", entry));
        return;
      }
      const some = shown.get(entry.kind) ?? [];
      some.push(entry);
      if (some.length > SHOWN_MAX) some.shift();
      shown.set(entry.kind, some);
    },
    end({ since, until }: Period, erased: number): void {
      if (json) {
        const all = Object.fromEntries(kinds.map(([kind]) => [kind, counts.get(kind) ?? 0]));
        terminal.out(lineOf("result", { since, until, counts: all, erased }));
        return;
      }
      terminal.out(`${since === 0 ? "the beginning" : moment(since)} to ${moment(until)}\n`);
      for (const [kind, name] of kinds) {
        const some = shown.get(kind) ?? [];
        const all = counts.get(kind) ?? 0;
        terminal.out(`\n${terminal.paint.out.bold(name)}: ${all}\n`);
        if (all > some.length) terminal.out(`  … ${all - some.length} before these\n`);
        for (const entry of some) terminal.out(`  ${lineFor(entry, terminal.columns - 2)}\n`);
      }
      if (erased > 0) terminal.out(`\n${erased} records were erased, and are not in this report\n`);
    },
  };
}

function lineFor({ at, stream, actor, what, outcome }: ReportEntry, columns: number): string {
  const who = stream.includes(":") ? (stream.split("/").at(-1) ?? "") : stream.slice(0, 8);
  const end = outcome === undefined ? "" : ` (${oneLine(outcome)})`;
  const text = `${moment(at)}  ${reveal(who)}  ${actor}  ${oneLine(what)}${end}`;
  return cut(text, Math.max(60, columns));
}

const oneLine = (text: string): string => reveal(text.trim().split("\n", 1)[0] ?? "");
