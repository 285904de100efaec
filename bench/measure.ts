// Measuring whole processes and functions against a peer in the same run: what is quoted is the
// median of the ratios of neighbouring runs, because machines are noisy and drift.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Result } from "../src/core/failure.ts";

export type Run = { wallMs: number; peakMiB: number };

/** What a result holds; a bench has no use for a failure. */
export function valued<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(result.error.say);
  return result.value;
}

export type Program = {
  command: string;
  args: string[];
  env?: Record<string, string>;
  cwd?: string;
};

/** How often the peak memory of a running process is read, in milliseconds. */
const POLL_MS = 2;

/** Runs a program to its end: wall time, and the high-water mark of its resident memory. */
export async function runOnce(program: Program): Promise<Run> {
  const { wallMs, peakMiB } = await outputOf(program);
  return { wallMs, peakMiB };
}

/** The same, with what it wrote to standard output. */
export function outputOf(program: Program): Promise<Run & { output: string }> {
  const { command, args, env = {}, cwd } = program;
  const { NODE_EXTRA_CA_CERTS: _, ...inherited } = process.env;
  return new Promise((resolve, reject) => {
    const began = process.hrtime.bigint();
    const child = spawn(command, args, {
      cwd,
      env: { ...inherited, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let peakMiB = 0;
    let errors = "";
    let output = "";
    const poll = setInterval(() => {
      peakMiB = Math.max(peakMiB, peakOf(child.pid));
    }, POLL_MS);
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.on("close", (code) => {
      clearInterval(poll);
      const wallMs = Number(process.hrtime.bigint() - began) / 1e6;
      if (code === 0) resolve({ wallMs, peakMiB, output });
      else reject(new Error(`${command} ${args.join(" ")} ended with ${code}: ${errors}`));
    });
  });
}

function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export type Compared = {
  what: string;
  ours: number;
  floor: number;
  unit: string;
  ratio: number;
  limit: number;
};

/** Two programs in turn, `runs` times after one warm-up each. */
export async function compare(
  ours: Program,
  floor: Program,
  options: { runs: number; what: string; wallMax: number; memoryMax?: number },
): Promise<Compared[]> {
  await runOnce(ours);
  await runOnce(floor);
  const pairs: [Run, Run][] = [];
  for (let i = 0; i < options.runs; i += 1) pairs.push([await runOnce(ours), await runOnce(floor)]);
  const row = (key: keyof Run, unit: string, limit: number): Compared => ({
    what: `${options.what}: ${key === "wallMs" ? "wall" : "peak memory"}`,
    ours: median(pairs.map(([a]) => a[key])),
    floor: median(pairs.map(([, b]) => b[key])),
    unit,
    ratio: median(pairs.map(([a, b]) => a[key] / b[key])),
    limit,
  });
  const rows = [row("wallMs", "ms", options.wallMax)];
  if (options.memoryMax !== undefined) rows.push(row("peakMiB", "MiB", options.memoryMax));
  return rows;
}
