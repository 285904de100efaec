// 1,000 streams open together, each delta parsed and delivered to a listener: what that adds to the
// first token over a bare fetch in the same run, and whether every delta arrived.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Compared } from "./measure.ts";
import type { Streamed } from "./streams-client.ts";

/** Milliseconds that may be added to the 99th percentile of the first token. */
const ADDED_MAX = 25;
const MEMORY_MAX_MIB = 512;
/** What the server sends: DELTAS of streams-server.js for each stream. */
const DELTAS = 200;

export async function streams(): Promise<Compared[]> {
  const server = spawn(process.execPath, [join(import.meta.dirname, "streams-server.js")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const port = await firstLine(server.stdout);
  const url = `http://127.0.0.1:${port}/v1`;
  const bare = await client("bare", url);
  const ours = await client("ours", url);
  server.stdin.end();
  const lost = (run: Streamed) => run.streams * DELTAS - run.deltas;
  const added = p99(ours.firstMs) - p99(bare.firstMs);
  return [
    {
      what: `first token, 99th percentile: ${added.toFixed(1)} ms added`,
      ours: p99(ours.firstMs),
      floor: p99(bare.firstMs),
      unit: "ms",
      ratio: added / ADDED_MAX,
      limit: 1,
    },
    {
      what: `peak memory, of ${MEMORY_MAX_MIB} MiB`,
      ours: ours.peakMiB,
      floor: bare.peakMiB,
      unit: "MiB",
      ratio: ours.peakMiB / MEMORY_MAX_MIB,
      limit: 1,
    },
    {
      what: `deltas lost of ${ours.streams * DELTAS}`,
      ours: lost(ours),
      floor: lost(bare),
      unit: "",
      ratio: lost(ours),
      limit: 0,
    },
  ];
}

async function client(way: "bare" | "ours", url: string): Promise<Streamed> {
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "streams-client.ts"), way, url],
    { stdio: ["ignore", "pipe", "inherit"], env },
  );
  return JSON.parse(await firstLine(child.stdout)) as Streamed;
}

async function firstLine(from: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: from })) return line;
  throw new Error("the process ended without a word");
}

const p99 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.NaN;
