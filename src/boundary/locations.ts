// Locations over the log: which workspace a folder is, whether it is trusted, what is allowed there.
import { constants, type FileHandle, open as openFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { newId, sha256 } from "#boundary/digest.ts";
import type { EventLog } from "#boundary/log/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import {
  emptyLocation,
  evolveLocation,
  isLocationEvent,
  type Location,
  type LocationEvent,
  NO_CONFIG,
} from "#core/location.ts";

const CONFLICTS_MAX = 20;
/** Bytes of a project's configuration that is looked at. */
const CONFIG_BYTES_MAX = 262_144;
/** The stream of what the user allowed in every location. */
const EVERYWHERE = "user:grants";
const busy = fail("busy", "others kept changing the same record", { fix: "try again" });
/** Where a project keeps its configuration. */
export const PROJECT_CONFIG = join(".aiex", "config.json");

export type Located = Location & {
  stream: string;
  /** The real path of the folder. */
  path: string;
  /** Hash of the project configuration as it is now. */
  config: string;
  /** The very text that was hashed; null where there is none. Only this may be obeyed. */
  project: { file: string; text: string } | null;
  /** Whether what is trusted is what is there. */
  isTrusted: boolean;
};

export type Locations = {
  /** Looks only; a folder never seen has no workspace id yet. */
  find(path: string): Promise<Result<Located>>;
  /** The folder, with a workspace id. */
  open(path: string): Promise<Result<Located>>;
  trust(path: string): Promise<Result<Located>>;
  distrust(path: string): Promise<Result<Located>>;
  /** Remembers what the user allowed here for good. */
  grant(path: string, grant: { key: string; title: string }): Promise<Result<Located>>;
  /** Appends what was decided about its checkpoints; `decide` sees it as it is then. */
  change(
    path: string,
    decide: (location: Located) => Result<LocationEvent>,
  ): Promise<Result<Located>>;
  /** Remembers that the user confirmed a verify command, by the hash of what it is. */
  confirmVerify(path: string, confirmed: { key: string; title: string }): Promise<Result<Located>>;
  /** Remembers what the user allowed in every location of this node. */
  grantEverywhere(grant: { key: string; title: string }): Promise<Result<void>>;
};

export function locationsOver(log: EventLog, node: string): Locations {
  const never = new AbortController().signal;

  async function fold(stream: string): Promise<Result<Location>> {
    let location = emptyLocation;
    for await (const page of log.read(stream, { after: 0 }, never)) {
      if (!page.ok) return page;
      for (const { type, body, version } of page.value) {
        if (body === null || !isLocationEvent(type)) continue;
        const event = eventIn(type, body);
        // What cannot be read may have been a withdrawal: no trust and no leave outlives it.
        const known = event ? evolveLocation(location, event) : withoutLeave(location);
        location = { ...known, version };
      }
    }
    return ok(location);
  }

  async function find(given: string): Promise<Result<Located>> {
    const path = await folderAt(given);
    if (!path.ok) return path;
    const stream = `location:${node}:${path.value}`;
    const location = await fold(stream);
    if (!location.ok) return location;
    const { hash: config, project } = await projectAt(path.value);
    const everywhere = await fold(EVERYWHERE);
    if (!everywhere.ok) return everywhere;
    const isTrusted = location.value.trusted === config;
    const grants = [...location.value.grants, ...everywhere.value.grants];
    return ok({ ...location.value, grants, stream, path: path.value, config, project, isTrusted });
  }

  async function add(path: string, eventFor: (l: Located) => LocationEvent | null) {
    for (let tries = 0; tries < CONFLICTS_MAX; tries += 1) {
      const located = await find(path);
      if (!located.ok) return located;
      const event = eventFor(located.value);
      if (!event) return located;
      const added = await append(located.value.stream, located.value.version, event);
      if (added.ok) return await find(path);
      if (added.error.code !== "conflict") return added;
    }
    return busy;
  }

  function append(stream: string, expected: number, event: LocationEvent) {
    const { type, ...body } = event;
    const draft = { type, schema: 1, body: JSON.stringify(body), actor: "user", epoch: 0 };
    return log.append(stream, expected, [draft]);
  }

  const open = (path: string) =>
    add(path, (l) =>
      l.workspace === "" ? { type: "LocationSeen", workspace: newId(), path: l.path } : null,
    );

  return {
    find,
    open,
    async trust(path) {
      const opened = await open(path);
      if (!opened.ok) return opened;
      return await add(path, (l) =>
        l.isTrusted ? null : { type: "LocationTrusted", config: l.config },
      );
    },
    distrust: (path) =>
      add(path, (l) => (l.trusted === null ? null : { type: "LocationDistrusted" })),
    grant: (path, { key, title }) =>
      add(path, (l) => (l.grants.includes(key) ? null : { type: "PermissionGranted", key, title })),
    async change(path, decide) {
      const opened = await open(path);
      if (!opened.ok) return opened;
      let refused: Result<LocationEvent> | null = null;
      const changed = await add(path, (l) => {
        const decided = decide(l);
        refused = decided.ok ? null : decided;
        return decided.ok ? decided.value : null;
      });
      return refused ?? changed;
    },
    confirmVerify: (path, { key, title }) =>
      add(path, (l) => (l.verify.includes(key) ? null : { type: "VerifyConfirmed", key, title })),
    async grantEverywhere({ key, title }) {
      for (let tries = 0; tries < CONFLICTS_MAX; tries += 1) {
        const known = await fold(EVERYWHERE);
        if (!known.ok) return known;
        if (known.value.grants.includes(key)) return ok();
        const event = { type: "PermissionGranted", key, title } as const;
        const added = await append(EVERYWHERE, known.value.version, event);
        if (added.ok) return ok();
        if (added.error.code !== "conflict") return added;
      }
      return busy;
    },
  };
}

function eventIn(type: string, body: string): LocationEvent | null {
  try {
    return { ...JSON.parse(body), type } as LocationEvent;
  } catch {
    return null;
  }
}

const withoutLeave = (location: Location): Location => ({
  ...location,
  trusted: null,
  grants: [],
  verify: [],
});

async function folderAt(given: string): Promise<Result<string>> {
  try {
    const path = await realpath(given);
    if ((await stat(path)).isDirectory()) return ok(path);
    return fail("bad_input", `${given} is not a folder`);
  } catch {
    return fail("not_found", `there is no folder ${given}`, { fix: "check the path" });
  }
}

/**
 * The configuration of a project, read once: what is trusted by its hash is what is parsed. What is
 * no regular file, is too long or cannot be read counts as none, and nothing of it is obeyed.
 */
async function projectAt(path: string): Promise<{ hash: string; project: Located["project"] }> {
  const file = join(path, PROJECT_CONFIG);
  let handle: FileHandle | undefined;
  try {
    // Without waiting: a pipe in its place would hold up whoever opens it.
    handle = await openFile(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await handle.stat();
    if (!found.isFile() || found.size > CONFIG_BYTES_MAX) return noProject;
    const bytes = Buffer.alloc(found.size + 1);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    // It grew while it was read: another look tells what it is then.
    if (bytesRead > found.size) return noProject;
    const read = bytes.subarray(0, bytesRead);
    return { hash: sha256(read), project: { file, text: read.toString("utf8") } };
  } catch {
    return noProject;
  } finally {
    await handle?.close();
  }
}

const noProject = { hash: NO_CONFIG, project: null };
