// `aiex session export`: a session with everything it names, as JSON lines that `import` verifies.
import type { App } from "#app";
import { ok, type Result } from "#core/failure.ts";
import { blobsNamed, EXPORT_FORMAT, isLeaning } from "#core/session/export.ts";
import { BLOB_PAGE_BYTES, wholeBlob } from "#interfaces/cli/blobs.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { count } from "#interfaces/cli/figures.ts";
import { type Write, written } from "#interfaces/cli/written.ts";

/** Records read at once. */
const PAGE = 500;
/** Longest body in a blob that is looked through for other blobs. */
const BODY_BYTES_MAX = 64 * BLOB_PAGE_BYTES;

export const exportSession = defineCommand({
  name: "session export",
  level: "advanced",
  about: "Write a session as JSON lines, to keep it or to import it elsewhere.",
  more: `The file holds everything that was said, read and answered in the session, secrets that it
came across included.`,
  args: [{ name: "id", about: "The session; a beginning of its id is enough." }],
  options: { output: { about: "Into this file.", short: "o", value: "file" } },
  examples: ["aiex session export 3k2j9x -o fix.jsonl", "aiex session export 3k2j9x | gzip > s.gz"],
  async run({ args, options }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const { app } = opened.value;
    const found = await app.read({ type: "Session", session: args[0] ?? "" });
    if (!found.ok) return cli.fail(found.error);
    const { session } = found.value;
    const done = await written(options.output, cli, (write) => exported(app, session, write));
    if (!done.ok) return cli.fail(done.error);
    const { records, blobs, missing } = done.value;
    const lost = missing > 0 ? `, ${count(missing, "blob")} no longer there` : "";
    cli.terminal.err(`${count(records, "record")}, ${count(blobs, "blob")}${lost}\n`);
    return 0;
  },
});

type Wrote = { records: number; blobs: number; missing: number };

async function exported(app: App, session: string, write: Write): Promise<Result<Wrote>> {
  const named = new Set<string>();
  const bodies = new Set<string>();
  await write(`${JSON.stringify({ format: EXPORT_FORMAT, session })}\n`);
  let records = 0;
  for (let after = 0; ; after += PAGE) {
    const page = await app.read({ type: "Records", stream: session, after, limit: PAGE });
    if (!page.ok) return page;
    for (const record of page.value) {
      await write(`${JSON.stringify(record)}\n`);
      const body: unknown = record.body === null ? null : JSON.parse(record.body);
      for (const hash of blobsNamed(body)) named.add(hash);
      if (isFar(body)) bodies.add(body.$blob);
    }
    records += page.value.length;
    if (page.value.length < PAGE) break;
  }
  let missing = 0;
  // A set that grows while it is walked: blobs that blobs name are written too.
  for (const hash of named) {
    const wrote = await blobLine(app, hash, write, (inner) => {
      if (bodies.has(hash)) for (const other of blobsNamed(inner)) named.add(other);
      else if (isLeaning(inner)) named.add(inner.base);
    });
    if (!wrote.ok && wrote.error.code !== "not_found") return wrote;
    if (!wrote.ok) missing += 1;
  }
  return ok({ records, blobs: named.size - missing, missing });
}

const isFar = (body: unknown): body is { $blob: string } =>
  typeof body === "object" &&
  body !== null &&
  typeof (body as { $blob?: unknown }).$blob === "string";

async function blobLine(
  app: App,
  hash: string,
  write: Write,
  look: (parsed: unknown) => void,
): Promise<Result<void>> {
  const bytes = await wholeBlob(app, hash);
  if (!bytes.ok) return bytes;
  const parsed = bytes.value.length <= BODY_BYTES_MAX ? jsonOf(bytes.value) : undefined;
  if (parsed !== undefined) look(parsed);
  await write(`${JSON.stringify({ blob: hash, base64: bytes.value.toString("base64") })}\n`);
  return ok();
}

function jsonOf(bytes: Buffer): unknown {
  if (bytes[0] !== 0x7b && bytes[0] !== 0x5b) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}
