// Opening the door for a command: configuration in its layers, then the App over it. What a project
// configures counts only where its folder is trusted, which the App is asked first.
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Answers, App } from "#app";
import { type Config, type ConfigKey, loadConfig } from "#config";
import { ok, type Result } from "#core/failure.ts";
import type { World } from "#interfaces/cli/cli.ts";

export type Opening = {
  /** The folder to work in; where it is not named, the one the command was typed in. */
  folder?: string;
  flags?: Readonly<Partial<Record<ConfigKey, unknown>>>;
  /** Keeps nothing after the process ends. */
  ephemeral?: boolean;
  /** Somebody looks at it all the while: no slow disk may hold up the screen. */
  screen?: boolean;
};

export type Opened = { app: App; config: Config; location: Answers["Location"] };

export type Door = {
  open(opening?: Opening): Promise<Result<Opened>>;
  close(): Promise<void>;
};

/** Where a project keeps its configuration. */
export const PROJECT_FILE = join(".aiex", "config.json");

/** Holds at most one App: opening another folder, or with other flags, closes the one before. */
export function doorOf(world: Pick<World, "env" | "folder" | "start">): Door {
  let held: { key: string; app: App; config: Config } | null = null;

  async function close(): Promise<void> {
    const closing = held?.app;
    held = null;
    await closing?.close();
  }

  async function start(
    key: string,
    config: Config,
    { ephemeral = false, screen = false }: Opening,
  ): Promise<Result<App>> {
    await close();
    const app = await world.start({ config, env: world.env, ephemeral, thread: screen });
    if (app.ok) held = { key, app: app.value, config };
    return app;
  }

  return {
    close,
    async open(opening = {}) {
      const { folder = ".", flags = {}, ephemeral = false, screen = false } = opening;
      const { env } = world;
      const key = JSON.stringify([folder, flags, ephemeral, screen]);
      const config = held?.key === key ? ok(held.config) : loadConfig({ env, flags });
      if (!config.ok) return config;
      const app = held?.key === key ? ok(held.app) : await start(key, config.value, opening);
      if (!app.ok) return app;
      const path = resolve(world.folder, folder);
      const location = await app.value.read({ type: "Location", path });
      if (!location.ok) return location;
      const opened = { app: app.value, config: config.value, location: location.value };
      // The very text whose hash is trusted: the file itself may be another one by now.
      const project = location.value.trusted ? location.value.project : null;
      if (!project) return ok(opened);
      const narrowed = loadConfig({ env, flags, project });
      if (!narrowed.ok) return narrowed;
      // What was only ignored needs no other App, and is shown.
      if (isSame(narrowed.value, config.value)) return ok({ ...opened, config: narrowed.value });
      const again = await start(key, narrowed.value, opening);
      return again.ok ? ok({ ...opened, app: again.value, config: narrowed.value }) : again;
    },
  };
}

/** The rules of a project are no setting: they stand beside the user's. */
const isSame = (a: Config, b: Config): boolean =>
  JSON.stringify(a.projectRules) === JSON.stringify(b.projectRules) &&
  [...a.settings].every(([key, { value }]) => Object.is(value, b.settings.get(key)?.value));

/** The present text of a folder's configuration, only to be shown; null where it has none. */
export function projectOf(path: string): { file: string; text: string } | null {
  const file = join(path, PROJECT_FILE);
  try {
    if (!statSync(file).isFile()) return null;
    return { file, text: readFileSync(file, "utf8") };
  } catch {
    return null;
  }
}
