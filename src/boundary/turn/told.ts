// What a session is told before a request besides what was said: what is known of the model that is
// asked now, which commands prove something here (when a turn begins), that its tools are others, and
// instruction files, all of them when a turn begins, those of a folder when a file below it is first
// seen, and each again only when it changed. What was looked at is a cache of one runner; what was
// told is in the log, so a new runner tells nothing twice. Instructions that not every window takes wait
// for the word of the model's server.
import type { Instructions } from "#boundary/instructions.ts";
import type { Place, TurnParts } from "#boundary/turn/parts.ts";
import { type Chosen, changedTools } from "#boundary/turn/step.ts";
import { ok, type Result } from "#core/failure.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { shareOf } from "#core/session/room.ts";
import type { Session } from "#core/session/state.ts";

/** Files seen last whose folders are looked at. */
const SEEN_MAX = 200;
/** Folders looked at before one step, the upper ones first. */
const FOLDERS_MAX = 200;
/** Bytes of instructions told before one step, in a small window less; the rest is only named. */
const TOLD_BYTES_MAX = 98_304;
/** Bytes of instructions that a first request may have whatever the window is: 4,096 tokens take it. */
const TOLD_BYTES_ANY = 1_024;

type News = { events: readonly SessionEvent[]; done(): void };

export type Told = {
  /** What is to be told before the next request; `done` is called once that is in the log. */
  news(parts: TurnParts, s: Session, asked: Chosen, signal: AbortSignal): Promise<Result<News>>;
};

export function toldByRunner(): Told {
  /** The model whose tools were compared with what the session was told. */
  let model: string | null = null;
  let turn = "";
  let looked: ReadonlySet<string> = new Set();
  let toldSome = false;
  /** The model whose server was asked because of long instructions. */
  let described = "";

  async function instructions(place: Place, s: Session): Promise<News> {
    // A compaction drops what was told: it is looked at and told again.
    const isDropped = toldSome && s.instructions.length === 0;
    const before = s.turn?.id === turn && !isDropped ? looked : new Set<string>();
    const folders = foldersOf(s).filter((folder) => !before.has(folder));
    const now = folders.length > 0 ? await place.instructions(folders) : null;
    const events = now ? bounded(changed(now, folders, s), s) : [];
    const done = () => {
      turn = s.turn?.id ?? "";
      looked = new Set([...before, ...folders]);
      toldSome = events.length > 0 || s.instructions.length > 0;
    };
    return { events, done };
  }

  return {
    async news(parts, s, asked, signal) {
      // Its window first: what follows, and whether anything does, goes by it.
      const about = description(s, asked);
      if (about) return ok({ events: [about], done() {} });
      const place = await parts.placeOf(s);
      if (!place.ok) return place;
      const { name } = asked;
      const tools = model === name ? ok([]) : await changedTools(parts, s, name);
      if (!tools.ok) return tools;
      const verify = s.turn?.id === turn ? [] : await verifyNews(place.value, s);
      const more = await instructions(place.value, s);
      if (asked.opened.unasked && described !== name && bytesOf(more.events) > TOLD_BYTES_ANY) {
        described = name;
        // A model that is opened again is asked about; if nothing is said, it counts as large.
        const again = await parts.openModel(name, { signal });
        const window = again.ok ? description(s, { name, opened: again.value }) : undefined;
        if (window) return ok({ events: [window], done() {} });
      }
      const done = () => {
        model = name;
        more.done();
      };
      return ok({ events: [...verify, ...tools.value, ...more.events], done });
    },
  };
}

/** The commands that prove something here, where they are others than the log says. */
async function verifyNews(place: Place, s: Session): Promise<SessionEvent[]> {
  const commands = await place.verify();
  const isKnown = JSON.stringify(commands) === JSON.stringify(s.evidence.commands);
  return isKnown ? [] : [{ type: "VerifyDescribed", commands }];
}

/** What the log has to say of the model that is asked next, where it does not say it already. */
function description(s: Session, { name, opened }: Chosen): SessionEvent | undefined {
  const { windowTokens: window, calls } = opened.facts ?? {};
  const limit = s.start?.limits.contextTokens ?? 0;
  const before = s.described;
  const known = before?.model === name ? before.windowTokens : null;
  const own = window !== undefined && window < limit ? window : null;
  // What was not asked is not said to be otherwise than it was.
  const windowTokens = window === undefined && opened.unasked ? known : own;
  const isNewWindow = windowTokens !== (before?.windowTokens ?? null);
  const say = opened.found;
  const isFound = say !== undefined && (before?.model !== name || before.calls !== calls);
  if (!isNewWindow && !isFound) return undefined;
  return {
    type: "ModelDescribed",
    model: name,
    windowTokens,
    ...(calls === undefined ? {} : { calls }),
    ...(isFound ? { say } : {}),
  };
}

/** The root, and the folders of the files that the session has seen, the upper ones first. */
function foldersOf(s: Session): string[] {
  const folders = new Set(["."]);
  for (const { path } of s.seen.slice(-SEEN_MAX)) {
    const names = path.split("/").slice(0, -1);
    for (let i = 1; i <= names.length; i += 1) folders.add(names.slice(0, i).join("/"));
  }
  return [...folders].slice(0, FOLDERS_MAX);
}

type ContextAdded = Extract<SessionEvent, { type: "ContextAdded" }>;

function changed(
  { found, isTrusted }: Instructions,
  folders: string[],
  s: Session,
): ContextAdded[] {
  const told = new Map(s.instructions.map(({ path, hash }) => [path, hash]));
  const news = found
    .filter(({ path, hash }) => told.get(path) !== hash)
    .map(({ path, hash, text }) => added(path, hash, text));
  const here = new Set(found.map(({ path }) => path));
  const gone = s.instructions.filter(
    ({ path, hash }) =>
      isTrusted && hash !== "absent" && !here.has(path) && folders.includes(folderOf(path)),
  );
  const farewell = ({ path }: { path: string }) =>
    added(path, "absent", `Instructions from ${path} no longer hold: the file is gone.`);
  return [...news, ...gone.map(farewell)];
}

/** The folder under which a file was looked for: those above the workspace belong to its root. */
const folderOf = (path: string): string =>
  path.startsWith("/") || !path.includes("/") ? "." : path.slice(0, path.lastIndexOf("/"));

const added = (path: string, hash: string, text: string): ContextAdded => ({
  type: "ContextAdded",
  origin: "instructions",
  text,
  path,
  hash,
});

const bytesOf = (events: readonly SessionEvent[]): number =>
  events.reduce((sum, e) => sum + (e.type === "ContextAdded" ? Buffer.byteLength(e.text) : 0), 0);

/** Never more at once than a request has room for, and less again after one that was too large. */
function bounded(events: readonly ContextAdded[], s: Session): ContextAdded[] {
  let left = Math.min(TOLD_BYTES_MAX, shareOf(s, "told"));
  return events.map((event) => {
    left -= Buffer.byteLength(event.text);
    if (left >= 0) return event;
    const { path } = event;
    return { ...event, text: `Instructions from ${path}: too long here; read it if you need it.` };
  });
}
