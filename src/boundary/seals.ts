// Makes a seal: sums the records since the last one, signs, appends it to the log, and adds its
// line to the anchors. Several processes may do it at once: the log takes one, the others look again.
import { addToAnchor, lastInAnchor } from "#boundary/anchor.ts";
import { sha256 } from "#boundary/digest.ts";
import type { EventLog } from "#boundary/log/port.ts";
import { sealKeyIn } from "#boundary/seal-key.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { LogRecord } from "#core/record.ts";
import {
  anchorLine,
  emptySum,
  MARKS_MAX,
  markOf,
  SEAL_STREAM,
  SEALED,
  type Seal,
  type Sum,
  sealIn,
  sealText,
  sumWith,
} from "#core/seal.ts";

export type SealParts = {
  /** A private folder of the home: the key. */
  folder: string;
  /** The anchor in the home first, then copies. */
  anchors: readonly string[];
  now(): number;
};

/** Times that another process's seal is let go first. */
const CONFLICTS_MAX = 10;

/** Seals what is not sealed yet; the number of the last seal there is. */
export async function seal(log: EventLog, parts: SealParts): Promise<Result<number>> {
  for (let tries = 0; tries < CONFLICTS_MAX; tries += 1) {
    const made = await sealOnce(log, parts);
    if (made.ok || made.error.code !== "conflict") return made;
  }
  return fail("busy", "others kept sealing the log at the same time", { fix: "try again" });
}

async function sealOnce(log: EventLog, parts: SealParts): Promise<Result<number>> {
  const before = await lastSeal(log);
  if (!before.ok) return before;
  const { number, sum: from } = before.value;
  const found = await sumAfter(log, from);
  if (!found.ok) return found;
  const { sum, marks, others } = found.value;
  if (others === 0) return await anchored(log, parts.anchors, number);
  const signer = sealKeyIn(parts.folder);
  if (!signer.ok) return signer;
  const { key } = signer.value;
  const bare = { ...sum, at: parts.now(), key };
  const signature = signer.value.sign(sealText(number + 1, bare));
  const body: Seal = { ...bare, signature, ...(marks === null ? {} : { marks }) };
  const draft = { type: SEALED, schema: 1, body: JSON.stringify(body), actor: "node", epoch: 0 };
  const added = await log.append(SEAL_STREAM, number, [draft]);
  if (!added.ok) return added;
  return await anchored(log, parts.anchors, number + 1);
}

type Last = { number: number; sum: Sum };

async function lastSeal(log: EventLog): Promise<Result<Last>> {
  const head = await log.head(SEAL_STREAM);
  if (!head.ok) return head;
  const number = head.value.version;
  if (number === 0) return ok({ number, sum: emptySum });
  const found = await sealsAfter(log, number - 1);
  if (!found.ok) return found;
  const last = found.value.at(-1);
  const known = last && sealIn(last);
  if (!known) {
    return fail("corrupt", `seal ${number} of the log cannot be read`, {
      fix: "`aiex audit verify` says more",
    });
  }
  const { position, records, digest } = known;
  return ok({ number, sum: { position, records, digest } });
}

async function sealsAfter(log: EventLog, after: number): Promise<Result<LogRecord[]>> {
  const found: LogRecord[] = [];
  for await (const page of log.read(SEAL_STREAM, { after }, never)) {
    if (!page.ok) return page;
    found.push(...page.value);
  }
  return ok(found);
}

const never = new AbortController().signal;

/** `others` counts the records that are no seals: seals alone need none. */
async function sumAfter(log: EventLog, from: Sum) {
  let sum = from;
  let others = 0;
  let marks: string[] | null = [];
  for await (const page of log.readAll(from.position, never)) {
    if (!page.ok) return page;
    for (const record of page.value) {
      sum = sumWith(sum, record, sha256);
      if (record.stream !== SEAL_STREAM) others += 1;
      marks?.push(markOf(record));
      if (marks && marks.length > MARKS_MAX) marks = null;
    }
  }
  return ok({ sum, others, marks: marks?.join("") ?? null });
}

/**
 * Adds to each anchor the lines of the seals after its last one: those of a crash between a seal
 * and its line, and those of the time when a copy was out of reach.
 */
async function anchored(
  log: EventLog,
  anchors: readonly string[],
  number: number,
): Promise<Result<number>> {
  let failed: Result<number> | null = null;
  for (const file of anchors) {
    const last = lastInAnchor(file);
    const missing = last.ok ? await sealsAfter(log, last.value) : last;
    const lines = missing.ok ? missing.value.filter((record) => sealIn(record) !== null) : [];
    const added = lines.length > 0 ? addToAnchor(file, lines.map(anchorLine).join("")) : ok();
    if (!missing.ok) failed ??= missing;
    else if (!added.ok) failed ??= added;
  }
  return failed ?? ok(number);
}
