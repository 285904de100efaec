// Keeps the protected paths of a workspace as they were while commands run in it: says which of
// them to mount read-only, and after a command (and every few seconds while one runs) takes away
// what appeared or changed all the same, and puts back what was there.
//
// Only `deny` paths are guarded. Those that ask when an edit tool writes them (package.json,
// Makefile, AGENTS.md …) are left to commands: `npm install` writes one of them, and whoever can
// write the project's code can already do what they can.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isHarmlessNews } from "#boundary/workspace/harmless.ts";
import { moveAside, putBack } from "#boundary/workspace/quarantine.ts";
import { type Found, protectedScanner, type Scan } from "#boundary/workspace/scan.ts";
import { folderSnapshot, objectAt, type Survey, survey } from "#boundary/workspace/survey.ts";
import { ok, type Result } from "#core/failure.ts";
import { isHarmlessGitChange } from "#core/security/git-settings.ts";
import { isInside } from "#core/security/paths.ts";

/**
 * Mounts for protected paths: each costs about 0.3 ms at a command's start. Those nearest the root
 * come first; the rest are compared afterwards, like paths that were absent.
 */
const MOUNTS_MAX = 100;
/** Between two looks while a command runs; a workspace that is slow to look at gets fewer. */
const LOOK_EVERY_MS = 2_000;
/** Share of the time that looking may take: one part in this many. */
const LOOK_SHARE = 50;

/** One command's time under guard. Paths are workspace-relative. */
export type Watch = {
  /** Folders to bind on themselves, so that they cannot be renamed away. */
  readonly pinned: readonly string[];
  readonly readOnly: readonly string[];
  /** To be called when the command and all it started is dead. Answers what was taken away. */
  end(): Promise<readonly string[]>;
};

type Known = Survey & { mounted: boolean; repository?: string };
type Running = { exempt: readonly string[]; taken: Set<string> };

/** The guard of one workspace. All commands that one process runs in it must share it. */
export class Guard {
  readonly #root: string;
  readonly #quarantine: string;
  readonly #scan: () => Promise<Result<Scan>>;
  readonly #running = new Set<Running>();
  /** The protected paths as they were when the first of the running commands began. */
  #known = new Map<string, Known>();
  #repositories: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  readonly #isMountable: (path: string) => boolean;

  /**
   * `quarantine` is a private folder outside the workspace; `isMountable` says which paths can be
   * mounted safely, the others are compared afterwards.
   */
  constructor(root: string, quarantine: string, isMountable: (path: string) => boolean) {
    this.#root = root;
    this.#quarantine = quarantine;
    this.#isMountable = isMountable;
    this.#scan = protectedScanner(root);
  }

  /** `exempt` are absolute paths that a permission opened for writing. */
  begin(exempt: readonly string[]): Promise<Result<Watch>> {
    return this.#inTurn(async () => {
      const first = this.#running.size === 0;
      const looked = first ? await this.#scan() : await this.#look();
      if (!looked.ok) return looked;
      const plan = planOf(
        looked.value,
        (path) => this.#isMountable(path) && !this.#isIn(exempt, path),
      );
      const links = looked.value.found.filter(({ kind }) => kind === "link");
      const surveys = [...plan.readOnly, ...links.map(({ path }) => path)].flatMap(
        (path) => survey(this.#root, path) ?? [],
      );
      if (first) this.#remember(looked.value, new Set(plan.readOnly));
      const own: Running = { exempt, taken: new Set() };
      this.#running.add(own);
      if (this.#timer === null) this.#lookLater(LOOK_EVERY_MS);
      return ok({
        pinned: plan.pinned,
        readOnly: [...plan.readOnly, ...surveys.flatMap(({ targets }) => targets)].filter(
          this.#isMountable,
        ),
        end: () => this.#end(own),
      });
    });
  }

