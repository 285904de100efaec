// Models in reach as tests want them: lists as a user writes them, and nothing of this machine.
import type { ProbeStore } from "#boundary/models/probes.ts";
import { modelsInReach, type Reach, type ReachParts } from "#boundary/models/reach.ts";
import { ok } from "#core/failure.ts";
import { readLists, type WrittenLists } from "#core/model/settings.ts";

const forgetful: ProbeStore = { get: async () => undefined, put: async () => ok() };

/** The models in reach of these lists; no other server than those that the settings name. */
export function reachOver(
  written: WrittenLists,
  settings: Record<string, string> = {},
  more: Partial<ReachParts> = {},
): Reach {
  const lists = readLists(written);
  if (!lists.ok) throw new Error(lists.error.say);
  const quiet = { OLLAMA_HOST: "127.0.0.1:1", AIEX_LM_STUDIO_HOST: "127.0.0.1:1" };
  return modelsInReach({
    lists: lists.value,
    packages: "/nowhere",
    settingsFor: async () => ok({ ...quiet, ...settings }),
    probes: forgetful,
    probing: "never",
    random: () => 0,
    ...more,
  });
}

/** A model that can be opened. */
export async function opened(reach: Reach, name: string) {
  const model = await reach.open(name, { signal: new AbortController().signal });
  if (!model.ok) throw new Error(model.error.say);
  return model.value;
}
