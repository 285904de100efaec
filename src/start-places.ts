// The places of this node: for each folder its files, its sandbox, its tools, its trees and who
// judges there, made when a session first works in it.
import { readFile, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { RolesFound, RolesParts } from "#boundary/children/roles.ts";
import type { CodeParts } from "#boundary/code-pieces.ts";
import { sha256 } from "#boundary/digest.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import type { Hooks } from "#boundary/hooks/port.ts";
import type { CodeIndex } from "#boundary/index/port.ts";
import type { Leases } from "#boundary/lease/port.ts";
import type { Locations } from "#boundary/locations.ts";
import type { Tool, ToolSource } from "#boundary/tools/port.ts";
import type { Trees } from "#boundary/trees/port.ts";
import type { Place } from "#boundary/turn/parts.ts";
import type { Verify } from "#boundary/verify.ts";
import type { SandboxOptions } from "#boundary/workspace/bubblewrap.ts";
import type { Workspace } from "#boundary/workspace/port.ts";
import type { WorkspaceSecrets } from "#boundary/workspace/secret-files.ts";
import { numberSetting, textSetting } from "#config";
import { fail, ok, type Result } from "#core/failure.ts";
import type { Counting } from "#core/model/count.ts";
import type { Environment } from "#core/prompt/system.ts";
import { type Role, rolesLine } from "#core/role.ts";
import type { Rules } from "#core/security/rules.ts";
import type { Session } from "#core/session/state.ts";
import { isBundled } from "./build.ts";
import type { StartOptions } from "./start.ts";

export type PlaceParts = Pick<StartOptions, "config" | "env" | "ephemeral" | "thread"> & {
  node: string;
  leases: Leases;
  locations: Locations;
  verify: Verify;
  tools: ToolSource;
  rules: Rules;
};

export type Places = {
  /** What the door asks of places. */
  forDoor: Pick<
    DoorParts,
    "placeOf" | "placeAt" | "indexAt" | "codeAt" | "treesInUse" | "environmentOf"
  >;
  /** Keeps what makes the next start quick. */
  close(): Promise<void>;
  /** The roles of a folder, and the files there that are none. */
  rolesAt(path: string): Promise<RolesFound>;
  sandboxAt: typeof sandboxAt;
};

/** The places of this node: one workspace and sandbox for each folder, made when first needed. */
export function placesOver(parts: PlaceParts): Places {
  const known = new Map<string, Promise<Result<Place>>>();
  const opened = new Map<string, Promise<Result<Trees>>>();
  const indexes = new Map<string, Promise<Result<CodeIndex>>>();
  const compressors = new WeakMap<Counting, CodeParts["compress"]>();

  function indexAt(path: string): Promise<Result<CodeIndex>> {
    const known = indexes.get(path);
    if (known) return known;
    const index = openIndexOf(parts, path);
    indexes.set(path, index);
    // What cannot be opened now may be later.
    const forget = () => indexes.delete(path);
    index.then((made) => made.ok || forget(), forget);
    return index;
  }

  async function make(path: string): Promise<Result<Place>> {
    const [
      { localWorkspace },
      { secretsIn },
      { allowsOver, judgeOver, readableOver },
      { instructionsOver },
    ] = await Promise.all([
      import("#boundary/workspace/local.ts"),
      import("#boundary/workspace/secret-files.ts"),
      import("#boundary/security/judge.ts"),
      import("#boundary/instructions.ts"),
    ]);
    const workspace = localWorkspace(path);
    if (!workspace.ok) return workspace;
    const secrets = secretsIn(path);
    const sandbox = await sandboxAt(parts, path, secrets);
    const tools = await parts.tools.tools(path);
    const sandboxWaived = textSetting(parts.config, "sandbox") === "none";
    const judging = { ...parts, path, sandbox, sandboxWaived };
    const { home } = parts.config;
    const where = { home, path, workspace: workspace.value, locations: parts.locations };
    return ok({
      workspace: workspace.value,
      trees() {
        const trees = opened.get(path) ?? openTrees(parts, workspace.value);
        opened.set(path, trees);
        return trees;
      },
      index: () => indexAt(path),
      sandbox,
      tools,
      judge: judgeOver(judging),
      readable: readableOver(judging),
      allows: allowsOver(judging),
      masking: secrets.masking,
      instructions: instructionsOver(where),
      verify: () => parts.verify.commands(path),
      hooks: await hooksAt(path),
      roles: async () => (await rolesAt(where, tools)).roles,
    });
  }

  /** What finds code and compresses it. */
  async function codeAt(
    path: string,
    counting: Counting,
  ): Promise<Result<Omit<CodeParts, "readable">>> {
    const index = await indexAt(path);
    if (!index.ok) return index;
    const place = await at(path);
    if (!place.ok) return place;
    const [{ compressor }, { syntaxParser }] = await Promise.all([
      import("#boundary/compressed.ts"),
      import("#boundary/parse/parser.ts"),
    ]);
    const compress = compressors.get(counting) ?? compressor(await syntaxParser(), counting);
    compressors.set(counting, compress);
    return ok({ index: index.value, workspace: place.value.workspace, compress, counting });
  }

  /** Code goes with a prompt by itself where the user gave room for it. */
  async function hooksAt(path: string): Promise<Hooks[]> {
    const tokens = numberSetting(parts.config, "context.codeTokens");
    if (tokens === 0) return [];
    const { foundCode } = await import("#boundary/found-code.ts");
    const { estimated } = await import("#core/model/count.ts");
    // A session's model may change: an estimate holds for all of them about as well.
    const counting = estimated("gpt", "");
    return [foundCode({ tokens, open: () => codeAt(path, counting) })];
  }

  async function rolesFor(path: string): Promise<readonly Role[]> {
    const place = await at(path);
    return place.ok ? ((await place.value.roles?.()) ?? []) : [];
  }

  async function treesInUse(): Promise<{ path: string; trees: Trees }[]> {
    const all = await Promise.all(
      [...opened].map(async ([path, trees]) => ({ path, trees: await trees })),
    );
    return all.flatMap(({ path, trees }) => (trees.ok ? [{ path, trees: trees.value }] : []));
  }

  async function at(path: string): Promise<Result<Place>> {
    const place = known.get(path) ?? make(path);
    known.set(path, place);
    const made = await place.catch((error: unknown) => {
      known.delete(path);
      throw error;
    });
    // A folder that is away now may be back later.
    if (!made.ok) known.delete(path);
    return made;
  }

  async function placeOf(session: Session): Promise<Result<Place>> {
    const location = session.start?.location;
    if (!location) return fail("not_found", "the session has no place");
    if (location.node !== parts.node) {
      return fail("not_supported", `the files of this session are on another node`, {
        fix: `go on there, in ${location.path}`,
      });
    }
    return await at(location.path);
  }

  async function environmentOf(path: string, mode: string): Promise<Environment> {
    const sandbox = await sandboxAt(parts, path);
    const { commandsNamed } = await import("#boundary/verify-commands.ts");
    return {
      platform: `${process.platform} ${process.arch}`,
      date: new Date().toISOString().slice(0, 10),
      folder: path,
      git: await gitLine(path),
      sandbox:
        sandbox.kind === "none"
          ? "none; every command asks the user first"
          : `${sandbox.kind}; commands write only here, without network`,
      mode,
      verify: (await commandsNamed(path)).join("\n"),
      roles: rolesLine(await rolesFor(path)),
    };
  }

  return {
    forDoor: { placeOf, placeAt: at, indexAt, codeAt, treesInUse, environmentOf },
    async rolesAt(path) {
      const workspace = (await import("#boundary/workspace/local.ts")).localWorkspace(path);
      if (!workspace.ok) return { roles: [], bad: [] };
      const { locations, config } = parts;
      const where = { home: config.home, path, workspace: workspace.value, locations };
      return await rolesAt(where, await parts.tools.tools(path));
    },
    sandboxAt,
    async close() {
      for (const { trees } of await treesInUse()) await trees.close();
      for (const index of await Promise.all(indexes.values())) if (index.ok) index.value.close();
    },
  };
}

/** The roles that a child can have there, read when they are asked for: files may change. */
async function rolesAt(
  where: Omit<RolesParts, "tools">,
  tools: readonly Tool[],
): Promise<RolesFound> {
  const { rolesIn } = await import("#boundary/children/roles.ts");
  return await rolesIn({ ...where, tools: tools.map(({ spec }) => spec.name) });
}

/** Beside the log, a store for each folder: nothing of it is in the folder, or reached from it. */
async function openTrees(
  { config, ephemeral, leases }: PlaceParts,
  workspace: Workspace,
): Promise<Result<Trees>> {
  const [{ treesAt }, { localWorkspace: open }] = await Promise.all([
    import("#boundary/trees/trees.ts"),
    import("#boundary/workspace/local.ts"),
  ]);
  if (ephemeral) {
    const { memoryObjects } = await import("#boundary/trees/memory.ts");
    return ok(treesAt({ workspace, objects: memoryObjects(), leases, folder: null, open }));
  }
  const { gitObjects } = await import("#boundary/trees/git.ts");
  const folder = join(config.home, "trees", sha256(workspace.root).slice(0, 20));
  const objects = await gitObjects(folder);
  return objects.ok
    ? ok(treesAt({ workspace, objects: objects.value, leases, folder, open }))
    : objects;
}

/** In the home: for a repository one, whichever of its folders and worktrees it is asked from. */
async function openIndexOf(
  { config, ephemeral, thread }: PlaceParts,
  path: string,
): Promise<Result<CodeIndex>> {
  const [{ codeIndexAt }, { commonFolderOf }, { syntaxParser }, store] = await Promise.all([
    import("#boundary/index/code-index.ts"),
    import("#boundary/index/repository.ts"),
    import("#boundary/parse/parser.ts"),
    import("#boundary/index/store.ts"),
  ]);
  const root = await realpath(path).catch(() => null);
  if (root === null) {
    return fail("not_found", `there is no folder ${path}`, { fix: "check the path" });
  }
  const entry = new URL(isBundled() ? "./index-worker.js" : "./start-index.ts", import.meta.url);
  const options = { entry, parsing: syntaxParser, follows: thread === true };
  if (ephemeral) return codeIndexAt(root, null, options);
  const key = sha256(commonFolderOf(root)?.common ?? root).slice(0, 20);
  return codeIndexAt(root, join(config.home, "index", `${key}.${store.INDEX_VERSION}.db`), options);
}

async function sandboxAt(
  { config, env }: Pick<StartOptions, "config" | "env">,
  path: string,
  secrets?: Pick<WorkspaceSecrets, "look">,
) {
  const scratch = join(config.home, "scratch", sha256(path).slice(0, 16));
  const [{ theOutside }, { usualLimits }] = await Promise.all([
    import("#boundary/outside.ts"),
    import("#boundary/workspace/limits.ts"),
  ]);
  const options: SandboxOptions = {
    workspace: path,
    scratch,
    quarantine: join(config.home, "quarantine"),
    home: env.HOME || homedir(),
    hidden: [config.home],
    shown: [],
    host: env,
    outside: theOutside,
    limits: usualLimits(),
    ...(secrets ? { secrets } : {}),
  };
  if (textSetting(config, "sandbox") === "none") {
    const { noSandbox } = await import("#boundary/workspace/unsandboxed.ts");
    return noSandbox(options, "switched off by --sandbox=none");
  }
  const { findSandbox } = await import("#boundary/workspace/index.ts");
  return await findSandbox(options);
}

/** Whether the folder is a repository, and on which branch: read from its file, no git is run. */
async function gitLine(path: string): Promise<string> {
  try {
    const head = await readFile(join(path, ".git", "HEAD"), "utf8");
    const branch = /^ref: refs\/heads\/(.{1,200})$/m.exec(head)?.[1];
    return `A git repository${branch ? ` on branch ${branch}` : ""}.`;
  } catch {
    return "Not the root of a git repository.";
  }
}
