// The real program over real ports, in one world after the other: it begins the turn there or goes
// on with what is left of it. With `DIE_AT` it dies at a moment (moments.ts). Run by the suites of
// this folder, as one file that world.ts bundles.
import { readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { World } from "./world.ts";

const { aroundPorts, counting, moment, seen, watchFiles, watchSeals, watchTrees } = await import(
  "./moments.ts"
);
watchFiles();
watchTrees();
watchSeals();
// Only now: what is imported takes the names of files and processes as they are.
const { loadConfig } = await import("#config");
const { start } = await import("../../src/start.ts");
const { driven, goesOn, must, payInto, sessionIn, undone } = await import("./drive.ts");

async function live(world: World): Promise<void> {
  const began = performance.now();
  const env = { ...process.env, ...world.env, AIEX_HOME: world.home };
  const flags = { rules: world.rules };
  const config = must(loadConfig({ env, flags }));
  const more = [payInto(join(world.outside, "paid"), world.rules.length > 0)];
  const app = must(await start({ config, env, around: (ports) => aroundPorts(ports, more) }));
  const session = await sessionIn(app, world.folder);
  counting(world.does === "turn");
  const turns = await driven(app, session);
  if (world.does === "undo") {
    counting(true);
    await undone(app, session, world.andMore === "prompt");
  }
  const ms = performance.now() - began;
  if (world.andMore === "prompt") await goesOn(app, session);
  if (world.andMore === "redo") must(await app.send({ type: "Redo", session }));
  await app.close();
  console.log(JSON.stringify({ name: world.name, session, turns, ms, ...seen }));
}

const worlds = JSON.parse(readFileSync(0, "utf8")) as World[];
moment("begun");
for (const world of worlds) {
  const place = dirname(world.folder);
  if (world.from) {
    rmSync(place, { recursive: true, force: true });
    renameSync(world.from, place);
  }
  await live(world).catch((error) => {
    console.log(JSON.stringify({ name: world.name, failed: String(error?.stack ?? error) }));
  });
  if (world.from) renameSync(place, world.from);
}
