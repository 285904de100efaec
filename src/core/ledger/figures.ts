// What calls of a model took together: the figures of a row of the ledger, and of an erased session.
import * as z from "zod/mini";

/** Columns that every settled call adds to. */
export const figureNames = [
  "calls",
  "broken",
  "input",
  "cached",
  "written",
  "output",
  "reasoning",
  /** Calls whose tokens are an upper bound, because the provider did not count them. */
  "inexact",
  "nanoDollars",
  "unpricedInput",
  "unpricedCached",
  "unpricedWritten",
  "unpricedOutput",
] as const;

export type Figures = Record<(typeof figureNames)[number], number>;

export const noFigures = Object.fromEntries(figureNames.map((name) => [name, 0])) as Figures;

/** What a session took of a model on a day (UTC, counted from 1970). */
export const tookShape = z.extend(
  z.object(
    Object.fromEntries(figureNames.map((name) => [name, z.number()])) as Record<
      keyof Figures,
      z.ZodMiniNumber
    >,
  ),
  { model: z.string(), day: z.number() },
);
export type Took = z.infer<typeof tookShape>;
