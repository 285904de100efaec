// The program is killed (SIGKILL, a real process) at moments of a turn with a tool of each effect
// class at once: every fourth of all there are, each of them with `AIEX_CRASH_SEEDS=4`. Afterwards
// nothing is lost, nothing ran twice that must not, no request was malformed.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StrictStub, startStrictStub } from "../peers/strict.ts";
import { mixedScript } from "./boundaries.ts";
import { faultsIn } from "./reader.ts";
import { dyingIn, inLanes, Scene, type World } from "./world.ts";

const STRIDE = Math.max(1, 5 - Number(process.env.AIEX_CRASH_SEEDS ?? "1"));

const scene = new Scene();
let stub: StrictStub;

beforeAll(async () => {
  await scene.prepare();
  stub = await startStrictStub({ script: mixedScript });
});
afterAll(async () => {
  await stub.close();
  scene.close();
});

const newWorld = (name: string): World =>
  scene.world(name, {
    env: { OPENAI_BASE_URL: stub.url, OPENAI_API_KEY: "k", AIEX_MODEL: "openai/stub" },
    rules: [],
    does: "turn",
  });

const wrongIn = (world: World, session: string) => Object.values(faultsIn(world, session)).flat();

describe("a program that is killed", () => {
  it("at no moment of a turn loses anything, or does anything twice", async () => {
    const whole = newWorld("whole");
    const undisturbed = await scene.run([whole]);
    expect([undisturbed.code, undisturbed.err]).toEqual([0, ""]);
    const { moments = 0, session = "" } = undisturbed.lived[0] ?? {};
    expect(wrongIn(whole, session)).toEqual([]);
    expect(moments).toBeGreaterThan(100);

    const wrong: string[] = [];
    const first = 1 + Math.floor(Math.random() * STRIDE);
    const numbers = Array.from({ length: moments }, (_, i) => i + 1).filter(
      (n) => n % STRIDE === first % STRIDE,
    );
    const worlds = new Map(numbers.map((n) => [`die-${n}`, newWorld(`die-${n}`)]));
    await inLanes([...worlds.values()], 3, async (world) => {
      const moment = world.name.slice("die-".length);
      const { signal, code, err } = await scene.run([world], dyingIn(world, { moment }));
      // Which moments there are varies a little: the last ones may not be reached.
      const isOver = code === 0 && Number(moment) > moments - 20;
      if (signal !== "SIGKILL" && !isOver) wrong.push(`${world.name} did not die: ${err}`);
    });
    const again = await scene.run([...worlds.values()].map((world) => ({ ...world })));
    expect(again.err).toBe("");
    for (const { name, session: found, failed } of again.lived) {
      const world = worlds.get(name) as World;
      const faults = failed ? [failed] : wrongIn(world, found);
      wrong.push(...faults.map((fault) => `${name}: ${fault}`));
    }
    expect(wrong).toEqual([]);
    expect(again.lived).toHaveLength(numbers.length);
    expect(stub.malformed()).toEqual([]);
    console.log(`killed at ${numbers.length} of ${moments} moments`);
  }, 600_000);
});
