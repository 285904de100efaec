// What `aiex audit export` wrote, read again: its records one by one, and at its end whether the
// signature is over exactly the lines before it.
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { fieldsOf, numberAt, parsed, textAt } from "#core/model/json.ts";
import type { LogRecord } from "#core/record.ts";
import { AUDIT_FORMAT, exportText } from "#core/seal.ts";

/** A record of an export has at most one body, of 64 KiB before it is written as JSON. */
const LINE_CHARS_MAX = 4 << 20;

type IsSigned = (key: string, text: string, signature: string) => boolean;

/** What an export says of itself; known once its records were read to the end. */
export type Said = {
  /** Made without bodies. */
  isBare: boolean;
  /** The public key that signed it. */
  signer: string | null;
};

export type Exported = {
  /** What is wrong with the file itself is the last thing that these yield. */
  records: AsyncGenerator<Result<LogRecord>, void, void>;
  said: Said;
};

export function exportIn(path: string, isSigned: IsSigned): Exported {
  const said: Said = { isBare: false, signer: null };
  return { records: recordsIn(path, isSigned, said), said };
}

async function* recordsIn(
  path: string,
  isSigned: IsSigned,
  said: Said,
): AsyncGenerator<Result<LogRecord>, void, void> {
  const digest = createHash("sha256");
  let held: string | null = null;
  let number = 0;
  try {
    for await (const line of linesIn(path)) {
      // The last line is known only when there is no other after it.
      if (held !== null) {
        digest.update(`${held}\n`);
        const record = number === 1 ? null : recordOf(held);
        if (number === 1 && fieldsOf(parsed(held)).format !== AUDIT_FORMAT) {
          return yield bad(path, `its first line does not say ${AUDIT_FORMAT}`);
        }
        if (number === 1) said.isBare = fieldsOf(parsed(held)).bodies === false;
        if (number > 1 && !record) return yield bad(path, `line ${number} is not a record`);
        if (record) yield ok(record);
      }
      held = line;
      number += 1;
    }
  } catch (error) {
    return yield fail("bad_input", `${path} cannot be read: ${(error as Error).message}`);
  }
  const fault = signatureFault(held, { digest: digest.digest("hex"), isSigned });
  if (fault) yield bad(path, fault);
  else said.signer = textAt(fieldsOf(parsed(held ?? "")), "key") ?? null;
}

/** Of a file alone, and without waiting: the opening of a pipe would wait for its writer. */
async function* linesIn(path: string): AsyncGenerator<string, void, void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!(await file.stat()).isFile()) throw new Error("it is not a file");
    let rest = "";
    for await (const piece of file.createReadStream({ encoding: "utf8", autoClose: false })) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LINE_CHARS_MAX) throw new Error("a line of it is too long for a record");
      yield* lines;
    }
    if (rest !== "") yield rest;
  } finally {
    await file.close();
  }
}

function recordOf(line: string): LogRecord | null {
  const value = parsed(line);
  const fields = fieldsOf(value);
  const isRecord = textAt(fields, "stream") !== undefined && numberAt(fields, "position");
  return isRecord ? (value as LogRecord) : null;
}

function signatureFault(
  line: string | null,
  { digest, isSigned }: { digest: string; isSigned: IsSigned },
): string | null {
  const fields = fieldsOf(parsed(line ?? ""));
  const [key, signature] = [textAt(fields, "key"), textAt(fields, "signature")];
  if (key === undefined || signature === undefined) return "its end with the signature is missing";
  if (fields.digest !== digest) return "its lines are not those that were signed";
  return isSigned(key, exportText(digest), signature) ? null : "its signature is not by its key";
}

const bad = (path: string, why: string): Failed =>
  fail("corrupt", `${path}: ${why}`, { fix: "export it again with `aiex audit export`" });
