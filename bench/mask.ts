// Masking a large output: code, locks and base64, as commands print them. The limit is 20 MB a second.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { masker } from "#core/security/mask.ts";
import { type Compared, median } from "./measure.ts";

const root = dirname(import.meta.dirname);
const BYTES = 16_000_000;
const RUNS = 5;
/** What a second must do at least. */
const BYTES_A_SECOND = 20_000_000;
/** Values of secret files that are looked for besides, with their encodings. */
const KNOWN = 300;

export async function mask(): Promise<Compared[]> {
  const texts = { code: repeated(codeText()), base64: repeated(randomText()) };
  const known = Array.from({ length: KNOWN }, (_, i) => `value-${i}-${"x".repeat(20)}`);
  return Object.entries(texts).flatMap(([kind, text]) => [
    measured(`${kind}, by form and entropy`, text, masker()),
    measured(`${kind}, and ${KNOWN} known values`, text, masker({ known })),
  ]);
}

function measured(what: string, text: string, act: (text: string) => string): Compared {
  act(text);
  const times = Array.from({ length: RUNS }, () => {
    const began = performance.now();
    act(text);
    return performance.now() - began;
  });
  const ours = median(times);
  const floor = (text.length / BYTES_A_SECOND) * 1_000;
  return { what, ours, floor, unit: "ms", ratio: ours / floor, limit: 1 };
}

const repeated = (text: string): string =>
  text.repeat(Math.ceil(BYTES / text.length)).slice(0, BYTES);

function codeText(): string {
  const names = readdirSync(join(root, "src"), { recursive: true }).map(String);
  const files = names.filter((name) => name.endsWith(".ts")).sort();
  const code = files.map((name) => readFileSync(join(root, "src", name), "utf8")).join("\n");
  return code + readFileSync(join(root, "package-lock.json"), "utf8");
}

/** The same in each run. */
function randomText(): string {
  let seed = 7;
  const bytes = Uint8Array.from({ length: 300_000 }, () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed >> 16;
  });
  return Buffer.from(bytes).toString("base64").replace(/.{76}/g, "$&\n");
}
