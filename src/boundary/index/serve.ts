// What a thread does that adds files to an index: it is told paths, reads, parses and writes them,
// and says after each batch how far it is.
import type { MessagePort } from "node:worker_threads";
import { type Adding, addingTo } from "#boundary/index/adding.ts";
import type { FromWorker, ToWorker, WorkerGiven } from "#boundary/index/messages.ts";
import type { Parsing } from "#boundary/index/port.ts";
import { openIndex } from "#boundary/index/store.ts";

/** Serves until its thread is ended. */
export function serveIndex(port: MessagePort, { file, root }: WorkerGiven, parsing: Parsing): void {
  const say = (message: FromWorker): void => port.postMessage(message);

  async function begin(): Promise<Adding | null> {
    const db = openIndex(file);
    if (db.ok) return addingTo(db.value, await parsing(), root);
    say({ type: "failed", say: db.error.say });
    return null;
  }

  const beginning = begin();
  port.on("message", async (message: ToWorker) => {
    try {
      const adding = await beginning;
      if (!adding) return;
      if (message.type === "add") say({ type: "added", ...(await adding.add(message.paths)) });
      else if (message.type === "flush") {
        adding.flush();
        say({ type: "flushed" });
      } else {
        adding.merge();
        say({ type: "merged" });
      }
    } catch (error) {
      say({ type: "failed", say: error instanceof Error ? error.message : String(error) });
    }
  });
}
