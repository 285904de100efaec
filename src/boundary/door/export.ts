// A session as JSON lines, for other machines: a head line, a line for each record with its salt,
// and a line for each blob its events name. Import checks every hash before it writes anything.
import * as z from "zod/mini";
import { sha256 } from "#boundary/digest.ts";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { ERASED, emptyHead, faultOf, type Head, type LogRecord } from "#core/record.ts";
import { EXPORT_FORMAT } from "#core/session/export.ts";

const text = z.string();
const recordShape = z.object({
  position: z.int(),
  stream: text,
  version: z.int(),
  id: text,
  type: text,
  schema: z.int().check(z.minimum(1)),
  at: z.int(),
  actor: text,
  node: text,
  epoch: z.int(),
  cause: z.nullable(text),
  correlation: z.nullable(text),
  bodyHash: text,
  prev: text,
  hash: text,
  body: z.nullable(text),
  salt: z.nullable(text),
});

export type Exported = { records: LogRecord[]; blobs: Map<string, Uint8Array> };

/** Parses and verifies an export. Nothing of it is trusted: every record and blob is hashed. */
export function parseExport(exported: string): Result<Exported> {
  const lines = exported.split("\n").filter((line) => line.trim() !== "");
  const records: LogRecord[] = [];
  const blobs = new Map<string, Uint8Array>();
  let head: Head = emptyHead;
  for (const [i, line] of lines.entries()) {
    const parsed = parseLine(line);
    if (!parsed) return bad(`line ${i + 1} is not JSON`);
    if (i === 0) {
      if (parsed.format !== EXPORT_FORMAT)
        return bad(`its first line does not say ${EXPORT_FORMAT}`);
    } else if (typeof parsed.blob === "string") {
      const bytes = Buffer.from(String(parsed.base64 ?? ""), "base64");
      if (sha256(bytes) !== parsed.blob) return bad(`the blob of line ${i + 1} was changed`);
      blobs.set(parsed.blob, bytes);
    } else {
      const found = z.safeParse(recordShape, parsed);
      if (!found.success) return bad(`line ${i + 1} is not a record`);
      const record: LogRecord = found.data;
      const fault = faultOf(record, head, sha256);
      if (fault) return bad(`the record of line ${i + 1}: ${fault}`);
      head = { version: record.version, hash: record.hash };
      records.push(record);
    }
  }
  const blank = records.findLast(({ body }) => body === null)?.version ?? 0;
  const erased = records.findLast(({ type, body }) => type === ERASED && body !== null);
  if (blank > (erased?.version ?? 0)) return bad(`record ${blank} has no body, and was not erased`);
  return records.length > 0 ? ok({ records, blobs }) : bad("it holds no records");
}

function parseLine(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const bad = (why: string): Failed =>
  fail("corrupt", `this is not a session that can be imported: ${why}`, {
    fix: "export it again with `aiex session export`",
  });
