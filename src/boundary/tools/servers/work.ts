// The work that a language server said it began, such as reading the project: before it is done,
// answers leave out what was not read yet.
import type { Deadline } from "#boundary/tools/servers/connection.ts";
import { progress } from "#boundary/tools/servers/shapes.ts";

export type Work = {
  take(params: unknown): void;
  /** Resolves when nothing is under way, or at the deadline: then it is asked as it is. */
  done(within: Deadline): Promise<void>;
};

/** Pieces of work that are followed at a time; of a server that begins more, none is waited for. */
const PIECES_MAX = 1_000;

export function workOf(): Work {
  const open = new Set<string | number>();
  const waiting = new Set<() => void>();
  return {
    take(params) {
      const said = progress.safeParse(params);
      if (!said.success) return;
      const { token, value } = said.data;
      if (value.kind === "begin" && open.size < PIECES_MAX) open.add(token);
      if (value.kind === "end") open.delete(token);
      if (open.size === 0) for (const wake of waiting) wake();
    },
    done({ timeoutMs, signal }) {
      if (open.size === 0 || signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          waiting.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        waiting.add(wake);
        signal.addEventListener("abort", wake, { once: true });
      });
    },
  };
}
