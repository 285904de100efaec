// An undo that is killed at each of its moments: the next undo, or the next prompt, finishes it. It
// is one undo, every path is as it was before the turn or as the turn left it, and redo works.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StrictStub, startStrictStub } from "../peers/strict.ts";
import { undoMoments, undoScript } from "./boundaries.ts";
import { rawLog } from "./reader.ts";
import { dyingIn, inLanes, Scene, type World } from "./world.ts";

const scene = new Scene();
let stub: StrictStub;
/** Answers what is asked after the undo: the turn is out of the model's view then. */
let later: StrictStub;

beforeAll(async () => {
  await scene.prepare();
  stub = await startStrictStub({ script: undoScript });
  const answers = Array.from({ length: 4 }, () => ({ text: "Still here." }));
  later = await startStrictStub({ script: { answers } });
});
afterAll(async () => {
  await stub.close();
  await later.close();
  scene.close();
});

/** The files that the turn changes: the edited, the one it made, the one it removed. */
function filesIn({ folder }: World): (string | null)[] {
  return ["a.txt", "c.txt", "b.txt"].map((name) => {
    const file = join(folder, name);
    return existsSync(file) ? readFileSync(file, "utf8") : null;
  });
}

const before = ["before\n", null, "b\n"];
const after = ["after\n", "new\n", null];

describe("an undo that is killed", () => {
  it.each(["redo", "prompt"] as const)(
    "at any moment is finished, and then a %s",
    async (andMore) => {
      const wrong: string[] = [];
      await inLanes(undoMoments, 3, async ({ moment, nth }) => {
        const env = { OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "k", AIEX_MODEL: "openai/stub" };
        const name = `${andMore}-${moment}`.replaceAll(" ", "-");
        const world = scene.world(name, { env, rules: [], does: "undo" });
        const died = await scene.run([world], dyingIn(world, { moment, nth }));
        if (died.signal !== "SIGKILL") wrong.push(`${name}: did not die`, died.err);
        const { lived, err } = await scene.run([
          { ...world, andMore, env: { ...env, OPENAI_BASE_URL: later.url } },
        ]);
        if (err !== "" || lived[0]?.failed) wrong.push(`${name}: ${err} ${lived[0]?.failed}`);
        const log = rawLog(world.home, wrong);
        const count = (type: string) => log.filter((record) => record.type === type).length;
        const undos = log.filter(
          ({ type, body }) => type === "RestoreStarted" && body.cause === "undo",
        );
        if (count("RestoreStarted") !== count("RestoreFinished")) wrong.push(`${name}: left open`);
        // A prompt finishes what was begun, and begins nothing.
        const isBegun = andMore === "redo" || moment !== "before RestoreStarted";
        if (undos.length !== (isBegun ? 1 : 0)) wrong.push(`${name}: ${undos.length} undos`);
        const wanted = andMore === "redo" || !isBegun ? after : before;
        const files = filesIn(world);
        if (JSON.stringify(files) !== JSON.stringify(wanted)) wrong.push(`${name}: ${files}`);
      });
      expect(wrong).toEqual([]);
      expect([...stub.malformed(), ...later.malformed()]).toEqual([]);
    },
  );
});
