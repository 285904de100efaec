// Money, exactly: whole nano-dollars (a billionth of a dollar). Providers price a million tokens in
// dollars with at most three decimals, so that one token costs a whole number of nano-dollars and no
// sum is ever rounded. 2^53 nano-dollars are nine million dollars.
import type { Cost, Usage } from "#core/model/message.ts";

/** Nano-dollars of one token, by what the token was. */
type Rates = {
  input: number;
  /** Read from the provider's cache; where it is not known, `input` stands in as an upper bound. */
  cached?: number;
  /** Written to the cache, for its shortest time; where it is not known, `input` stands in. */
  written?: number;
  output: number;
};

/** What a model's tokens cost, since when that is known, and where it is written. */
export type Price = Rates & {
  /** Other rates for the whole of a request whose input is longer than `tokens`. */
  above?: Rates & { tokens: number };
  /** The day on which the source said so. */
  date: string;
  source: string;
};

export const NANO_PER_DOLLAR = 1_000_000_000;
/** Dollars for a million tokens to nano-dollars for one. */
const NANO_PER_TOKEN = 1_000;

/** Nano-dollars of a token from dollars of a million; undefined where a token would cost a fraction. */
export function perToken(dollarsPerMillion: number): number | undefined {
  const nano = Math.round(dollarsPerMillion * NANO_PER_TOKEN);
  const exact = Math.abs(dollarsPerMillion * NANO_PER_TOKEN - nano) < 1e-6;
  return exact && nano >= 0 && Number.isSafeInteger(nano) ? nano : undefined;
}

/**
 * What a call cost. As sure as its usage: where `usage.exact` is false this is an upper bound too.
 * Undefined where it is not known.
 */
export function costOf(usage: Usage, price: Price | undefined): Cost | undefined {
  if (!price) return undefined;
  const { above } = price;
  const rates: Rates = above && usage.input > above.tokens ? above : price;
  const cached = Math.min(usage.cached, usage.input);
  const written = Math.min(usage.written ?? 0, usage.input - cached);
  const fresh = usage.input - cached - written;
  const nanoDollars =
    fresh * rates.input +
    cached * (rates.cached ?? rates.input) +
    written * (rates.written ?? rates.input) +
    usage.output * rates.output;
  return Number.isSafeInteger(nanoDollars) ? { nanoDollars, whole: true } : undefined;
}

/** The usage with its cost, where a price is known; a cost that it has already stays. */
export function priced(usage: Usage, price: Price | undefined): Usage {
  const cost = usage.cost ?? costOf(usage, price);
  return cost ? { ...usage, cost } : usage;
}

/** Cents from ten cents on, three places that count below: `$12.30`, `$0.0421`, `$0`. */
export function dollars(nano: number): string {
  if (nano === 0) return "$0";
  const whole = nano / NANO_PER_DOLLAR;
  const counts = Number(whole.toPrecision(3));
  if (counts >= 0.1) return `$${whole.toFixed(2)}`;
  return `$${counts.toFixed(9).replace(/0+$/, "")}`;
}
