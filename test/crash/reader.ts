// An independent reader of what a crash left: plain SQL and hashing of its own, nothing of the
// program's code. It checks the properties P1 to P4, P6 and P7 of the reliability plan (§5.1).
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { linesOf, type World } from "./world.ts";

export type Raw = {
  stream: string;
  version: number;
  type: string;
  body: Record<string, unknown>;
};

type Row = Record<string, string | number | null> & { type: string; body: string };

/** Everything that is wrong, by what it means to a user. */
export type Faults = { lost: string[]; doubled: string[]; other: string[] };

const sha = (text: string) => createHash("sha256").update(text).digest("hex");

/** Every record of every stream, each chain checked; what does not hold is added to `other`. */
export function rawLog(home: string, other: string[]): Raw[] {
  const db = new DatabaseSync(join(home, "log.db"), { readOnly: true });
  const sql = "SELECT *, CAST(body AS TEXT) AS body FROM records ORDER BY stream, version";
  const rows = db.prepare(sql).all() as Row[];
  db.close();
  let before = { stream: "", version: 0, hash: "" };
  for (const r of rows) {
    if (r.stream !== before.stream) before = { stream: String(r.stream), version: 0, hash: "" };
    const at = `${r.stream} ${r.version} ${r.type}`;
    if (r.version !== before.version + 1) other.push(`gap before ${at}`);
    if (r.prev !== before.hash) other.push(`chain broken before ${at}`);
    if (r.bodyHash !== sha(`${r.salt}\n${r.body}`)) other.push(`body of ${at}`);
    const { stream, version, id, type, schema, at: time, actor, node, epoch } = r;
    const header = [stream, version, id, type, schema, time, actor, node, epoch];
    const whole = ["aiex-record-1", ...header, r.cause, r.correlation, r.bodyHash, r.prev];
    if (r.hash !== sha(JSON.stringify(whole))) other.push(`header of ${at}`);
    before = { stream: String(stream), version: Number(version), hash: String(r.hash) };
  }
  return rows.map(({ stream, version, type, body }) => ({
    stream: String(stream),
    version: Number(version),
    type,
    body: JSON.parse(body),
  }));
}

/** Trees that the log names and that are not whole in the store, as git itself reads it. */
function lostTrees(home: string, log: readonly Raw[]): string[] {
  const trees = new Set(log.flatMap(({ body }) => (body.tree ? [String(body.tree)] : [])));
  if (trees.size === 0) return [];
  const folder = join(home, "trees");
  const stores = existsSync(folder)
    ? readdirSync(folder).filter((name) => existsSync(join(folder, name, "objects")))
    : [];
  const [store] = stores;
  if (!store) return [`${trees.size} trees, and no store`];
  const listed = spawnSync("git", ["rev-list", "--objects", "--stdin"], {
    input: `${[...trees].join("\n")}\n`,
    env: { PATH: process.env.PATH, GIT_DIR: join(folder, store), LC_ALL: "C" },
    encoding: "utf8",
  });
  return listed.status === 0 ? [] : [`trees: ${listed.stderr.trim()}`];
}

type Call = { callId: string; tool: string; turn: number };

function callsIn(log: readonly Raw[]): Call[] {
  let turn = 0;
  return log.flatMap(({ type, body }) => {
    if (type === "TurnStarted") turn += 1;
    if (type !== "StepCompleted") return [];
    const parts = body.parts as { type: string; id: string; tool: string }[];
    return parts
      .filter((part) => part.type === "call")
      .map(({ id, tool }) => ({ callId: id, tool, turn }));
  });
}

/** What is wrong in a world whose turn was cut and gone on with. */
export function faultsIn(world: World, session: string): Faults {
  const faults: Faults = { lost: [], doubled: [], other: [] };
  const all = rawLog(world.home, faults.other);
  const log = all.filter(({ stream }) => stream === session);
  acknowledged(world, all, faults);
  for (const call of callsIn(log)) callsEnd(call, log, faults);
  for (const callId of linesOf(join(world.outside, "acked.early"))) {
    faults.other.push(`${callId} ran before its intent was durable`);
  }
  const ends = log.filter(({ type }) => type === "TurnEnded");
  const begun = log.filter(({ type }) => type === "TurnStarted").length;
  if (ends.length !== begun) faults.lost.push(`${begun} turns, ${ends.length} ends`);
  for (const { body } of ends) {
    if (body.end !== "done") faults.lost.push(`a turn ended as ${JSON.stringify(body)}`);
  }
  witnessed(world, log, faults);
  faults.lost.push(...lostTrees(world.home, log));
  return faults;
}

/** P1: each event that the program was told to be kept is there, at its version. */
function acknowledged(world: World, all: readonly Raw[], { lost }: Faults): void {
  const there = new Set(all.map(({ stream, version, type }) => `${stream} ${version} ${type}`));
  for (const line of linesOf(join(world.outside, "acked"))) {
    const key = (JSON.parse(line) as unknown[]).join(" ");
    if (!there.has(key)) lost.push(`acknowledged and gone: ${key}`);
  }
}

/** P2, P3: one result for each call; an opaque one started once. */
function callsEnd({ callId, tool }: Call, log: readonly Raw[], faults: Faults): void {
  const of = (type: string) =>
    log.filter((record) => record.type === type && record.body.callId === callId);
  const results = of("ToolFinished").length;
  if (results === 0) faults.lost.push(`no result of ${tool} ${callId}`);
  if (results > 1) faults.doubled.push(`${results} results of ${tool} ${callId}`);
  const opaque = of("ToolStarted").filter(({ body }) => body.effect === "opaque").length;
  if (opaque > 1) faults.doubled.push(`${tool} ${callId} started ${opaque} times`);
}

/** P2, P6: what happened outside of the log, against what the log says of it. */
function witnessed(world: World, log: readonly Raw[], faults: Faults): void {
  const tools = new Map<string, string>();
  for (const { type, body } of log) {
    if (type === "ToolStarted") tools.set(String(body.callId), String(body.title));
  }
  const endedOk = (title: string) =>
    log.some(
      ({ type, body }) =>
        type === "ToolFinished" && body.end === "ok" && tools.get(String(body.callId)) === title,
    );
  const paid = linesOf(join(world.outside, "paid")).length;
  if (paid > 1) faults.doubled.push(`paid ${paid} times`);
  if (paid === 0 && endedOk("pay k1")) faults.lost.push("said to be paid, and was not");
  const ran = linesOf(join(world.outside, "ran")).length;
  if (ran > 1) faults.doubled.push(`ran ${ran} times`);
  const command = [...tools.values()].find((title) => title.startsWith("echo ran")) ?? "";
  if (ran === 0 && endedOk(command)) faults.lost.push("said to have run, and had not");
  const text = readFileSync(join(world.folder, "a.txt"), "utf8");
  if (text !== "after\n") faults.lost.push(`a.txt is ${JSON.stringify(text)}`);
  const created = [...tools.values()].some((title) => title.includes("c.txt"));
  const [line, ...more] = linesOf(join(world.folder, "c.txt"));
  if (created && (line !== "new" || more.length > 0)) faults.lost.push(`c.txt is ${line}`);
}
