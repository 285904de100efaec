// The surfaces: one line for each family, loaded when a model of it is used. A family without one is
// offered our plain tools.
import type { Family } from "#core/model/catalog.ts";
import type { Surface } from "#core/model/surface.ts";

export const surfaces: Readonly<Record<Family, (() => Promise<Surface>) | null>> = {
  claude: async () => (await import("#core/model/surfaces/claude.ts")).claude,
  gpt: async () => (await import("#core/model/surfaces/gpt.ts")).gpt,
  gemini: async () => (await import("#core/model/surfaces/gemini.ts")).gemini,
  local: async () => (await import("#core/model/surfaces/local.ts")).local,
  other: null,
};
