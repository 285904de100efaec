// How people write what may be spent.
import { NANO_PER_DOLLAR } from "#core/model/money.ts";

/** A number of dollars from the configuration. */
export const nanoOfNumber = (value: number): number => Math.round(value * NANO_PER_DOLLAR);
