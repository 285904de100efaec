// The audit over a real database that the real program wrote: each record of a thousand changed in
// each of five ways, by somebody who knows the format and by somebody who does not; an end cut off,
// a log written anew; and what erasing leaves of it.
import { execFileSync } from "node:child_process";
import { createPublicKey, hash, type KeyObject, verify } from "node:crypto";
import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Anchor, type AuditResult, auditOf, type Fault } from "#core/audit.ts";
import { headerHashOf, type LogRecord } from "#core/record.ts";
import { type Anchored, readAnchor } from "#core/seal.ts";
import { linesOf, Machine } from "./aiex.ts";

const RECORDS = 1_000;
const sha256 = (text: string) => hash("sha256", text, "hex");

const machine = new Machine();
const file = join(machine.home, "log.db");
const anchorFile = join(machine.home, "audit", "anchor.jsonl");
let whole: LogRecord[] = [];
let db: DatabaseSync;

beforeAll(async () => {
  const calls = Array.from({ length: 125 }, () => ({ tool: "list", input: { path: "." } }));
  const answers = [...Array.from({ length: 2 }, () => ({ calls })), { text: "Done." }];
  for (const name of ["a", "b"]) {
    const asked = await machine.run(["ask", "--trust", "-m", machine.model(name, answers), "go"]);
    expect(asked).toMatchObject({ code: 0 });
  }
  db = new DatabaseSync(file);
  whole = rows();
  expect(whole.length).toBeGreaterThanOrEqual(RECORDS);
});
afterAll(() => {
  db.close();
  machine.remove();
});

function rows(): LogRecord[] {
  const columns = "position, stream, version, id, type, schema, at, actor, node, epoch, cause";
  const rest = "correlation, bodyHash, prev, hash, CAST(body AS TEXT) AS body, salt";
  const sql = `SELECT ${columns}, ${rest} FROM records ORDER BY position`;
  return db.prepare(sql).all() as unknown as LogRecord[];
}

const ownAnchor = (): Anchor => {
  return { name: "anchor", whole: true, ...readAnchor(readFileSync(anchorFile, "utf8")) };
};

const owners = new Map<string, KeyObject>();
function ownerOf(x: string): KeyObject {
  const known = owners.get(x);
  if (known) return known;
  const made = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  owners.set(x, made);
  return made;
}

function audited(records: readonly LogRecord[], anchors: readonly Anchor[]): AuditResult {
  const isSigned = (x: string, text: string, signature: string) =>
    verify(null, Buffer.from(text), ownerOf(x), Buffer.from(signature, "base64url"));
  const audit = auditOf({ sha256, isSigned, anchors });
  for (const record of records) if (audit.take(record, null)) break;
  return audit.end({ isBare: false });
}

/** Changes the database as `change` does, reads what it holds then, and takes the change back. */
function tampered(change: () => void): LogRecord[] {
  db.exec("BEGIN");
  try {
    change();
    return rows();
  } finally {
    db.exec("ROLLBACK");
  }
}

/** The chain of every stream computed anew, as by somebody who knows how. */
function rechained(records: readonly LogRecord[]): LogRecord[] {
  const heads = new Map<string, { version: number; hash: string }>();
  return records.map((record) => {
    const head = heads.get(record.stream) ?? { version: 0, hash: "" };
    const next = { ...record, version: head.version + 1, prev: head.hash };
    const made = { ...next, hash: headerHashOf(next, sha256) };
    heads.set(record.stream, made);
    return made;
  });
}

const run = (sql: string, ...values: (string | number)[]) => db.prepare(sql).run(...values);
const columns =
  "stream, version, id, type, schema, at, actor, node, epoch, cause, correlation, bodyHash, prev, hash, body, salt";

/** Makes room behind a position: every later record moves one on. */
function shift(position: number): void {
  run("UPDATE records SET position = -position - 1 WHERE position > ?", position);
  run("UPDATE records SET position = -position WHERE position < 0");
}

function copyBehind(position: number, version: number): void {
  shift(position);
  const rest = columns.replace("version", "?");
  const insert = `INSERT INTO records (position, ${columns}) SELECT ?, ${rest} FROM records`;
  run(`${insert} WHERE position = ?`, position + 1, version, position);
}

