// `aiex audit`: who did what and when, one line for each record of the log.
import { fieldsOf, parsed } from "#core/model/json.ts";
import type { LogRecord } from "#core/record.ts";
import { reveal } from "#core/security/screen.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { column, cut, moment } from "#interfaces/cli/figures.ts";
import { lineOf } from "#interfaces/cli/json.ts";
import { pagesOf, streamOf } from "#interfaces/cli/records.ts";
import { first } from "#interfaces/cli/render.ts";

export const audit = defineCommand({
  name: "audit",
  level: "operator",
  about: "Who did what and when: a line for each record of the log.",
  more: `Each line names the record's position; --after goes on from there. What was erased is named,
never shown. \`aiex audit verify\` proves that nothing was changed.`,
  options: {
    session: { about: "Only of this session.", value: "id" },
    after: {
      about: "Only after this position (with --session: version).",
      value: "n",
      number: true,
    },
    limit: { about: "How many records.", short: "n", value: "n", number: true },
    json: { about: "One JSON object a line: the records with their hashes." },
  },
  examples: ["aiex audit", "aiex audit --session 3k2j9x", "aiex audit --after 1200 --json"],
  async run({ options }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app } = opened.value;
    const found = await streamOf(app, options.session);
    if (!found.ok) return cli.fail(found.error);
    const stream = found.value;
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    for await (const page of pagesOf(app, { after: options.after ?? 0, stream })) {
      if (!page.ok) return cli.fail(page.error);
      for (const record of page.value.slice(0, left)) print(record, { json: options.json }, cli);
      left -= page.value.length;
      if (left <= 0) break;
    }
    return 0;
  },
});

function print(record: LogRecord, options: { json: boolean }, { terminal }: Cli): void {
  if (options.json) {
    const { salt: _, body, ...envelope } = record;
    const read: unknown = body === null ? null : (parsed(body) ?? null);
    terminal.out(lineOf("record", { record: { ...envelope, body: read } }));
    return;
  }
  const { dim } = terminal.paint.out;
  const { position, at, actor, stream, version, type } = record;
  const left = `${String(position).padStart(6)}  ${moment(at)}  ${column(actor, 8)}`;
  const what = `${column(streamName(stream), 12)} ${type}  ${summaryOf(record)}`;
  const room = Math.max(20, terminal.columns - left.length - 1);
  terminal.out(`${dim(left)} ${terminal.live ? cut(what, room) : `${what}  #${version}`}\n`);
}

/** A session's short id; the last folder of a location. */
const streamName = (stream: string): string =>
  stream.startsWith("location:")
    ? `…/${reveal(stream.split("/").at(-1) ?? "")}`
    : stream.slice(0, 8);

/** The fields that say most about a record, in this order. */
const telling = ["title", "tool", "text", "answer", "scope", "end", "model", "mode", "path", "why"];

/** What a record was about, in a few words, whatever its type. */
export function summaryOf({ body }: Pick<LogRecord, "body">): string {
  if (body === null) return "(erased)";
  const fields = fieldsOf(parsed(body));
  const found = telling.flatMap((name) => {
    const value = fields[name];
    return typeof value === "string" && value !== "" ? [first(value)] : [];
  });
  return found.slice(0, 2).join(", ");
}
