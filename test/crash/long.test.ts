// A session of 10,000 events that is killed in the middle of an answer: it is gone on with within
// two seconds, and its fold from a snapshot and the rest is the one from all of its records.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import { feedAtOnce } from "#boundary/views.ts";
import { loadConfig } from "#config";
import { start } from "../../src/start.ts";
import { type StrictStub, startStrictStub } from "../peers/strict.ts";
import { scriptOf } from "./boundaries.ts";
import { must } from "./drive.ts";
import { faultsIn } from "./reader.ts";
import { dyingIn, Scene, type World } from "./world.ts";

const EVENTS = 10_000;
const RECOVERY_MS_MAX = 2_000;

const scene = new Scene();
let stub: StrictStub;

beforeAll(async () => {
  await scene.prepare();
  stub = await startStrictStub({ script: scriptOf("pure") });
});
afterAll(async () => {
  await stub.close();
  scene.close();
});

/** Many events that the program could have appended, through the log itself. */
async function lengthen({ home }: World): Promise<string> {
  const options = { node: "n", atOnce: feedAtOnce, now: Date.now };
  const log = must(sqliteLog(join(home, "log.db"), options));
  const session = must(await log.streams("", 10)).find((name) => !name.includes(":")) ?? "";
  for (let at = 0; at < EVENTS; at += 500) {
    const { version } = must(await log.head(session));
    const drafts = Array.from({ length: 500 }, (_, i) => {
      const body = JSON.stringify({ title: `title ${at + i}` });
      return { type: "SessionRenamed", schema: 1, body, actor: "user", epoch: 0 };
    });
    must(await log.append(session, version, drafts));
  }
  await log.close();
  return session;
}

/** The present state as the program folds it. */
async function stateIn(world: World, session: string): Promise<string> {
  const env = { ...world.env, HOME: scene.root, AIEX_HOME: world.home };
  const config = must(loadConfig({ env, flags: {} }));
  const app = must(await start({ config, env }));
  const { state } = must(await app.read({ type: "Session", session }));
  await app.close();
  return JSON.stringify(state);
}

it("a session of 10,000 events is gone on with within two seconds", async () => {
  const env = { OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "k", AIEX_MODEL: "openai/stub" };
  const world = scene.world("long", { env, rules: [], does: "turn" });
  const dying = dyingIn(world, { moment: "item text", nth: 2 });
  expect(await scene.run([world], dying)).toMatchObject({ signal: "SIGKILL" });
  const session = await lengthen(world);
  const { lived, err } = await scene.run([world]);
  expect({ err, lived }).toMatchObject({ err: "", lived: [{ session }] });
  expect(faultsIn(world, session)).toEqual({ lost: [], doubled: [], other: [] });
  console.log(`recovery of ${EVENTS} events: ${Math.round(lived[0]?.ms ?? 0)} ms`);
  expect(lived[0]?.ms).toBeLessThanOrEqual(RECOVERY_MS_MAX);

  const kept = await stateIn(world, session);
  const db = new DatabaseSync(join(world.home, "log.db"));
  expect(db.prepare("DELETE FROM snapshots").run().changes).toBe(1);
  db.close();
  expect(await stateIn(world, session)).toBe(kept);
});
