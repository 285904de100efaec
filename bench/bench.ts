// `npm run bench -- NAME [--json]`: a table of figures and ratios, each against a floor or a peer
// of the same run. Exits 1 where a ratio is over its limit.
import { audit } from "./audit.ts";
import { chunks } from "./chunks.ts";
import { compression } from "./compression.ts";
import { index } from "./index.ts";
import { log } from "./log.ts";
import { mask } from "./mask.ts";
import type { Compared } from "./measure.ts";
import { oneshot } from "./oneshot.ts";
import { open } from "./open.ts";
import { retrieval } from "./retrieval.ts";
import { search } from "./search.ts";
import { start } from "./start.ts";
import { streams } from "./streams.ts";
import { tree } from "./tree.ts";

const benches: Record<string, () => Promise<Compared[]>> = {
  audit,
  chunks,
  compression,
  index,
  oneshot,
  start,
  log,
  mask,
  open,
  retrieval,
  search,
  streams,
  tree,
};

const [name = "", ...flags] = process.argv.slice(2);
const bench = benches[name];
if (!bench) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join("|")} [--json]`);
  process.exit(2);
}
const rows = await bench();
if (flags.includes("--json")) console.log(JSON.stringify({ bench: name, rows }));
else console.table(rows.map(shownRow));
if (rows.some(({ ratio, limit }) => ratio > limit)) process.exitCode = 1;

function shownRow({ what, ours, floor, unit, ratio, limit }: Compared) {
  const figure = (value: number) => `${value.toFixed(value < 10 ? 3 : 1)} ${unit}`;
  return {
    what,
    ours: figure(ours),
    floor: figure(floor),
    ratio: ratio.toFixed(2),
    limit,
    holds: ratio <= limit,
  };
}
