// `aiex audit verify`: computes every chain and seal of the log again, compares them with the anchors
// outside it, and names the first record that does not hold.
import { createPublicKey, hash, verify as isBy, type KeyObject } from "node:crypto";
import { resolve } from "node:path";
import type { App } from "#app";
import {
  type Anchor,
  type AuditParts,
  type AuditResult,
  auditOf,
  type FarBody,
} from "#core/audit.ts";
import { type Failed, type Failure, ok, type Result } from "#core/failure.ts";
import type { LogRecord } from "#core/record.ts";
import { readAnchor } from "#core/seal.ts";
import { farOf } from "#core/session/upcast.ts";
import { type Exported, exportIn } from "#interfaces/cli/audit-file.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { count } from "#interfaces/cli/figures.ts";
import { readGiven } from "#interfaces/cli/given-file.ts";
import { lineOf } from "#interfaces/cli/json.ts";
import { pagesOf } from "#interfaces/cli/records.ts";
import {
  fingerprintOf,
  knownKeys,
  type Signer,
  signerLine,
  signerOf,
} from "#interfaces/cli/signer.ts";

const sha256 = (text: string): string => hash("sha256", text, "hex");

/** Bytes of an anchor that is named on the command line. */
const ANCHOR_BYTES_MAX = 536_870_912;

export const verify = defineCommand({
  name: "audit verify",
  level: "operator",
  about: "Prove that no record of the log was changed, added or taken out.",
  more: `Every record is compared with its chain, every seal with the records before it, and all seals
with the anchor outside the database (\`audit/anchor.jsonl\` in Aiex's home, its copy at
\`audit.anchor\`, and any you name): so a cut end and a log that was written anew are found, too. Ends
with 74 where something does not hold, and names the first such record. Erased bodies are counted;
their records are still part of the chain. Who can write the home can write the log, the key and the
anchor in it: only an anchor elsewhere, or the head that is printed here, binds them as well. With a
file, what \`aiex audit export\` wrote is proved instead, its signature too, and by whose key that
is: one named with --key, else one of an anchor that you name, else one of this machine. Where none
of these is known the fingerprint is only shown, for you to compare. Long bodies lie in blobs, which
are read for this machine's log; an export does not hold them.`,
  args: [{ name: "file", about: "An export; without it, this machine's log.", optional: true }],
  options: {
    anchor: { about: "Compare with this copy of the anchor, too.", value: "file", many: true },
    key: {
      about: "An export must be signed by this key: its fingerprint, or a file with it.",
      value: "key",
      many: true,
    },
    json: { about: "The result as one JSON object." },
  },
  examples: ["aiex audit verify", "aiex audit verify --anchor /mnt/usb/aiex-anchor.jsonl"],
  async run({ args: [file], options }, cli) {
    if (file === undefined && options.key.length > 0) return cli.fail(keyOfExport);
    const source = file === undefined ? await cli.open() : null;
    if (source && !source.ok) return cli.fail(source.error);
    const app = source?.value.app;
    const anchors = await anchorsOf(app, options.anchor, cli);
    if (!anchors.ok) return cli.fail(anchors.error);
    // Before the file is read: a key that cannot be read is no reason to read it all.
    const known = file === undefined ? ok([]) : await knownKeys(options.key, anchors.value, cli);
    if (!known.ok) return cli.fail(known.error);
    const isSigned = isSignedBy();
    const exported = file === undefined ? null : exportIn(resolve(cli.folder, file), isSigned);
    const records = exported?.records ?? recordsOf(app);
    const parts = { sha256, isSigned, anchors: anchors.value };
    const proved = await audited(records, { parts, app, exported }, cli);
    if (!proved.ok) return cli.fail(proved.error);
    const signer = exported && signerOf(exported.said, known.value, proved.value.keys);
    return told({ result: proved.value, anchors: anchors.value, signer, file }, options, cli);
  },
});

const keyOfExport: Failure = {
  code: "bad_input",
  say: "--key says who must have signed an export, and no file is named",
  fix: "name the export: aiex audit verify audit.jsonl --key …",
};

type Read = Anchor & { torn: readonly number[]; isThere: boolean };

type Proved = {
  result: AuditResult;
  anchors: readonly Read[];
  signer: Signer | null;
  file: string | undefined;
};

/** Prints what was found, and answers how to end. */
function told({ result, anchors, signer, file }: Proved, { json }: { json: boolean }, cli: Cli) {
  const { bad } = result;
  const foreign = bad ? null : (signer?.fault ?? null);
  if (json) {
    cli.terminal.out(lineOf("result", jsonOf(result, anchors, signer)));
    return bad || foreign ? 74 : 0;
  }
  cli.terminal.out(summaryOf(result, anchors, signer));
  if (foreign) {
    const fix = "compare its fingerprint with what `aiex audit verify` says where it was exported";
    return cli.fail({ code: "corrupt", say: `${file}: ${foreign}`, fix });
  }
  if (!bad) return 0;
  const where = bad.version > 0 ? ` (${bad.stream} #${bad.version})` : "";
  return cli.fail({
    code: "corrupt",
    say: `record ${bad.position}${where}: ${bad.fault}`,
    fix: "the log was changed from outside; keep it as evidence, and restore a backup beside it",
  });
}

