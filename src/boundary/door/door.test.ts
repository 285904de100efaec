// What leaves and what comes: an erased session is gone with all that only it named; an exported one
// lives on in another home, without the leave that was given where it came from.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { sha256 } from "#boundary/digest.ts";
import { ask, askAgain, exported, type Home, openHome } from "#boundary/door/samples.ts";
import { call, type Say, text } from "#boundary/turn/samples.ts";
import type { LogRecord } from "#core/record.ts";
import { chain, emptyHead, faultOf } from "#core/record.ts";
import type { SessionEvent } from "#core/session/events.ts";
import {
  adopted,
  answered,
  asked,
  draft,
  prompted,
  started,
  stepStarted,
} from "#core/session/samples.ts";

const say: Say = (request) => {
  const last = request.messages.at(-1);
  return { parts: last?.role === "user" ? [call("c1", "note")] : [text("all is well")] };
};

const homes: Home[] = [];
afterEach(async () => {
  for (const { app, folder } of homes.splice(0)) {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

async function home(node: string): Promise<Home> {
  const opened = await openHome(node, say);
  homes.push(opened);
  return opened;
}

/** Everything that a home keeps, as one text. */
function bytesOf({ folder }: Home): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), "latin1"))
    .join("\n");
}

async function recordsOf({ app }: Home, stream: string): Promise<LogRecord[]> {
  const records = await app.read({ type: "Records", stream, after: 0, limit: 1_000 });
  if (!records.ok) throw new Error(records.error.say);
  return records.value;
}

describe("an erased session", () => {
  it("leaves no word of it in any file, far bodies, requests and attachments included", async () => {
    const here = await home("n");
    const session = await ask(here, `canary-4711 ${"x".repeat(70_000)}`);
    const file = {
      name: "a",
      media: "text/plain",
      base64: Buffer.from("canary-4711").toString("base64"),
    };
    await here.app.send({ type: "SubmitPrompt", session, text: "see", attachments: [file] });
    await askAgain(here, session, "and this canary-4711");
    const searched = await here.app.read({ type: "View", view: "prompts", limit: 10 });
    expect(JSON.stringify(searched)).toContain("canary-4711");
    expect(bytesOf(here)).toContain("canary-4711");
    const erased = await here.app.send({ type: "Erase", session, why: "private" });
    expect(erased).toMatchObject({ ok: true });
    expect(bytesOf(here)).not.toContain("canary-4711");
    const state = await here.parts.sessions.fold(session);
    expect(JSON.stringify(state)).not.toContain("canary");
  });

  it("goes on to count in what was spent, also where the ledger is made anew", async () => {
    const here = await home("n");
    const session = await ask(here, "one");
    await askAgain(here, session, "two");
    const sums = async () => {
      const columns = ["tokens", "nanoDollars", "unpriced"];
      const day = Math.floor(Date.now() / 86_400_000);
      const within = ["user:", `day:${day}`, session];
      const read = await here.parts.log.tables.sums(
        "budgets",
        within.map((sum) => ({ where: { within: sum }, columns })),
      );
      return read.ok ? read.value : read;
    };
    const usage = async () => await here.app.read({ type: "View", view: "usage", limit: 10 });
    const [before, took] = [await sums(), await usage()];
    expect(before).toMatchObject([{ tokens: 60 }, { tokens: 60 }, { tokens: 60 }]);
    expect(took).toMatchObject({ value: [{ session, calls: 4, input: 40, output: 20 }] });
    await here.app.send({ type: "Erase", session, why: "private" });
    const none = { tokens: 0, nanoDollars: 0, unpriced: 0 };
    const after = [...(before as object[]).slice(0, 2), none];
    expect([await sums(), await usage()]).toEqual([after, took]);
    await here.app.send({ type: "RebuildViews" });
    expect([await sums(), await usage()]).toEqual([after, took]);
  });

  it("takes nothing that another session still names, chains of requests included", async () => {
    const here = await home("n");
    const session = await ask(here, "first");
    await askAgain(here, session, "second");
    const copy = await here.app.send({
      type: "ImportSession",
      text: await exported(here, session),
      cwd: here.folder,
    });
    if (!copy.ok) throw new Error(copy.error.say);
    await here.app.send({ type: "Erase", session, why: "private" });
    await askAgain(here, copy.value.stream, "third");
    const records = await recordsOf(here, copy.value.stream);
    const steps = records.filter(({ type }) => type === "StepStarted");
    expect(steps).toHaveLength(6);
    for (const { body } of steps) {
      const request = await here.parts.requests.get(JSON.parse(body ?? "").request.hash);
      expect(request).toMatchObject({ ok: true });
    }
  });

  it("can be erased again, should the first time have been cut short", async () => {
    const here = await home("n");
    const session = await ask(here, "canary-4711");
    // As a process leaves it that died after the event was written.
    await here.parts.sessions.command(session, { type: "Erase", why: "private" });
    expect(bytesOf(here)).toContain("canary-4711");
    const again = await here.app.send({ type: "Erase", session, why: "private" });
    expect(again).toMatchObject({ ok: true });
    expect(bytesOf(here)).not.toContain("canary-4711");
  });
});

