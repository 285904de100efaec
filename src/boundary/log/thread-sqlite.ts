// The thread that holds the SQLite log of a node, with the views that are fed at once.
import { workerData } from "node:worker_threads";
import { sqliteLog } from "#boundary/log/sqlite.ts";
import type { ThreadData } from "#boundary/log/thread-messages.ts";
import { serveLog } from "#boundary/log/thread-served.ts";
import { feedAtOnce } from "#boundary/views.ts";

const { file, node, ...data } = workerData as ThreadData & { file: string; node: string };
serveLog(sqliteLog(file, { node, atOnce: feedAtOnce, now: Date.now }), data);
