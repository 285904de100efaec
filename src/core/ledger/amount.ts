// How people write what may be spent: dollars, or tokens. Read digit by digit, so that no sum of
// money ever was a fraction.
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import type { Amount } from "#core/ledger/budget.ts";
import { NANO_PER_DOLLAR } from "#core/model/money.ts";

/** Places of a dollar that are a whole number of nano-dollars. */
const PLACES = 9;
/** Tokens that may be written, at most. */
const TOKENS_MAX = 1_000_000_000_000;

/** `2`, `$2.50`: dollars · `200k tokens`, `1.5M tokens`, `200000t`: tokens. Above zero. */
export function readAmount(text: string): Result<Amount> {
  const money = /^\$?\s*(\d{1,7}(?:\.\d+)?)\s*\$?$/.exec(text.trim())?.[1];
  if (money !== undefined) {
    const nanoDollars = nanoOf(money);
    return nanoDollars ? ok({ nanoDollars }) : unclear(text);
  }
  const [, digits, unit = ""] =
    /^(\d{1,12}(?:\.\d{1,3})?)\s*([km]?)\s*(?:t|tokens?)$/i.exec(text.trim()) ?? [];
  if (digits === undefined) return unclear(text);
  const factor = unit === "" ? 1 : unit.toLowerCase() === "k" ? 1_000 : 1_000_000;
  const tokens = Math.round(Number(digits) * factor);
  return tokens > 0 && tokens <= TOKENS_MAX ? ok({ tokens }) : unclear(text);
}

const unclear = (text: string): Failed =>
  fail("bad_input", `"${text}" is no budget`, {
    fix: 'write dollars (2, $2.50) or tokens ("200k tokens"), above zero',
  });

/**
 * Nano-dollars of a decimal number of dollars, exactly; what is less than one is rounded to the
 * nearest. Undefined where the text is no such number, or too much. A sign and an exponent, as in
 * the JSON of some exports, are read.
 */
export function nanoOf(text: string): number | undefined {
  const found = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,2}))?$/i.exec(text.trim());
  if (!found) return undefined;
  const [, sign = "", whole = "", part = "", power = "0"] = found;
  if (whole + part === "") return undefined;
  const shift = part.length - PLACES - Number(power);
  const digits = BigInt(whole + part);
  const nano = shift <= 0 ? digits * 10n ** BigInt(-shift) : rounded(digits, 10n ** BigInt(shift));
  const signed = Number(sign === "-" ? -nano : nano);
  return Number.isSafeInteger(signed) ? signed + 0 : undefined;
}

const rounded = (n: bigint, by: bigint): bigint => (n + by / 2n) / by;

/** A number of dollars from the configuration. */
export const nanoOfNumber = (value: number): number => Math.round(value * NANO_PER_DOLLAR);