/** Each way to harm the record at a position, as it is done without knowing how the log is built. */
const ways: Record<string, (record: LogRecord, next: LogRecord) => void> = {
  flipped: ({ position }) => {
    const flipped =
      position % 2 === 0 ? "actor = actor || 'x'" : "bodyHash = 'f' || substr(bodyHash, 2) || 'x'";
    run(`UPDATE records SET ${flipped} WHERE position = ?`, position);
  },
  deleted: ({ position }) => void run("DELETE FROM records WHERE position = ?", position),
  swapped: ({ position }, next) => {
    run("UPDATE records SET position = -1 WHERE position = ?", position);
    run("UPDATE records SET position = ? WHERE position = ?", position, next.position);
    run("UPDATE records SET position = ? WHERE position = -1", next.position);
  },
  blanked: ({ position }) =>
    void run("UPDATE records SET body = NULL, salt = NULL WHERE position = ?", position),
  doubled: ({ position, version }) => copyBehind(position, -version),
  inserted: ({ position }) => {
    copyBehind(position, -1);
    run("UPDATE records SET id = 'forged', type = 'Forged' WHERE position = ?", position + 1);
  },
};

describe(`each record of ${RECORDS}`, () => {
  it("is sound as the program wrote it, its last seal in the anchor", () => {
    const { bad, seals, unsealed, records } = audited(whole, [ownAnchor()]);
    expect({ bad, unsealed, records }).toEqual({ bad: null, unsealed: 0, records: whole.length });
    expect(seals).toBe(ownAnchor().lines.length);
    expect(seals).toBeGreaterThan(1);
  });

  for (const [way, harm] of Object.entries(ways)) {
    it(`is found when it is ${way}, also where every chain is computed anew`, () => {
      const anchors = [ownAnchor()];
      const unseen: object[] = [];
      for (const [i, record] of whole.slice(0, RECORDS).entries()) {
        const next = whole[i + 1] ?? whole[i - 1] ?? record;
        const held = tampered(() => harm(record, next));
        for (const records of [held, rechained(held)]) {
          const { bad } = audited(records, anchors);
          if (!bad || !isAbout(bad, record)) unseen.push({ position: record.position, bad });
        }
      }
      expect(unseen).toEqual([]);
    });
  }
});

/** It is named itself, or the one beside it, or the next of its stream, whose chain it breaks. */
function isAbout(bad: Fault, { position, stream, version }: LogRecord): boolean {
  const isNear = Math.abs(bad.position - position) <= 1;
  return isNear || (bad.stream === stream && Math.abs(bad.version - version) <= 1);
}

/** What the program says of its log after a change of the database, which is taken back. */
async function verified(change: (log: DatabaseSync) => void, ...args: string[]) {
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const kept = readFileSync(file);
  const anchor = readFileSync(anchorFile);
  try {
    change(db);
    const ran = await machine.run(["audit", "verify", "--json", ...args]);
    return { code: ran.code, ...linesOf(ran.out)[0] };
  } finally {
    db.close();
    for (const end of ["", "-wal", "-shm"]) rmSync(file + end, { force: true });
    writeFileSync(file, kept);
    writeFileSync(anchorFile, anchor);
    db = new DatabaseSync(file);
  }
}

/** As the owner of the home could: another log, sealed by the program itself with its own key. */
async function writtenAnew(): Promise<Machine> {
  const other = new Machine();
  const model = other.model("m", [{ text: "Nothing happened." }]);
  expect(await other.run(["ask", "--trust", "-m", model, "hi"])).toMatchObject({ code: 0 });
  return other;
}

it("finds a body that was written anew where its salt was taken away", async () => {
  const forged = await verified((log) => {
    const sql = "UPDATE records SET body = CAST('{}' AS BLOB), salt = NULL WHERE type = ?";
    log.prepare(sql).run("TurnStarted");
  });
  const bad = { fault: "its body was changed" };
  expect(forged).toMatchObject({ code: 74, ok: false, bad });
});

it("finds a body that was blanked where no event says that its session was erased", async () => {
  const at = whole.find(({ type }) => type === "TurnStarted");
  const blank = (log: DatabaseSync, where: string) =>
    void log.exec(`UPDATE records SET body = NULL, salt = NULL WHERE ${where}`);
  const blanked = await verified((log) => blank(log, `position = ${at?.position}`));
  const fault = "its body is gone, and nothing says that it was erased";
  const { position, stream, version } = at ?? {};
  expect(blanked).toMatchObject({ code: 74, bad: { position, stream, version, fault } });
  const shared = await verified((log) => blank(log, "stream LIKE 'location:%'"));
  expect(shared).toMatchObject({ code: 74, bad: { fault } });
});

it("finds records that are not in the order of their positions", () => {
  const at = whole.findIndex(({ stream }, i) => i > 0 && whole[i - 1]?.stream !== stream);
  const [one, other] = [whole[at - 1] as LogRecord, whole[at] as LogRecord];
  const back = { ...other, position: one.position - 1 };
  const { bad } = audited([...whole.slice(0, at), back], []);
  expect(bad).toMatchObject({ fault: expect.stringContaining("behind record") });
});

