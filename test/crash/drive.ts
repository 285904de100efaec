// Drives a session to its rest through the door, as a user would: begins it or goes on with it,
// answers what is asked, and says how it ended.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import * as z from "zod/mini";
import type { App } from "#app";
import type { Tool } from "#boundary/tools/port.ts";
import { defineTool, outcome } from "#boundary/tools/tool.ts";
import { ok, type Result } from "#core/failure.ts";

export function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.say}`);
  return result.value;
}

/** A keyed tool: the other side does a thing once for each key, however often it is asked. */
export const payInto = (witness: string, asks: boolean): Tool =>
  defineTool({
    name: "pay",
    effect: "keyed",
    about: "Pays once.",
    input: z.strictObject({ key: z.string() }),
    example: { key: "k1" },
    prepare: async ({ key }) =>
      ok({
        access: asks ? [{ kind: "fetch" as const, url: "https://pay.example/" }] : [],
        effect: "keyed" as const,
        intent: { key },
        title: `pay ${key}`,
        run: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          const done = existsSync(witness) ? readFileSync(witness, "utf8") : "";
          if (!done.includes(`paid ${key}\n`)) appendFileSync(witness, `paid ${key}\n`);
          return outcome("paid");
        },
      }),
  });

/** The only session there is, or a new one in this folder. */
export async function sessionIn(app: App, folder: string): Promise<string> {
  const found = must(await app.read({ type: "View", view: "sessions", limit: 1 }));
  if (found[0]) return String(found[0].session);
  must(await app.send({ type: "Trust", path: folder }));
  return must(await app.send({ type: "StartSession", cwd: folder })).stream;
}

/** Begins the turn, or goes on with the one that is open; answers how many turns there were. */
export async function driven(app: App, session: string): Promise<number> {
  const { state } = must(await app.read({ type: "Session", session }));
  const isFresh = state.version === 1;
  if (isFresh) must(await app.send({ type: "SubmitPrompt", session, text: "do it" }));
  else if (state.turn) must(await app.send({ type: "Resume", session }));
  else return state.turns.length;
  await rested(app, session);
  return state.turns.length + 1;
}

/** Takes the turn back, or finishes taking it back; nothing where that is `left` to a prompt. */
export async function undone(app: App, session: string, left: boolean): Promise<void> {
  const { state } = must(await app.read({ type: "Session", session }));
  if (left || state.undone.length > 0) return;
  must(await app.send({ type: "Undo", session }));
}

/** One more prompt: a session that went on once must go on again. */
export async function goesOn(app: App, session: string): Promise<void> {
  must(await app.send({ type: "SubmitPrompt", session, text: "and?" }));
  await rested(app, session);
}

async function rested(app: App, session: string): Promise<void> {
  const { state } = must(await app.read({ type: "Session", session }));
  for (const { call, ask, state: at } of state.calls) {
    if (at === "asked" && ask) await allow(app, session, { callId: call.id, hash: ask.hash });
  }
  const stop = new AbortController();
  const from = { stream: session, after: state.version };
  for await (const entry of app.follow(from, stop.signal)) {
    const { decoded } = must(entry);
    if (decoded.kind !== "event") continue;
    const { event } = decoded;
    if (event.type === "PermissionAsked") await allow(app, session, event);
    if (event.type === "TurnEnded") break;
  }
}

async function allow(
  app: App,
  session: string,
  { callId, hash }: { callId: string; hash: string },
): Promise<void> {
  const answer = { answer: "allow", scope: "once", callId, hash } as const;
  must(await app.send({ type: "AnswerPermission", session, ...answer }));
}