describe("an imported session", () => {
  it("verifies, tells the same story, and goes on in the folder it was imported to", async () => {
    const [there, here] = [await home("there"), await home("here")];
    const session = await ask(there, `tell ${"x".repeat(70_000)}`);
    const sent = await here.app.send({
      type: "ImportSession",
      text: await exported(there, session),
      cwd: here.folder,
    });
    if (!sent.ok) throw new Error(sent.error.say);
    const { stream } = sent.value;
    const types = (records: LogRecord[]) => records.map(({ type }) => type);
    const records = await recordsOf(here, stream);
    expect(types(records)).toEqual(types(await recordsOf(there, session)));
    let head = emptyHead;
    for (const record of records) {
      expect(faultOf(record, head, sha256)).toBeNull();
      head = record;
    }
    const state = await here.parts.sessions.fold(stream);
    expect(state).toMatchObject({
      value: { start: { location: { node: "here", path: here.folder }, parent: session } },
    });
    await askAgain(here, stream, "go on");
    const last = (await recordsOf(here, stream)).at(-1);
    expect([last?.type, JSON.parse(last?.body ?? "").end]).toEqual(["TurnEnded", "done"]);
  });

  it("keeps erased what was erased", async () => {
    const [there, here] = [await home("there"), await home("here")];
    const session = await ask(there, "secret");
    await there.app.send({ type: "Erase", session, why: "private" });
    const text = await exported(there, session);
    const sent = await here.app.send({ type: "ImportSession", text, cwd: here.folder });
    if (!sent.ok) throw new Error(sent.error.say);
    const bodies = (await recordsOf(here, sent.value.stream)).map(({ body }) => body);
    expect(bodies.slice(0, -1).every((body) => body === null)).toBe(true);
    expect(await here.parts.sessions.fold(sent.value.stream)).toMatchObject({
      value: { erased: true, start: null },
    });
  });

  it("is refused where a body was taken out of it, and nothing says that it was erased", async () => {
    const [there, here] = [await home("there"), await home("here")];
    const text = await exported(there, await ask(there, "secret"));
    const lines = text.trimEnd().split("\n");
    const at = lines.findIndex((line) => line.includes('"type":"TurnStarted"'));
    const record = JSON.parse(lines[at] ?? "{}") as object;
    lines[at] = JSON.stringify({ ...record, body: null, salt: null });
    const sent = await here.app.send({
      type: "ImportSession",
      text: lines.join("\n"),
      cwd: here.folder,
    });
    expect(sent).toMatchObject({
      error: { say: expect.stringContaining("has no body, and was not erased") },
    });
  });

  it("brings no leave with it, and runs nothing by itself", async () => {
    const here = await home("here");
    const question = asked("c1");
    const lines = lineOf([
      { ...started, mode: "yes" },
      adopted(1),
      prompted(),
      stepStarted(),
      answered([{ id: "c1", tool: "note" }]),
      question,
      { type: "PermissionAnswered", callId: "c1", answer: "allow", scope: "session", hash: "h1" },
      { type: "PromptQueued", turn: "t2", text: "then rm", attachments: [] },
    ]);
    const sent = await here.app.send({ type: "ImportSession", text: lines, cwd: here.folder });
    if (!sent.ok) throw new Error(sent.error.say);
    const state = await here.parts.sessions.fold(sent.value.stream);
    expect(state).toMatchObject({ value: { turn: null, queue: [], grants: [], mode: "ask" } });
  });

  it("is refused whole where a record is not what its type says, and nothing is written", async () => {
    const here = await home("here");
    const lines = lineOf([started, { type: "TurnStarted", turn: "t1" } as unknown as SessionEvent]);
    const sent = await here.app.send({ type: "ImportSession", text: lines, cwd: here.folder });
    expect(sent).toMatchObject({ error: { code: "corrupt", say: expect.stringContaining("2") } });
    const text = lineOf([started]).replace('"epoch":0', '"epoch":"x"');
    expect(await here.app.send({ type: "ImportSession", text, cwd: here.folder })).toMatchObject({
      error: { code: "corrupt" },
    });
    const rows = await here.app.read({ type: "View", view: "sessions", limit: 10 });
    expect(rows).toEqual({ ok: true, value: [] });
  });
});

/** Events as an export made elsewhere, whose chain verifies. */
function lineOf(events: SessionEvent[]): string {
  let n = 0;
  const newId = () => `id${++n}`;
  const stamp = { at: 1, node: "there", newId, newSalt: newId };
  const drafts = events.map(({ type, ...body }) => draft(type, body));
  const records = chain(drafts, "original", emptyHead, stamp, sha256);
  const head = { format: "aiex-session-1" };
  return [head, ...records.map((record) => ({ ...record, position: 1 }))]
    .map((line) => JSON.stringify(line))
    .join("\n");
}
