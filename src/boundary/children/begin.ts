// Beginning a child: its first events in one append, under an id that its parent's call decides, so
// that a call which is recovered finds the child that it began.
import { newId } from "#boundary/digest.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { keptText } from "#boundary/kept-text.ts";
import { offered, offerOf, toolsFor } from "#boundary/surfaces.ts";
import type { Parent } from "#boundary/turn/parts.ts";
import { ok, type Result } from "#core/failure.ts";
import { systemPrompt } from "#core/prompt/system.ts";
import type { Role } from "#core/role.ts";
import type { ChildBegun } from "#core/session/child.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { emptySession } from "#core/session/state.ts";
import type { Mode } from "#core/session/tool-facts.ts";

export type ChildPlan = {
  id: string;
  role: Role;
  mode: Mode;
  title: string;
  prompt: string;
  ancestors: readonly string[];
  begun: Omit<ChildBegun, "deadlineAt">;
  /** How long it has, in milliseconds. */
  forMs: number;
};

/** Begins it with the time that it has from now on. One that was begun already stays as it is. */
export async function beginChild(
  parts: DoorParts,
  parent: Parent,
  plan: ChildPlan,
): Promise<Result<void>> {
  const started = await startedBy(parts, parent, plan);
  if (!started.ok) return started;
  const { effort } = parent.session;
  const events: SessionEvent[] = [
    started.value,
    { type: "SessionRenamed", title: plan.title },
    ...(effort === null ? [] : [{ type: "EffortSwitched" as const, effort }]),
    { type: "TurnStarted", turn: newId(), text: plan.prompt, attachments: [] },
  ];
  const by = { actor: "parent", epoch: 0, cause: parent.callId };
  const added = await parts.sessions.append(plan.id, emptySession, events, by);
  return added.ok || added.error.code === "conflict" ? ok() : added;
}

async function startedBy(
  parts: DoorParts,
  { stream, session, place }: Parent,
  plan: ChildPlan,
): Promise<Result<SessionEvent>> {
  const { start } = session;
  if (!start) throw new Error("a session without a beginning made a call");
  const { role, mode } = plan;
  const model = role.model ?? session.turn?.model ?? session.model;
  const surface = await parts.familyOf(model);
  const child = { ...plan.begun, deadlineAt: Date.now() + plan.forMs };
  const tools = offerOf(await offered(toolsFor(place.tools, { child }), surface));
  const environment = await parts.environmentOf(start.location.path, mode);
  const prompt = `${systemPrompt(surface, environment)}\n\n${asChild(role)}`;
  const system = await keptText(parts, prompt, "text/plain");
  if (!system.ok) return system;
  const specs = await keptText(parts, JSON.stringify(tools.specs), "application/json");
  if (!specs.ok) return specs;
  const { contextTokens, stepsPerTurn } = start.limits;
  return ok({
    type: "SessionStarted",
    workspace: start.workspace,
    location: start.location,
    system: system.value,
    tools: specs.value,
    toolEffects: tools.effects,
    surface,
    environment: { ...environment, role: role.name },
    model,
    mode,
    limits: { contextTokens, stepsPerTurn: Math.min(stepsPerTurn, role.steps ?? stepsPerTurn) },
    parent: stream,
    ancestors: plan.ancestors,
    child,
  });
}

const asChild = ({ name, text }: Role): string =>
  [
    `You work for another assistant, as its ${name}. No person reads along: your last message is what it gets, and nothing else of what you saw. Ask nobody; where something is unclear, take the reading that is more likely and say so. Your time is limited: once you know enough, end.`,
    text,
  ].join("\n\n");