async function anchorsOf(
  app: App | undefined,
  named: readonly string[],
  cli: Cli,
): Promise<Result<Read[]>> {
  const known = app ? await app.read({ type: "Anchors" }) : ok([]);
  if (!known.ok) return known;
  const found = known.value.map(({ file, text, own }): Read => {
    return { name: file, isThere: text !== null, whole: own, ...readAnchor(text ?? "") };
  });
  for (const name of named) {
    const path = resolve(cli.folder, name);
    const given = { name, bytesMax: ANCHOR_BYTES_MAX, tooLargeFix: "it is no anchor" };
    const bytes = await readGiven(path, given);
    if (!bytes.ok) return bytes;
    const read = readAnchor(bytes.value.toString());
    if (read.lines.length === 0) return noAnchor(name);
    found.push({ name, isThere: true, whole: false, ...read });
  }
  return ok(found);
}

const noAnchor = (name: string): Failed => ({
  ok: false,
  error: {
    code: "bad_input",
    say: `${name} holds no seal`,
    fix: "name a copy of audit/anchor.jsonl",
  },
});

async function* recordsOf(app: App | undefined): AsyncGenerator<Result<LogRecord>, void, void> {
  if (!app) return;
  for await (const page of pagesOf(app, { after: 0 })) {
    if (!page.ok) return yield page;
    for (const record of page.value) yield ok(record);
  }
}

/** Records between two words on how far it came. */
const TOLD_RECORDS = 1_000;

/** Blobs that are known to be whole, so that one which many records name is read once. */
const WHOLE_MAX = 100_000;

type Auditing = { parts: AuditParts; app: App | undefined; exported: Exported | null };

async function audited(
  records: AsyncIterable<Result<LogRecord>>,
  { parts, app, exported }: Auditing,
  { terminal }: Cli,
): Promise<Result<AuditResult>> {
  const audit = auditOf(parts);
  const whole = new Set<string>();
  let taken = 0;
  for await (const record of records) {
    if (!record.ok) return record;
    const hash = farOf(record.value.body ?? "");
    const far = hash === null ? ok(null) : await farBody(app, hash, whole);
    if (!far.ok) return far;
    if (audit.take(record.value, far.value)) break;
    taken += 1;
    if (taken % TOLD_RECORDS === 0) terminal.status(`${count(taken, "record")} …`);
  }
  return ok(audit.end({ isBare: exported?.said.isBare ?? false }));
}

async function farBody(
  app: App | undefined,
  hash: string,
  whole: Set<string>,
): Promise<Result<FarBody>> {
  if (!app) return ok("elsewhere");
  if (whole.has(hash)) return ok("whole");
  const state = await app.read({ type: "BlobState", hash });
  if (state.ok && state.value === "whole" && whole.size < WHOLE_MAX) whole.add(hash);
  return state;
}

/** Checks Ed25519 signatures; keys are read once. */
function isSignedBy(): (key: string, text: string, signature: string) => boolean {
  const known = new Map<string, KeyObject | null>();
  return (key, text, signature) => {
    const owner = known.get(key) ?? publicKey(key);
    known.set(key, owner);
    return (
      owner !== null && isBy(null, Buffer.from(text), owner, Buffer.from(signature, "base64url"))
    );
  };
}

function publicKey(x: string): KeyObject | null {
  try {
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  } catch {
    return null;
  }
}

function jsonOf(
  { bad, keys, ...rest }: AuditResult,
  anchors: readonly Read[],
  signer: Signer | null,
) {
  const outside = anchors.map(({ name, isThere, lines, torn }) => {
    return { file: name, seals: isThere ? lines.length : null, torn: torn.length };
  });
  const by = keys.map(({ key, from }) => ({ key: fingerprintOf(key), from }));
  const said = { ...rest, keys: by, anchors: outside, bad };
  if (!signer) return { ok: !bad, ...said };
  const { fingerprint, isKnown, fault } = signer;
  return { ok: !bad && !fault, ...said, signer: { key: fingerprint, isKnown, fault } };
}

function summaryOf(result: AuditResult, anchors: readonly Read[], signer: Signer | null): string {
  const { bad, records, streams, erased, seals, unsealed, keys, head } = result;
  const { inBlobs, blobsElsewhere } = result;
  const gone = erased > 0 ? `, ${erased} erased` : "";
  const lines = [`checked ${count(records, "record")} of ${count(streams, "stream")}${gone}`];
  const by = keys.map(({ key, from }) => `${fingerprintOf(key)}${from > 1 ? ` from ${from}` : ""}`);
  if (seals > 0) lines.push(`${count(seals, "seal")} by ${by.join(", ")}`);
  for (const { name, isThere, lines: known, torn } of anchors) {
    const cut = torn.length > 0 ? `, ${count(torn.length, "line")} cannot be read` : "";
    lines.push(`anchor ${name}: ${isThere ? `${count(known.length, "seal")}${cut}` : "not there"}`);
  }
  if (inBlobs > 0) {
    const where = blobsElsewhere > 0 ? "in blobs, which are not in this file" : "in blobs";
    lines.push(`${count(inBlobs, "long body", "long bodies")} ${where}`);
  }
  if (signer) lines.push(signerLine(signer));
  if (bad || signer?.fault) return `${lines.join("\n")}\n`;
  if (unsealed > 0) lines.push(`${count(unsealed, "record")} after the last seal`);
  lines.push(`head ${head.digest.slice(0, 32)} at record ${head.position}`, "every chain holds");
  return `${lines.join("\n")}\n`;
}
