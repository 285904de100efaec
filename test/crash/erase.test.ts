// `session rm` killed between its two writes, the event that erases and the erasing: a later start
// finishes it without being asked.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { loadConfig } from "#config";
import type { Result } from "#core/failure.ts";
import { type Ports, start } from "../../src/start.ts";

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.say}`);
  return result.value;
}

/** Everything that a folder holds, as one text. */
function bytesOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true });
  return files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), "latin1"))
    .join("\n");
}

const source = `
  import { loadConfig } from "#config";
  import { start } from "#start-under-test";
  const must = (result) => {
    if (!result.ok) throw new Error(result.error.say);
    return result.value;
  };
  const die = async () => {
    process.kill(process.pid, "SIGKILL");
    await new Promise(() => {});
  };
  const around = (ports) => ({ ...ports, log: { ...ports.log, erase: die } });
  const config = must(loadConfig({ env: process.env, flags: {} }));
  const app = must(await start({ config, env: process.env, around }));
  const { stream: session } = must(
    await app.send({ type: "StartSession", cwd: process.env.FOLDER, model: "scripted/none" }),
  );
  must(await app.send({ type: "Rename", session, title: "canary-4711" }));
  must(await app.send({ type: "Erase", session, why: "private" }));`;

it("is finished by the next start that does anything", async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "aiex-erase-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [folder, home] = [join(root, "work"), join(root, "home")];
  mkdirSync(folder);
  const env = { PATH: process.env.PATH, HOME: root, AIEX_HOME: home, FOLDER: folder };
  const project = dirname(dirname(import.meta.dirname));
  const program = source.replace("#start-under-test", join(project, "src", "start.ts"));
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
    cwd: project,
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [, signal] = await once(child, "close");
  expect(signal).toBe("SIGKILL");
  expect(bytesOf(home)).toContain("canary-4711");

  const gone = Promise.withResolvers<void>();
  const around = (ports: Ports): Ports => ({
    ...ports,
    log: {
      ...ports.log,
      async erase(...given) {
        const done = await ports.log.erase(...given);
        gone.resolve();
        return done;
      },
    },
  });
  const config = must(loadConfig({ env, flags: {} }));
  const app = must(await start({ config, env, around }));
  must(await app.send({ type: "Trust", path: folder }));
  await gone.promise;
  await app.close();
  expect(bytesOf(home)).not.toContain("canary-4711");
});
