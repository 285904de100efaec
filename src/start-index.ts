// The composition root of a thread that reads files for the code index.
import { parentPort, workerData } from "node:worker_threads";
import type { WorkerGiven } from "#boundary/index/messages.ts";
import { serveIndex } from "#boundary/index/serve.ts";
import { syntaxParser } from "#boundary/parse/parser.ts";

if (parentPort) serveIndex(parentPort, workerData as WorkerGiven, syntaxParser);