describe("the anchor, which lies outside the database", () => {
  it("only grows: a later line of a seal overrules none before it", () => {
    const { lines } = ownAnchor();
    const foreign = lines.map((line) => ({ ...line, hash: "f".repeat(64) }));
    const both = { name: "copy", whole: false };
    expect(audited(whole, [{ ...both, lines: [...lines, ...foreign] }]).bad).toBeNull();
    const bad = { stream: "audit:seals", fault: expect.stringContaining("written anew") };
    expect(audited(whole, [{ ...both, lines: [...foreign, ...lines] }]).bad).toMatchObject(bad);
  });

  it("may have as many lines as a home makes in years", () => {
    const [line] = ownAnchor().lines as [Anchored];
    const many = Array.from({ length: 300_000 }, (_, i) => ({ ...line, seal: i + 1 }));
    const { bad } = audited([], [{ name: "copy", whole: false, lines: many }]);
    expect(bad).toMatchObject({ fault: expect.stringContaining("has seal 300000") });
  });

  it("shows that the end was cut off, and the program names the first record that is gone", async () => {
    for (const many of [1, 2, 100, whole.length - 1]) {
      const cut = await verified((log) => {
        log.prepare("DELETE FROM records WHERE position > ?").run(whole.length - many);
      });
      const bad = { position: whole.length - many + 1, fault: expect.stringContaining("ends") };
      expect(cut).toMatchObject({ code: 74, ok: false, bad });
    }
  });

  it("shows that the whole log was written anew", async () => {
    const other = await writtenAnew();
    const log = new DatabaseSync(join(other.home, "log.db"));
    log.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    log.close();
    const swapped = await verified(() => {
      db.close();
      copyFileSync(join(other.home, "log.db"), file);
      db = new DatabaseSync(file);
    });
    const fault = expect.stringMatching(/written anew/);
    expect(swapped).toMatchObject({ code: 74, ok: false, bad: { stream: "audit:seals", fault } });
    const empty = await verified((db) => void db.exec("DELETE FROM records"));
    expect(empty).toMatchObject({ code: 74, bad: { position: 1 } });
    other.remove();
  });

  it("shows it by a copy elsewhere, where the key and the anchor of the home were changed too", async () => {
    const copy = join(machine.root, "copy.jsonl");
    const env = { AIEX_AUDIT_ANCHOR: copy };
    const model = machine.model("c", [{ text: "Hello." }]);
    expect(await machine.run(["ask", "-m", model, "hi"], { env })).toMatchObject({ code: 0 });
    const other = await writtenAnew();
    const home = { home: other.home };
    expect(await other.run(["audit", "verify"])).toMatchObject({ code: 0 });
    const named = await machine.run(["audit", "verify", "--anchor", copy], home);
    expect(named).toMatchObject({ code: 74, err: expect.stringContaining(`${copy} has`) });
    const configured = await machine.run(["audit", "verify"], { ...home, env });
    expect(configured).toMatchObject({ code: 74, err: expect.stringContaining(`${copy} has`) });
    other.remove();
  });

  it("lacks no seal in the middle, and a torn last line is no fault", async () => {
    const text = readFileSync(anchorFile, "utf8");
    const [first = "", ...rest] = text.trimEnd().split("\n");
    writeFileSync(anchorFile, `${rest.join("\n")}\n`);
    const lacking = await machine.run(["audit", "verify"]);
    expect(lacking).toMatchObject({ code: 74, err: expect.stringContaining("seal 1 is not in") });
    const torn = `${[first, ...rest.slice(0, -1)].join("\n")}\n${rest.at(-1)?.slice(0, 40)}`;
    writeFileSync(anchorFile, torn);
    expect(await machine.run(["audit", "verify"])).toMatchObject({ code: 0 });
    // The next seal ends the torn line, and brings the lost one again.
    const model = machine.model("t", [{ text: "Hello." }]);
    expect(await machine.run(["ask", "-m", model, "hi"])).toMatchObject({ code: 0 });
    const { lines, torn: unread } = readAnchor(readFileSync(anchorFile, "utf8"));
    expect(lines.map(({ seal }) => seal)).toEqual(lines.map((_, i) => i + 1));
    expect(unread).toHaveLength(1);
    const [result] = linesOf((await machine.run(["audit", "verify", "--json"])).out);
    expect(result).toMatchObject({ ok: true, seals: lines.length, unsealed: 0 });
  });
});

it("erasing a session leaves chains and seals valid", async () => {
  const [row] = linesOf((await machine.run(["session", "list", "--json"])).out);
  const gone = await machine.run(["session", "rm", String(row?.session), "--yes"]);
  expect(gone).toMatchObject({ code: 0 });
  const [result] = linesOf((await machine.run(["audit", "verify", "--json"])).out);
  expect(result).toMatchObject({ ok: true, bad: null, unsealed: 0 });
  expect(result?.erased).toBeGreaterThan(0);
});

