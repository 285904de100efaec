// Diagnostics of servers that can only push them: waited for until none has come for a while, since
// nothing says which is the last.
import type { Deadline } from "#boundary/tools/servers/connection.ts";
import { fileAt } from "#boundary/tools/servers/documents.ts";
import { published, type Reported } from "#boundary/tools/servers/shapes.ts";
import { type Failure, fail, ok, type Result } from "#core/failure.ts";

/** Nothing new of a file for so long counts as the last word on it. */
const QUIET_MS = 400;
/** Files of which the last word is remembered. */
const FILES_MAX = 1_000;

type Word = { count: number; version: number | null; diagnostics: readonly Reported[] };
type Awaited = {
  path: string;
  version: number;
  /** What `count` was before the server was told of this version. */
  since: number;
  name: string;
  ended: Promise<Failure>;
};

export type Published = {
  take(params: unknown): void;
  /** How many words came so far. */
  count(): number;
  /** The last word on a file in this version, or a failure at the deadline. */
  of(file: Awaited, within: Deadline): Promise<Result<readonly Reported[]>>;
};

export function publishedBy(root: string): Published {
  const words = new Map<string, Word>();
  let count = 0;
  const listening = new Map<string, Set<() => void>>();
  return {
    count: () => count,
    take(params) {
      const said = published.safeParse(params);
      const file = said.success ? fileAt(root, said.data.uri) : null;
      if (!said.success || !file || "outside" in file) return;
      const { version = null, diagnostics } = said.data;
      words.delete(file.inside);
      count += 1;
      words.set(file.inside, { count, version, diagnostics });
      const [oldest] = words.keys();
      if (words.size > FILES_MAX && oldest !== undefined) words.delete(oldest);
      for (const wake of listening.get(file.inside) ?? []) wake();
    },
    of({ path, version, since, name, ended }, { timeoutMs, signal }) {
      return new Promise((resolve) => {
        let quiet: NodeJS.Timeout | undefined;
        const settle = (answer: Result<readonly Reported[]>) => {
          clearTimeout(quiet);
          clearTimeout(timer);
          signal.removeEventListener("abort", leave);
          const others = listening.get(path);
          others?.delete(wake);
          if (others?.size === 0) listening.delete(path);
          resolve(answer);
        };
        const wake = () => {
          const word = words.get(path);
          if (!word || word.count <= since || (word.version !== null && word.version < version))
            return;
          clearTimeout(quiet);
          quiet = setTimeout(() => settle(ok(word.diagnostics)), QUIET_MS);
        };
        const leave = () => settle(fail("cancelled", `the question to ${name} was called off`));
        const late = `${name} said nothing of \`${path}\` within ${timeoutMs / 1_000} s`;
        const timer = setTimeout(
          () => settle(fail("timeout", late, { fix: "call again later, or work without it" })),
          timeoutMs,
        );
        signal.addEventListener("abort", leave, { once: true });
        listening.set(path, (listening.get(path) ?? new Set()).add(wake));
        void ended.then((error) => settle({ ok: false, error }));
        if (signal.aborted) leave();
        else wake();
      });
    },
  };
}
