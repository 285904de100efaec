// The memory log keeps the log's promises.
import { eventLogContract } from "#boundary/log/contract.ts";
import { memoryLog } from "#boundary/log/memory.ts";

eventLogContract("memory", async (options) => memoryLog(options));
