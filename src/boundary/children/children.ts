// The children of the sessions that a node runs: which one a call begins, with which role and limits,
// and the wait for its end.

import { narrowChildren } from "#boundary/child-modes.ts";
import { beginChild, type ChildPlan } from "#boundary/children/begin.ts";
import { watchChild } from "#boundary/children/watch.ts";
import { sha256 } from "#boundary/digest.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { toolsFor } from "#boundary/surfaces.ts";
import type { Child, ChildReport, ChildTask } from "#boundary/tools/port.ts";
import type { Children, Parent } from "#boundary/turn/parts.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { ID_BYTES, idFrom } from "#core/ids.ts";
import { ownRoles, type Role, USUAL_ROLE } from "#core/role.ts";
import { DEPTH_MAX, isReading, narrower } from "#core/session/child.ts";
import type { ChildSeen } from "#core/session/child-seen.ts";
import type { Session } from "#core/session/state.ts";
import { type Mode, TASK } from "#core/session/tool-facts.ts";

export type Node = {
  wake(session: string): void;
  /** Aborted when the node closes. */
  closing: AbortSignal;
};

export function childrenOver(parts: DoorParts, node: Node): Children {
  return {
    async of(parent, task) {
      const id = idOf(parent);
      const known = await parts.sessions.fold(id);
      if (!known.ok) return known;
      const { start, mode } = known.value;
      // It was begun before a crash, under a role that may be another one by now.
      if (start?.child) {
        return ok(childOf(parts, node, { id, parent, role: start.child.role, mode }));
      }
      const plan = await planOf(parts, parent, task);
      if (!plan.ok) return plan;
      const { role } = plan.value;
      const begin = () => beginChild(parts, parent, plan.value);
      return ok(childOf(parts, node, { ...plan.value, parent, role: role.name, begin }));
    },
    async end(child) {
      const known = await parts.sessions.fold(child);
      if (!known.ok || !known.value.start) return;
      const signal = AbortSignal.abort();
      await watchChild(parts, { ...node, child, signal, progress() {} });
    },
  };
}

type Known = {
  id: string;
  parent: Parent;
  role: string;
  mode: Mode;
  begin?: () => Promise<Result<void>>;
};

function childOf(parts: DoorParts, node: Node, { id, parent, role, mode, begin }: Known): Child {
  return {
    ...{ id, role, harmless: isReading(mode) },
    async run(running) {
      const begun = begin ? await begin() : ok();
      if (!begun.ok) return begun;
      const { stream, callId } = parent;
      // The user may have narrowed its parent since the call was looked at.
      const now = await parts.sessions.fold(stream);
      const narrowed = now.ok ? await narrowChildren(parts, stream, now.value.mode) : now;
      if (!narrowed.ok) return narrowed;
      const watching = { ...node, ...running, child: id, parent: { stream, callId } };
      const seen = await watchChild(parts, watching);
      if (!seen.ok) return seen;
      const session = await parts.sessions.fold(id);
      if (!session.ok) return session;
      return seen.value ? reported(seen.value, session.value) : left;
    },
  };
}

async function planOf(
  parts: DoorParts,
  parent: Parent,
  task: ChildTask,
): Promise<Result<ChildPlan>> {
  const { stream, session, callId, place } = parent;
  const ancestors = [stream, ...(session.start?.child ? (session.start.ancestors ?? []) : [])];
  if (ancestors.length > DEPTH_MAX) {
    return fail("too_large", "this child may have no children of its own", {
      fix: "do the work yourself",
    });
  }
  const role = roleIn((await place.roles?.()) ?? ownRoles, task.role ?? USUAL_ROLE);
  if (!role.ok) return role;
  const mode = narrower(session.mode, role.value.mode);
  const tools = toolsOf(parent, role.value, ancestors.length);
  const minutes = Math.min(...[task.minutes, role.value.minutes].filter((n) => n !== undefined));
  return ok({
    id: idOf(parent),
    ...{ role: role.value, mode, title: task.title, prompt: task.prompt, ancestors },
    begun: { call: callId, role: role.value.name, tools, grants: newestOf(session.grants) },
    forMs: Math.min(minutes * 60_000, parts.childDeadlineMs),
  });
}

function roleIn(roles: readonly Role[], name: string): Result<Role> {
  const role = roles.find((one) => one.name === name);
  if (role) return ok(role);
  return fail("not_found", `there is no role ${JSON.stringify(name)}`, {
    fix: `use one of ${roles.map((one) => one.name).join(", ")}`,
  });
}

/** Leave that a child takes along, the newest first to count: about so many characters of it. */
const GRANTS_CHARS_MAX = 16_384;

function newestOf(grants: readonly string[]): string[] {
  let chars = 0;
  const from = grants.findLastIndex((grant) => {
    chars += grant.length;
    return chars > GRANTS_CHARS_MAX;
  });
  return grants.slice(from + 1);
}

/** Those of its role that its parent has, too; the last generation begins no children. */
function toolsOf({ place, session }: Parent, role: Role, depth: number): string[] {
  const names = toolsFor(place.tools, session.start).map(({ spec }) => spec.name);
  return names.filter(
    (name) => (role.tools?.includes(name) ?? true) && (name !== TASK || depth < DEPTH_MAX),
  );
}

/** The same id whenever the same call is looked at, and another one for any other call. */
function idOf({ stream, session, callId }: Parent): string {
  const call = JSON.stringify([stream, session.turn?.id, session.turn?.steps, callId]);
  return idFrom(Buffer.from(sha256(call), "hex").subarray(0, ID_BYTES));
}

const left = fail("closed", "this node closes; whoever goes on with the turn waits for the child");

function reported(seen: ChildSeen, { usage }: Session): Result<ChildReport> {
  if (!seen.ended) throw new Error("a child was reported before it was over");
  const { end, text, failure, at } = seen.ended;
  return ok({
    ...{ end, text, ...(failure ? { failure } : {}) },
    steps: seen.steps,
    tokens: usage.input + usage.output,
    tookMs: at - seen.begunAt,
    changed: [...seen.changed],
  });
}
