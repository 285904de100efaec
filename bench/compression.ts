// What of a file is left at half its tokens: the share of the identifiers that a question needs
// which survive, over 100 labelled questions (compression.jsonl; settings were tuned on its even
// rows, so the odd ones tell). Truncation, sampling and the same without the question have the same
// room in the same run. `--share 0.3` leaves less, where the question counts for more; `--lost` names
// what was lost of the even rows.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compressor } from "../src/boundary/compressed.ts";
import { countingFor } from "../src/boundary/counting.ts";
import { syntaxParser } from "../src/boundary/parse/parser.ts";
import type { CompressStrategy } from "../src/core/context/compress.ts";
import type { Compared } from "./measure.ts";

/** What is to be reached, as the plan of issue 5 says. */
const SHARE_MIN = 0.95;

/** Where the files lie, and what brings them. */
const sources = {
  go: { folder: "/usr/share/go-1.19/src", bring: "apt install golang-1.19-src" },
  python: { folder: "/usr/lib/python3.11", bring: "apt install libpython3.11-stdlib" },
  zod: { folder: join(import.meta.dirname, "../node_modules/zod/src"), bring: "npm ci" },
} as const;

const BLANK = "no question";
/**
 * Where all has room but comments, a question gains nothing: bodies near to it stay whole, and that
 * costs room. So much more than ours the same without a question may keep.
 */
const BLANK_MAX = 1.02;

type Way = { name: string; strategy: CompressStrategy; question?: string };
const ways: readonly Way[] = [
  { name: "ours", strategy: "semantic" },
  { name: "truncation", strategy: "truncation" },
  { name: "sampling", strategy: "sampling" },
  { name: BLANK, strategy: "semantic", question: "" },
];

type Row = { source: keyof typeof sources; path: string; question: string; identifiers: string[] };
type Tally = { kept: number; of: number };

export async function compression(): Promise<Compared[]> {
  const file = join(import.meta.dirname, "compression.jsonl");
  const rows = readFileSync(file, "utf8").trim().split("\n");
  const counting = await countingFor("gpt-4o", "gpt");
  const compressed = compressor(await syntaxParser(), counting);
  const tallies = new Map<string, Tally>();
  const add = (key: string, { kept, of }: Tally) => {
    const known = tallies.get(key) ?? { kept: 0, of: 0 };
    tallies.set(key, { kept: known.kept + kept, of: known.of + of });
  };
  for (const [i, text] of rows.entries()) {
    const row = JSON.parse(text) as Row;
    const whole = textOf(row);
    const tokensMax = Math.floor(roomShare() * counting.count(whole));
    const isEven = (i + 1) % 2 === 0;
    for (const way of ways) {
      const { strategy, question = row.question } = way;
      const made = await compressed({ ...row, text: whole, tokensMax, strategy, question });
      if (made.tokens > tokensMax) throw new Error(`${row.path}: ${made.tokens} > ${tokensMax}`);
      const lost = lostOf(row, made.text);
      const tally = { kept: row.identifiers.length - lost.length, of: row.identifiers.length };
      for (const part of ["all", isEven ? "even rows" : "odd rows", row.source]) {
        add(`${part}: ${way.name}`, tally);
      }
      if (isEven && way.name === "ours" && lost.length > 0 && process.argv.includes("--lost")) {
        console.log(`${row.path}: ${lost.join(" ")}`);
      }
    }
  }
  return ["all", "even rows", "odd rows", ...Object.keys(sources)].flatMap((part) =>
    shown(part, tallies),
  );
}

/** Of the tokens of a file, how many may stay. */
function roomShare(): number {
  const at = process.argv.indexOf("--share");
  return at < 0 ? 0.5 : Number(process.argv[at + 1]);
}

function textOf({ source, path }: Row): string {
  const { folder, bring } = sources[source];
  const file = join(folder, path);
  if (!existsSync(file)) throw new Error(`there is no ${file}: ${bring}`);
  return readFileSync(file, "utf8");
}

/** Identifiers that stand nowhere in the text, the words of its markers not counted. */
function lostOf({ identifiers }: Row, text: string): string[] {
  const words = text.replace(/… \d+ (?:lines?|characters)/g, "");
  const left = new Set(words.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu));
  return identifiers.filter((name) => !left.has(name));
}

/** A share that has to be reached is shown as what is missing of it: up to 1 it holds. */
function shown(part: string, tallies: ReadonlyMap<string, Tally>): Compared[] {
  const share = (way: string) => {
    const { kept, of } = tallies.get(`${part}: ${way}`) ?? { kept: 0, of: 1 };
    return kept / of;
  };
  const ours = share("ours");
  const row = (what: string, floor: number, limit = 1): Compared => ({
    ...{ what: `${part}: ${what}`, ours, floor, unit: "" },
    ...{ ratio: floor / Math.max(ours, 1e-9), limit },
  });
  const peers = ways.filter(({ name }) => name !== "ours");
  return [
    row("at least", SHARE_MIN),
    ...peers.map(({ name }) => row(`against ${name}`, share(name), name === BLANK ? BLANK_MAX : 1)),
  ];
}
