// The workspace at a moment of a session: the newest tree that was recorded up to there.
import type { Sessions } from "#boundary/sessions.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { SessionEvent } from "#core/session/events.ts";

/** Trees an event names, the newest last. */
function treeOf(event: SessionEvent): string | null {
  switch (event.type) {
    case "ToolStarted":
    case "ToolFinished":
    case "RestoreFinished":
      // Empty where it could not be recorded.
      return event.tree || null;
    case "RestoreStarted":
      return event.present;
    default:
      return null;
  }
}

/**
 * `at` is a version of the session, or a tree's id as it is. Before a session's first writing call
 * the workspace is what that call found. Events that were copied from another folder name trees of
 * that one, and have none here.
 */
export async function treeAt(
  sessions: Sessions,
  stream: string,
  at: number | string,
  signal: AbortSignal,
): Promise<Result<string>> {
  if (typeof at === "string") return ok(at);
  const session = await sessions.fold(stream);
  if (!session.ok) return session;
  const elsewhere = session.value.start?.elsewhere ?? 0;
  if (elsewhere > 0 && at <= elsewhere) return otherFiles(elsewhere);
  let tree: string | null = null;
  let last = elsewhere;
  for await (const page of sessions.read(stream, { after: elsewhere }, signal)) {
    if (!page.ok) return page;
    for (const { record, decoded } of page.value) {
      last = record.version;
      if (last > at && tree !== null) return ok(tree);
      if (decoded.kind === "event") tree = treeOf(decoded.event) ?? tree;
    }
  }
  if (at > last) {
    return fail("bad_input", `the session has ${last} events, so none is number ${at}`, {
      fix: "`aiex session show` names the moments",
    });
  }
  return tree === null
    ? fail("not_found", "no tree was recorded in this session", {
        fix: "trees are recorded around the tools that can write",
      })
    : ok(tree);
}

const otherFiles = (elsewhere: number) =>
  fail("not_found", `what was done up to event ${elsewhere} was done to files of another folder`, {
    fix: "name a later moment, or ask in the folder that the session came from",
  });
