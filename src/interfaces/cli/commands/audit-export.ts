// `aiex audit export`: the log as JSON lines that can be proved elsewhere, signed by the key of the
// seals. `aiex audit verify FILE` reads it.
import { createHash } from "node:crypto";
import type { App } from "#app";
import { ok, type Result } from "#core/failure.ts";
import type { LogRecord } from "#core/record.ts";
import { AUDIT_FORMAT, SEALED } from "#core/seal.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { count } from "#interfaces/cli/figures.ts";
import { pagesOf } from "#interfaces/cli/records.ts";
import { fingerprintOf } from "#interfaces/cli/signer.ts";
import { type Write, written } from "#interfaces/cli/written.ts";

export const exportAudit = defineCommand({
  name: "audit export",
  level: "operator",
  about: "Write the records of the log as JSON lines, with their hashes, signed.",
  more: `The first line says what it is; a line for each record follows, with envelope, hashes, body and
salt; the last line has the SHA-256 of all lines before it and its signature. Without bodies it
shows who did what kind of thing when, and still proves that nothing is missing. \`aiex audit verify
FILE\` checks it, on any machine.`,
  options: {
    output: { about: "Into this file.", short: "o", value: "file" },
    "no-bodies": { about: "Envelopes and hashes only; seals keep theirs." },
  },
  examples: ["aiex audit export -o audit.jsonl", "aiex audit export --no-bodies | gzip > audit.gz"],
  async run({ options }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app } = opened.value;
    const bodies = !options["no-bodies"];
    const done = await written(options.output, cli, (write) => exported(app, { bodies }, write));
    if (!done.ok) return cli.fail(done.error);
    const { records, key } = done.value;
    cli.terminal.err(`${count(records, "record")}, signed by ${fingerprintOf(key)}\n`);
    return 0;
  },
});

async function exported(
  app: App,
  { bodies }: { bodies: boolean },
  write: Write,
): Promise<Result<{ records: number; key: string }>> {
  const digest = createHash("sha256");
  const line = async (value: object) => {
    const text = `${JSON.stringify(value)}\n`;
    digest.update(text);
    await write(text);
  };
  await line({ format: AUDIT_FORMAT, bodies });
  let records = 0;
  for await (const page of pagesOf(app, { after: 0 })) {
    if (!page.ok) return page;
    for (const record of page.value) await line(bodies ? record : bare(record));
    records += page.value.length;
  }
  const hash = digest.digest("hex");
  const signed = await app.read({ type: "SignExport", digest: hash });
  if (!signed.ok) return signed;
  await write(`${JSON.stringify({ records, digest: hash, ...signed.value })}\n`);
  return ok({ records, key: signed.value.key });
}

/** A seal's body holds nothing but hashes, and without it nothing would be proved. */
const bare = (record: LogRecord): LogRecord =>
  record.type === SEALED ? record : { ...record, body: null, salt: null };
