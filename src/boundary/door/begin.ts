// Beginning a session: what all its requests begin with is frozen into its first event.
import { newId } from "#boundary/digest.ts";
import type { DoorParts } from "#boundary/door/parts.ts";
import { keptText } from "#boundary/kept-text.ts";
import { ok, type Result } from "#core/failure.ts";
import { systemPrompt } from "#core/prompt/system.ts";
import type { SessionEvent } from "#core/session/events.ts";
import { emptySession } from "#core/session/state.ts";
import type { Mode } from "#core/session/tool-facts.ts";

export async function beginSession(
  parts: DoorParts,
  options: { cwd: string; model?: string; mode?: Mode },
): Promise<Result<{ stream: string; version: number }>> {
  const located = await parts.locations.open(options.cwd);
  if (!located.ok) return located;
  const model = options.model ? ok(options.model) : await parts.defaultModel();
  if (!model.ok) return model;
  const mode = options.mode ?? parts.defaults.mode;
  const surface = await parts.familyOf(model.value);
  const tools = await parts.toolsNow(surface, located.value.path);
  if (!tools.ok) return tools;
  const environment = await parts.environmentOf(located.value.path, mode);
  const system = await keptText(parts, systemPrompt(surface, environment), "text/plain");
  const specs = await keptText(parts, JSON.stringify(tools.value.specs), "application/json");
  if (!system.ok) return system;
  if (!specs.ok) return specs;
  const { contextTokens, stepsPerTurn } = parts.defaults;
  const started: SessionEvent = {
    type: "SessionStarted",
    workspace: located.value.workspace,
    location: { node: parts.node, path: located.value.path },
    system: system.value,
    tools: specs.value,
    toolEffects: tools.value.effects,
    surface,
    environment,
    model: model.value,
    mode,
    limits: { contextTokens, stepsPerTurn },
  };
  const stream = newId();
  const by = { actor: "user", epoch: 0 };
  const added = await parts.sessions.append(stream, emptySession, [started], by);
  return added.ok ? ok({ stream, version: added.value.version }) : added;
}