  #end(own: Running): Promise<readonly string[]> {
    return this.#inTurn(async () => {
      const looked = await this.#look();
      this.#running.delete(own);
      if (looked.ok) this.#accept(own.exempt, looked.value);
      if (this.#running.size === 0 && this.#timer) {
        clearTimeout(this.#timer);
        this.#timer = null;
      }
      return [...own.taken];
    });
  }

  /** One look at a time: scans share what they remember. */
  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #lookLater(ms: number): void {
    this.#timer = setTimeout(async () => {
      const from = performance.now();
      await this.#inTurn(() => this.#look());
      this.#timer = null;
      const took = performance.now() - from;
      if (this.#running.size > 0) this.#lookLater(Math.max(LOOK_EVERY_MS, LOOK_SHARE * took));
    }, ms);
    this.#timer.unref();
  }

  async #look(): Promise<Result<Scan>> {
    const scanned = await this.#scan();
    if (!scanned.ok) return scanned;
    const taken = [...(await this.#takeNews(scanned.value)), ...(await this.#putBackLost())];
    for (const path of taken) for (const one of this.#running) one.taken.add(path);
    return taken.length === 0 ? scanned : this.#scan();
  }

  /** Moves away what is new or changed; answers its paths. */
  async #takeNews({ found }: Scan): Promise<string[]> {
    const taken: string[] = [];
    const into = join(this.#quarantine, `${Date.now()}-${randomBytes(4).toString("hex")}`);
    const compared = [...this.#known].flatMap(([path, { mounted, repository }]): Found[] =>
      mounted || found.some((one) => one.path === path)
        ? []
        : [{ path, kind: "file", ...(repository !== undefined && { repository }) }],
    );
    for (const one of [...found, ...compared]) {
      if (this.#isExempt(one.path) || this.#mayStay(one)) continue;
      const path = this.#partToTake(one);
      const moved = await moveAside(this.#root, path, into);
      // What is gone by now needs no taking; what cannot be moved is named all the same.
      if (moved.ok || moved.error.code !== "not_found") taken.push(path);
      const before = this.#known.get(one.path)?.snapshot;
      if (before) await putBack(this.#root, one.path, before);
    }
    return taken;
  }

  /**
   * Of a folder that became a repository under another name than `.git`, only HEAD is taken:
   * without it git sees no repository, and the rest may be a project's own `config`.
   */
  #partToTake({ path, repository }: Found): string {
    if (repository === undefined || this.#repositories.has(repository)) return path;
    const isHidden = !/(^|\/)\.git$/i.test(repository);
    return isHidden ? (repository === "." ? "HEAD" : `${repository}/HEAD`) : path;
  }

  #mayStay(one: Found): boolean {
    const object = objectAt(this.#root, one.path);
    if (object === null) return true;
    const before = this.#known.get(one.path);
    if (before === undefined) {
      // A folder above it was renamed, and the mount with its protection went along.
      const moved = [...this.#known.values()].some((it) => it.mounted && it.object === object);
      return moved || isHarmlessNews(this.#root, one);
    }
    if (before.mounted && before.object === object) return true;
    const now = survey(this.#root, one.path);
    if (now === null || now.content === before.content) return true;
    return isSameFile(one, before, now);
  }

  /** Links that are gone: unlike the rest they could not be mounted, so they can be removed. */
  async #putBackLost(): Promise<string[]> {
    const back: string[] = [];
    for (const [path, { snapshot }] of this.#known) {
      if (snapshot?.kind !== "link" || this.#isExempt(path)) continue;
      if (objectAt(this.#root, path) !== null) continue;
      if ((await putBack(this.#root, path, snapshot)).ok) back.push(path);
    }
    return back;
  }

  #remember({ found, repositories }: Scan, readOnly: ReadonlySet<string>): void {
    this.#repositories = new Set(repositories.map(({ path }) => path));
    this.#known = new Map();
    for (const { path, repository } of found) {
      const seen = survey(this.#root, path);
      if (seen === null) continue;
      const mounted = readOnly.has(path) && seen.snapshot?.kind !== "link";
      const snapshot = mounted
        ? seen.snapshot
        : (seen.snapshot ?? folderSnapshot(this.#root, path));
      this.#known.set(path, { ...seen, snapshot, mounted, repository });
      // A second name of the same bytes is written through no mount, so they are compared.
      for (const name of seen.linked) {
        const linked = survey(this.#root, name);
        if (linked) this.#known.set(name, { ...linked, mounted: false, repository });
      }
    }
  }

  /** What a command wrote with leave is how it was, for the commands that still run. */
  #accept(exempt: readonly string[], { found }: Scan): void {
    for (const { path, repository } of found) {
      const seen = this.#isIn(exempt, path) ? survey(this.#root, path) : null;
      if (seen) this.#known.set(path, { ...seen, mounted: false, repository });
    }
  }

  #isExempt(path: string): boolean {
    return [...this.#running].some(({ exempt }) => this.#isIn(exempt, path));
  }

  #isIn(folders: readonly string[], path: string): boolean {
    return folders.some((folder) => isInside(folder, join(this.#root, path)));
  }
}

function planOf({ found, repositories }: Scan, isMounted: (path: string) => boolean) {
  const depth = (path: string) => path.split("/").length;
  const readOnly = found
    .filter(({ path, kind }) => (kind === "file" || kind === "folder") && isMounted(path))
    .map(({ path }) => path);
  const pinned = repositories
    .map(({ path }) => path)
    .filter((path) => path !== "." && isMounted(path));
  const nearest = [...readOnly, ...pinned].sort((a, b) => depth(a) - depth(b));
  const mounted = new Set(nearest.slice(0, MOUNTS_MAX));
  return {
    readOnly: readOnly.filter((path) => mounted.has(path)),
    // A mount on a folder hides those below it, so the outer ones come first.
    pinned: pinned.filter((path) => mounted.has(path)).sort((a, b) => depth(a) - depth(b)),
  };
}

/** Whether a file that was replaced has the same bytes, or for git's own differs harmlessly. */
function isSameFile(one: Found, before: Survey, now: Survey): boolean {
  const [old, fresh] = [before.snapshot, now.snapshot];
  if (old?.kind === "link" && fresh?.kind === "link") return old.target === fresh.target;
  if (old?.kind !== "file" || fresh?.kind !== "file") return false;
  const [oldText, text] = [Buffer.from(old.bytes), Buffer.from(fresh.bytes)].map(String);
  if (oldText === text) return old.mode === fresh.mode;
  const isConfig = one.repository !== undefined && /(^|\/)config$/i.test(one.path);
  return isConfig && isHarmlessGitChange(oldText ?? "", text ?? "");
}
