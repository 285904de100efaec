// For tests: a log in a thread, with the clock and the table of the contract.
import { workerData } from "node:worker_threads";
import { countAtOnce } from "#boundary/log/contract-table.ts";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import type { ThreadData } from "#boundary/log/thread-messages.ts";
import { serveLog } from "#boundary/log/thread-served.ts";

const { file, counts, ...data } = workerData as ThreadData & { file: string; counts: boolean };
const atOnce = counts ? countAtOnce : () => [];
serveLog(sqliteLog(file, { node: "n1", atOnce, now: () => 1_000 }), data);
