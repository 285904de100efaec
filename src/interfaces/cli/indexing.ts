// Brings the code index up to date before it is asked, and shows how far it is.
import type { App } from "#app";
import type { Result } from "#core/failure.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";

const JOB = "job:index";

/** Answers how many files were read. */
export async function upToDate(
  app: App,
  terminal: Terminal,
  { path, anew = false }: { path: string; anew?: boolean },
): Promise<Result<number>> {
  const over = new AbortController();
  const showing = show(app, terminal, over.signal);
  const done = await app.send({ type: "BuildIndex", path, ...(anew ? { anew } : {}) });
  over.abort();
  await showing;
  terminal.status("");
  return done.ok ? { ok: true, value: done.value.version } : done;
}

async function show(app: App, terminal: Terminal, signal: AbortSignal): Promise<void> {
  for await (const item of app.listen({ session: JOB }, signal)) {
    if (item.type === "output") terminal.status(`${item.text} …`);
  }
}
