// Many write in one folder at once: two sessions, a user and a background job. However often their
// turns are undone and redone, no byte is touched that the turn in question did not write.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { App } from "#app";
import { objectOf } from "#boundary/trees/objects.ts";
import { call, modelOf, newWorld, text } from "#boundary/turn/samples.ts";
import { loadConfig } from "#config";
import { ok, type Result } from "#core/failure.ts";
import { textOf } from "#core/model/message.ts";
import { next } from "#core/session/next.ts";
import { entryOf } from "#core/tree/entry.ts";
import { start } from "../../src/start.ts";
import { randomFrom } from "../hostile/random.ts";

const SEED = Number(process.env.AIEX_WRITERS_SEED ?? Math.floor(Math.random() * 1e9));
/** Undos and redos. */
const TIMES = Number(process.env.AIEX_WRITERS_TIMES ?? 500);
const FILES = 24;

const base = mkdtempSync(join(tmpdir(), "aiex-writers-"));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const folder = join(base, "work");
const home = join(base, "home");

const must = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.say}`);
  return result.value;
};

/** Who wrote which content, by its id in trees. */
const authors = new Map<string, { who: string; at: number }>();
let written = 0;
function contentBy(who: string): string {
  written += 1;
  const content = `${who} ${written}\n`;
  authors.set(objectOf("blob", Buffer.from(content)).id, { who, at: Date.now() });
  return content;
}

/** A model that does what the prompt says: a JSON list of calls. */
function obeying() {
  const world = newWorld();
  return modelOf(
    world,
    ({ messages }) => {
      const prompt = messages.findLastIndex(({ role, ...m }) => role === "user" && "origin" in m);
      const since = messages.slice(prompt).filter(({ role }) => role === "assistant").length;
      const [said] = [messages[prompt]].flatMap((m) => (m ? [textOf(m.parts)] : []));
      const wanted = JSON.parse(said ?? "[]") as { tool: string; input: unknown }[];
      const due = wanted[since];
      if (!due) return { parts: [text("done")] };
      return { parts: [call(`c${prompt}-${since}`, due.tool, JSON.stringify(due.input))] };
    },
    async () => {},
  );
}

async function opened(): Promise<App> {
  const config = must(loadConfig({ env: { HOME: base, AIEX_HOME: home }, flags: { mode: "yes" } }));
  const port = obeying();
  return must(
    await start({
      config,
      env: { HOME: base, PATH: process.env.PATH },
      around: (ports) => ({ ...ports, openModel: async () => ok({ port, model: "test" }) }),
    }),
  );
}

/** Sends a prompt and waits until the session rests. */
async function turn(app: App, session: string, calls: object[]): Promise<void> {
  const stop = new AbortController();
  const sent = must(await app.send({ type: "SubmitPrompt", session, text: JSON.stringify(calls) }));
  for await (const entry of app.follow({ stream: session, after: sent.version - 1 }, stop.signal)) {
    must(entry);
    const { state } = must(await app.read({ type: "Session", session }));
    if (next(state).do === "rest") break;
  }
  stop.abort();
}

const random = randomFrom(SEED).unit;
const nameAt = (n: number) => `f${n}.txt`;
const someName = () => nameAt(Math.floor(random() * FILES));

/** A turn of writing: commands, and edits that name their file. */
function someCalls(who: string, seen: Set<string>): object[] {
  const count = 1 + Math.floor(random() * 3);
  return Array.from({ length: count }, () => {
    const name = someName();
    const content = contentBy(who);
    if (random() < 0.5)
      return { tool: "run", input: { command: `printf '${content.trim()}\\n' > ${name}` } };
    const fresh = `${who.replace(" ", "-")}-${written}.txt`;
    seen.add(fresh);
    return { tool: "write", input: { path: fresh, content } };
  });
}

type Violation = { path: string; by: string; during: boolean };

/** What the newest bringing back of a session replaced that the session had not written. */
async function foreignIn(app: App, session: string): Promise<Violation[]> {
  const entries = must(await app.read({ type: "Transcript", session, limit: 400 }));
  const events = entries.flatMap(({ record, decoded }) =>
    decoded.kind === "event" ? [{ at: record.at, event: decoded.event }] : [],
  );
  const from = events.findLastIndex(({ event }) => event.type === "RestoreStarted");
  const started = events[from]?.event;
  const finished = events.slice(from).find(({ event }) => event.type === "RestoreFinished")?.event;
  if (started?.type !== "RestoreStarted" || finished?.type !== "RestoreFinished") return [];
  if (started.cause !== "undo") return [];
  const left = new Set(finished.left.map(({ path }) => path));
  const windows = commandsOf(events);
  return started.changes.flatMap(({ path, before }) => {
    const entry = entryOf(before);
    if (left.has(path) || entry === null) return [];
    // What nobody here wrote down is the job's.
    const author = authors.get(entry.id) ?? { who: "job", at: 0 };
    if (author.who === session) return [];
    const during = windows.some(({ begin, end }) => author.at >= begin && author.at <= end);
    return [{ path, by: author.who, during }];
  });
}

/** When commands of a session ran. */
function commandsOf(events: readonly { at: number; event: { type: string; callId?: string } }[]) {
  return events.flatMap(({ at: begin, event }, i) => {
    if (event.type !== "ToolStarted") return [];
    const end = events
      .slice(i)
      .find(({ event: e }) => e.type === "ToolFinished" && e.callId === event.callId);
    // Content is made a moment before it is written.
    return end ? [{ begin: begin - 50, end: end.at }] : [];
  });
}

describe(`two sessions, a user and a job in one folder (seed ${SEED})`, () => {
  it(`${TIMES} undos and redos change no byte of anybody else`, async () => {
    mkdirSync(folder);
    for (let n = 0; n < FILES; n += 1) writeFileSync(join(folder, nameAt(n)), contentBy("start"));
    const apps = [await opened(), await opened()] as const;
    await must(await apps[0].send({ type: "Trust", path: folder }));
    const sessions = await Promise.all(
      apps.map(
        async (app) =>
          must(await app.send({ type: "StartSession", cwd: folder, model: "test/x" })).stream,
      ),
    );
    const stop = new AbortController();
    const user = writingAtRandom("user", stop.signal);
    const violations: Violation[] = [];
    let done = 0;
    const work = async (app: App, session: string) => {
      const seen = new Set<string>();
      while (done < TIMES) {
        if (random() < 0.1) {
          const loop = `for i in 1 2 3 4 5; do echo job-$i > ${someName()}; sleep 0.05; done`;
          await turn(app, session, [{ tool: "run", input: { command: loop, background: true } }]);
        }
        await turn(app, session, someCalls(session, seen));
        for (const type of ["Undo", "Redo", "Undo"] as const) {
          const sent = await app.send({ type, session });
          if (!sent.ok && sent.error.code !== "conflict") must(sent);
          if (!sent.ok) continue;
          done += 1;
          violations.push(...(await foreignIn(app, session)));
        }
      }
    };
    await Promise.all(apps.map((app, i) => work(app, sessions[i] ?? "")));
    stop.abort();
    await user;
    const untold = violations.filter(({ by, during }) => by === "user" && during);
    const wrong = violations.filter((one) => !untold.includes(one));
    console.log(
      `writers: ${done} undos and redos, ${written} writes, ${wrong.length} foreign bytes changed; ` +
        `${untold.length} saves of the user fell into a running command and counted as its own`,
    );
    expect(wrong).toEqual([]);
    for (const app of apps) await app.close();
    expect(readFileSync(join(folder, nameAt(0)), "utf8")).toMatch(/^\S+ \d+\n$|^job-\d\n$/);
  }, 900_000);
});

/** A user who saves files at any moment. */
async function writingAtRandom(who: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    writeFileSync(join(folder, someName()), contentBy(who));
    await new Promise((resolve) => setTimeout(resolve, 10 + random() * 60));
  }
}
