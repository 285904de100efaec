// The views there are. A new one is a file and a line here.
import { budgets } from "#core/views/budgets.ts";
import { children } from "#core/views/children.ts";
import { erased } from "#core/views/erased.ts";
import { prompts } from "#core/views/prompts.ts";
import { results } from "#core/views/results.ts";
import { sessions } from "#core/views/sessions.ts";
import { steps } from "#core/views/steps.ts";
import { usage } from "#core/views/usage.ts";
import type { View } from "#core/views/view.ts";

export const views: readonly View[] = [
  sessions,
  children,
  erased,
  budgets,
  usage,
  steps,
  results,
  prompts,
];
