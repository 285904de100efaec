// The composition root: a configuration becomes an App. With the index.ts tables the only place
// that names adapters. What a session needs to work (models, tools, sandbox, policy) is loaded when
// one does: looking at sessions costs none of it.
import { join } from "node:path";
import type { App, Check } from "#app";
import { folderBlobs } from "#boundary/blobs/folder.ts";
import { memoryBlobs } from "#boundary/blobs/memory.ts";
import type { Blobs } from "#boundary/blobs/port.ts";
import { localChannel } from "#boundary/channel/local.ts";
import type { RolesFound } from "#boundary/children/roles.ts";
import type { Keys } from "#boundary/keys.ts";
import { fileLeases } from "#boundary/lease/file.ts";
import { memoryLeases } from "#boundary/lease/memory.ts";
import type { Leases } from "#boundary/lease/port.ts";
import { locationsOver } from "#boundary/locations.ts";
import { memoryLog } from "#boundary/log/memory.ts";
import type { EventLog } from "#boundary/log/port.ts";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import { nodeOver } from "#boundary/node.ts";
import { nodeName } from "#boundary/node-name.ts";
import { requestsIn } from "#boundary/requests.ts";
import { type Sealing, sealing } from "#boundary/sealing.ts";
import type { SealParts } from "#boundary/seals.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import type { ToolSource } from "#boundary/tools/port.ts";
import type { TurnParts } from "#boundary/turn/parts.ts";
import { verifyOver, verifySettings } from "#boundary/verify.ts";
import { feedAtOnce, viewsOver } from "#boundary/views.ts";
import { type Config, type ConfigKey, numberSetting, textSetting } from "#config";
import { ok, type Result } from "#core/failure.ts";
import type { Rules } from "#core/security/rules.ts";
import { type Mode, modes } from "#core/session/tool-facts.ts";
import { buildInfo, isBundled } from "./build.ts";
import { keysOf, modelChecks, modelParts, reachOf } from "./start-models.ts";
import { type Places, placesOver } from "./start-places.ts";
import { sealCheck, sealsOf } from "./start-seals.ts";

export type StartOptions = {
  config: Config;
  env: Readonly<Record<string, string | undefined>>;
  /** Keeps everything in memory: nothing of it is there afterwards. */
  ephemeral?: boolean;
  /** The log in a thread of its own: a slow disk then holds up nothing that somebody looks at. */
  thread?: boolean;
  /** Stands between the node and its ports: how tests see, delay and break what goes through. */
  around?: (ports: Ports) => Ports;
};

/** What reaches outside the process, apart from the files and commands of a place. */
export type Ports = {
  log: EventLog;
  blobs: Blobs;
  leases: Leases;
  tools: ToolSource;
  openModel: TurnParts["openModel"];
};

/** Opens this machine's node. Fails where its folder or its log cannot be used. */
export async function start(options: StartOptions): Promise<Result<App>> {
  const { config, ephemeral = false, around = (ports) => ports } = options;
  const node = ephemeral ? ok("ephemeral") : nodeName(config.home);
  if (!node.ok) return node;
  const base = { node: node.value, atOnce: feedAtOnce, now: Date.now };
  const log = ephemeral ? ok(memoryLog(base)) : await openLog(options, base);
  if (!log.ok) return log;
  const seals = sealsOf(config, ephemeral);
  if (!seals.ok) return seals;
  const sealed = ephemeral ? null : sealing(log.value, seals.value);
  const tools = lazyTools(options);
  const keys = keysOf(config);
  const reach = reachOf({ config, env: options.env, keys, ephemeral });
  const ports = around({
    log: sealed?.log ?? log.value,
    blobs: ephemeral ? memoryBlobs() : folderBlobs(join(config.home, "blobs")),
    leases: ephemeral ? memoryLeases() : fileLeases(join(config.home, "leases")),
    tools,
    openModel: async (name, options) => {
      const models = await reach();
      return models.ok ? await models.value.open(name, options) : models;
    },
  });
  const more = { node: node.value, keys, reach, seals: seals.value, sealed };
  const app = await compose(ports, { ...options, ...more });
  if (!app.ok) return app;
  return ok({
    ...app.value,
    async close() {
      await tools.close();
      await app.value.close();
    },
  });
}

type Base = Parameters<typeof sqliteLog>[1];

async function openLog({ config, thread }: StartOptions, base: Base): Promise<Result<EventLog>> {
  const file = join(config.home, "log.db");
  if (!thread) return sqliteLog(file, base);
  const { threadLog } = await import("#boundary/log/thread.ts");
  const entry = isBundled() ? "./log-thread.js" : "./boundary/log/thread-sqlite.ts";
  return await threadLog(new URL(entry, import.meta.url), { file, node: base.node });
}

/** The tools, from when they are first asked for. */
function lazyTools(options: StartOptions): ToolSource & { close(): Promise<void> } {
  let loading: Promise<{ source: ToolSource; close(): Promise<void> }> | null = null;

  async function load() {
    const [{ builtinTools }, { jobsOfNode }, { codeTools }] = await Promise.all([
      import("#boundary/tools/builtin/index.ts"),
      import("#boundary/tools/jobs.ts"),
      import("./start-servers.ts"),
    ]);
    const jobs = jobsOfNode();
    const code = codeTools(options);
    return {
      source: builtinTools(jobs, code),
      async close() {
        await Promise.all([jobs.close(), code?.servers.close()]);
      },
    };
  }

  return {
    name: "builtin",
    async tools(root) {
      loading ??= load();
      return await (await loading).source.tools(root);
    },
    async close() {
      await (await loading)?.close();
    },
  };
}

