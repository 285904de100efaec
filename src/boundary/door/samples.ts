// A node over a folder of its own, for tests: real blobs and a real log on the disk, a scripted model.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { App } from "#app";
import { folderBlobs } from "#boundary/blobs/folder.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { codeIndexAt } from "#boundary/index/code-index.ts";
import { keysIn } from "#boundary/keys.ts";
import { memoryLeases } from "#boundary/lease/memory.ts";
import { locationsOver } from "#boundary/locations.ts";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import { nodeOver } from "#boundary/node.ts";
import { syntaxParser } from "#boundary/parse/parser.ts";
import { sessionsOver } from "#boundary/sessions.ts";
import { offerOf } from "#boundary/surfaces.ts";
import { effects, newWorld, partsOver, type Say } from "#boundary/turn/samples.ts";
import { verifyOver } from "#boundary/verify.ts";
import { feedAtOnce, viewsOver } from "#boundary/views.ts";
import { fail, ok } from "#core/failure.ts";
import { next } from "#core/session/next.ts";
import type { Session } from "#core/session/state.ts";

export type Home = { app: App; parts: DoorParts; folder: string };

/** Opens a node named `node` in a fresh folder, whose sessions act in that folder. */
export async function openHome(node: string, say: Say, now = Date.now): Promise<Home> {
  const folder = mkdtempSync(join(tmpdir(), "aiex-door-"));
  const opened = sqliteLog(join(folder, "log.db"), { node, atOnce: feedAtOnce, now });
  if (!opened.ok) throw new Error(opened.error.say);
  const log = opened.value;
  const world = { ...newWorld(log), blobs: folderBlobs(join(folder, "blobs")) };
  const turn = partsOver(world, say);
  const sessions = sessionsOver({ log, blobs: world.blobs, fingerprint: "test" });
  const views = viewsOver(log, sessions);
  await views.open(new AbortController().signal);
  const locations = locationsOver(log, node);
  const parts: DoorParts = {
    ...turn,
    sessions,
    views,
    node,
    locations,
    verify: verifyOver(locations, []),
    placeAt: async () => turn.placeOf({} as Session),
    indexAt: async (path) => codeIndexAt(path, null, { parsing: syntaxParser, entry: null }),
    codeAt: async () => fail("not_supported", "no code is looked for here"),
    treesInUse: async () => [],
    trees: { keepDays: 90, bytesMax: 1 << 30 },
    version: "0",
    home: folder,
    childDeadlineMs: 60_000,
    defaults: { mode: "ask", contextTokens: 100_000, stepsPerTurn: 20, codeTokens: 0 },
    defaultModel: async () => ok("scripted/test"),
    async toolsNow() {
      const place = await turn.placeOf({} as Session);
      return ok({ ...offerOf(place.ok ? place.value.tools : []), effects });
    },
    environmentOf: async (path, mode) => ({
      platform: "test",
      date: "2026-01-01",
      folder: path,
      git: "No git.",
      sandbox: "none",
      mode,
      verify: "",
      roles: "",
    }),
    checks: async () => [],
    keys: keysIn(join(folder, "keys"), {
      keychain: null,
      leases: memoryLeases(),
      patience: () => AbortSignal.timeout(1_000),
      now: Date.now,
    }),
    sealing: { folder: join(folder, "audit"), anchors: [] },
    providerNames: async () => ok(["scripted"]),
    models: async () => ok({ models: [], routes: [], looked: [] }),
    probe: async () => fail("no_model", "nothing to probe here"),
  };
  return { app: nodeOver(parts), parts, folder };
}

/** Begins a session and waits until its turn ended. */
export async function ask({ app, parts, folder }: Home, text: string): Promise<string> {
  const begun = await app.send({ type: "StartSession", cwd: folder });
  if (!begun.ok) throw new Error(begun.error.say);
  await askAgain({ app, parts, folder }, begun.value.stream, text);
  return begun.value.stream;
}

export async function askAgain({ app, parts }: Home, session: string, text: string): Promise<void> {
  const stop = new AbortController();
  const sent = await app.send({ type: "SubmitPrompt", session, text });
  if (!sent.ok) throw new Error(sent.error.say);
  const after = sent.value.version - 1;
  for await (const entry of app.follow({ stream: session, after }, stop.signal)) {
    if (!entry.ok) throw new Error(entry.error.say);
    const state = await parts.sessions.fold(session);
    if (state.ok && next(state.value).do === "rest") break;
  }
  stop.abort();
}

/** A session as the lines that an export has. */
export async function exported({ app }: Home, session: string): Promise<string> {
  const records = await app.read({ type: "Records", stream: session, after: 0, limit: 1_000 });
  if (!records.ok) throw new Error(records.error.say);
  const named = new Set(
    records.value.flatMap(({ body }) => [...(body ?? "").matchAll(/[0-9a-f]{64}/g)].map(String)),
  );
  const blobs: object[] = [];
  for (const hash of named) {
    const bytes = await app.read({ type: "Blob", hash, bytes: 1_048_576 });
    if (!bytes.ok) continue;
    for (const [inner] of Buffer.from(bytes.value)
      .toString()
      .matchAll(/[0-9a-f]{64}/g)) {
      named.add(inner);
    }
    blobs.push({ blob: hash, base64: Buffer.from(bytes.value).toString("base64") });
  }
  const head = { format: "aiex-session-1", session };
  return [head, ...records.value, ...blobs].map((line) => JSON.stringify(line)).join("\n");
}
