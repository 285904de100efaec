// The records of the log, page by page, so that memory does not grow with its length.
import type { App } from "#app";
import { ok, type Result } from "#core/failure.ts";
import type { LogRecord } from "#core/record.ts";

/** Records read at once. */
const PAGE = 1_000;

export async function* pagesOf(
  app: App,
  from: { after: number; stream?: string },
): AsyncGenerator<Result<LogRecord[]>, void, void> {
  const { stream } = from;
  let { after } = from;
  while (true) {
    const page = await app.read({ type: "Records", after, stream, limit: PAGE });
    yield page;
    if (!page.ok || page.value.length < PAGE) return;
    const last = page.value.at(-1);
    after = (stream === undefined ? last?.position : last?.version) ?? after;
  }
}

/** The stream of a session by the beginning of its id; undefined, all streams, where none is named. */
export async function streamOf(
  app: App,
  session: string | undefined,
): Promise<Result<string | undefined>> {
  if (session === undefined) return ok(undefined);
  const found = await app.read({ type: "Session", session });
  return found.ok ? ok(found.value.session) : found;
}