type Whole = StartOptions & {
  node: string;
  keys: Keys;
  reach: ReturnType<typeof reachOf>;
  seals: SealParts;
  sealed: Sealing | null;
};

async function compose(ports: Ports, options: Whole): Promise<Result<App>> {
  const { config, node, keys, reach } = options;
  const { log, blobs } = ports;
  const { version, fingerprint } = buildInfo();
  const sessions = sessionsOver({ log, blobs, fingerprint });
  const views = viewsOver(log, sessions);
  const opened = await views.open(new AbortController().signal);
  if (!opened.ok) return opened;
  const locations = locationsOver(log, node);
  const rules = await rulesOf(config);
  if (!rules.ok) return rules;
  const settings = verifySettings(config.settings.get("verify")?.value);
  if (!settings.ok) return settings;
  const verify = verifyOver(locations, settings.value);
  const places = placesOver({
    ...options,
    locations,
    verify,
    tools: ports.tools,
    leases: ports.leases,
    rules: rules.value,
  });
  const number = (key: ConfigKey) => numberSetting(config, key);
  const app = nodeOver({
    ...ports,
    sessions,
    views,
    locations,
    verify,
    requests: requestsIn(blobs),
    channel: localChannel(),
    node,
    random: Math.random,
    ...summariserOf(config),
    deadlines: deadlinesOf(config),
    version,
    home: config.home,
    childDeadlineMs: number("deadlines.childMs"),
    defaults: {
      mode: modeOf(config),
      contextTokens: number("limits.contextTokens"),
      stepsPerTurn: number("limits.stepsPerTurn"),
      codeTokens: number("context.codeTokens"),
    },
    ...places.forDoor,
    trees: { keepDays: number("trees.keepDays"), bytesMax: number("trees.bytesMax") },
    ...modelParts(config, reach),
    keys,
    sealing: options.seals,
    async toolsNow(family, path) {
      const { offered, offerOf } = await import("#boundary/surfaces.ts");
      return ok(offerOf(await offered(await ports.tools.tools(path), family)));
    },
    checks: () => checks(options, places),
  });
  return ok({
    ...app,
    send: wellFormed(app.send),
    async close() {
      await app.close();
      await places.close();
    },
  });
}

/** Passes on only commands of the shape that the App promises. */
const wellFormed =
  (send: App["send"]): App["send"] =>
  async (command) => {
    const { defectOf } = await import("./command-defect.ts");
    return defectOf(command) ?? (await send(command));
  };

function deadlinesOf(config: Config): TurnParts["deadlines"] {
  const ms = (name: string) => numberSetting(config, `deadlines.${name}` as ConfigKey);
  return {
    connectMs: ms("connectMs"),
    firstTokenMs: ms("firstTokenMs"),
    silenceMs: ms("silenceMs"),
    idleMs: ms("idleMs"),
    totalMs: ms("totalMs"),
  };
}

const summariserOf = (config: Config): Pick<TurnParts, "summariser"> => {
  const named = textSetting(config, "compaction.summary");
  return named === "off" || named === "" ? {} : { summariser: named };
};

const modeOf = (config: Config): Mode =>
  modes.find((mode) => mode === textSetting(config, "mode")) ?? "ask";

/** The rules of the user, then those of the project that narrow them. */
async function rulesOf(config: Config): Promise<Result<Rules>> {
  const written = config.settings.get("rules")?.value ?? [];
  const isNone = Array.isArray(written) && written.length === 0;
  if (isNone && config.projectRules.length === 0) return ok({ rules: [], ignored: [] });
  const { loadRules } = await import("#core/security/rules.ts");
  const own = loadRules(written, "user");
  if (!own.ok) return own;
  const project = loadRules(config.projectRules, "project");
  if (!project.ok) return project;
  const rules = [...own.value.rules, ...project.value.rules];
  return ok({ rules, ignored: project.value.ignored });
}

const badRoles = ({ bad }: RolesFound): Check[] =>
  bad.map(({ from, say }) => ({
    name: "role",
    ok: false,
    say: `${from}: ${say}`,
    fix: "see docs/children.md for what a role's file holds",
  }));

async function checks(options: Whole, places: Places): Promise<Check[]> {
  const { config, env } = options;
  const sandbox = await places.sandboxAt(options, env.PWD ?? "/");
  const { limitsHere } = await import("#boundary/workspace/limits.ts");
  return [
    { name: "node", ok: true, say: `Node ${process.version}, SQLite ${process.versions.sqlite}` },
    { name: "log", ok: true, say: join(config.home, "log.db") },
    ...sealCheck(options.sealed),
    sandbox.kind === "none"
      ? { name: "sandbox", ok: false, say: sandbox.missing ?? "none", fix: "install bubblewrap" }
      : { name: "sandbox", ok: true, say: sandbox.kind },
    { name: "limits", ok: true, say: limitsHere(sandbox.kind) },
    ...badRoles(await places.rolesAt(env.PWD ?? "/")),
    ...(await modelChecks(config, options.reach)),
  ];
}