it("a key that others can read signs nothing, and the log goes on", async () => {
  const key = join(machine.home, "audit", "seal-key.json");
  chmodSync(key, 0o644);
  const model = machine.model("k", [{ text: "Hello." }]);
  expect(await machine.run(["ask", "-m", model, "hi"])).toMatchObject({ code: 0 });
  const [result] = linesOf((await machine.run(["audit", "verify", "--json"])).out);
  expect(result).toMatchObject({ ok: true, unsealed: expect.any(Number) });
  expect(result?.unsealed).toBeGreaterThan(0);
  chmodSync(key, 0o600);
  expect(await machine.run(["trust"])).toMatchObject({ code: 0 });
});

describe("an export", () => {
  it("is proved elsewhere, with bodies and without, and a changed byte is found", async () => {
    const other = new Machine();
    for (const [name, ...more] of [["all.jsonl"], ["bare.jsonl", "--no-bodies"]] as const) {
      const path = join(machine.root, name);
      const wrote = await machine.run(["audit", "export", "-o", path, ...more]);
      expect(wrote).toMatchObject({ code: 0 });
      const proved = await other.run(["audit", "verify", path, "--anchor", anchorFile]);
      expect(proved).toMatchObject({ code: 0, out: expect.stringContaining("every chain holds") });
      const text = readFileSync(path, "utf8");
      const lines = text.trimEnd().split("\n");
      const harmed = {
        "a record without its chain": text.replace('"type":"TurnEnded"', '"type":"TurnBegun"'),
        "a line that is gone": lines.toSpliced(lines.length - 2, 1).join("\n"),
        "no signature": lines.slice(0, -1).join("\n"),
        "a signature of something else": text.replace(/"signature":"...?/, '"signature":"AA'),
      };
      for (const [how, harm] of Object.entries(harmed)) {
        const bad = join(machine.root, `bad-${name}`);
        writeFileSync(bad, harm);
        expect({ how, code: (await other.run(["audit", "verify", bad])).code }).toEqual({
          how,
          code: 74,
        });
      }
    }
    const bare = readFileSync(join(machine.root, "bare.jsonl"), "utf8");
    expect(bare).not.toContain('\\"text\\"');
    other.remove();
  });
});

it("a file to verify that never ends, or that nobody writes, is refused at once", async () => {
  const pipe = join(machine.root, "pipe");
  execFileSync("mkfifo", [pipe]);
  const line = join(machine.root, "line");
  writeFileSync(line, "x".repeat(5 << 20));
  for (const path of [pipe, "/dev/zero", machine.root, line]) {
    expect(await machine.run(["audit", "verify", path])).toMatchObject({ code: 2, out: "" });
  }
});

describe("a report", () => {
  it("tells what was asked, answered, run, changed, reached and refused, and by whom", async () => {
    const calls = [
      { tool: "write", input: { path: "made.txt", content: "made\n" } },
      { tool: "write", input: { path: ".git/hooks/post-commit", content: "x" } },
      { tool: "run", input: { command: "exit 3" } },
    ];
    const model = machine.model("r", [{ calls }, { text: "Done." }]);
    const asked = await machine.run(["ask", "-m", model, "--yes", "--json", "make it"]);
    const [session] = linesOf(asked.out).flatMap((line) => line.session ?? []);
    const told = await machine.run(["audit", "report", "--json", "--session", String(session)]);
    const lines = linesOf(told.out);
    const entries = lines.filter(({ type }) => type === "entry");
    const about = (kind: string) => entries.filter((entry) => entry.kind === kind);
    expect(about("prompt")).toMatchObject([{ actor: "user", what: "make it" }]);
    expect(about("changed")).toMatchObject([{ what: "made.txt", outcome: "created" }]);
    expect(about("denied")).toMatchObject([{ what: expect.stringContaining("post-commit") }]);
    expect([...about("command"), ...about("asked")]).toMatchObject([{ what: "exit 3" }]);
    expect(lines.at(-1)).toMatchObject({ type: "result", counts: { prompt: 1, changed: 1 } });
    const text = await machine.run(["audit", "report", "--days", "1"]);
    expect(text).toMatchObject({ code: 0, out: expect.stringContaining("made.txt") });
    const later = await machine.run(["audit", "report", "--since", "2999-01-01"]);
    expect(later.out).not.toContain("made.txt");
    expect(await machine.run(["audit", "report", "--since", "soon"])).toMatchObject({ code: 2 });
  });
});
