// What a thread does that adds files to an index: it is told paths, reads, parses and writes them,
// and says after each batch how far it is.
import type { MessagePort } from "node:worker_threads";
import { type Adding, addingTo } from "#boundary/index/adding.ts";
import type { FromWorker, ToWorker, WorkerGiven } from "#boundary/index/messages.ts";
import type { Parsing } from "#boundary/index/port.ts";
import { openIndex } from "#boundary/index/store.ts";
import type { SyntaxParser } from "#boundary/parse/port.ts";

/** Serves until its thread is ended. */
export function serveIndex(port: MessagePort, { file, root }: WorkerGiven, parsing: Parsing): void {
  const say = (message: FromWorker): void => port.postMessage(message);

  let parser: SyntaxParser | null = null;

  async function begin(): Promise<Adding | null> {
    const db = openIndex(file);
    if (db.ok) {
      parser = await parsing();
      return addingTo(db.value, parser, root);
    }
    say({ type: "failed", say: db.error.say });
    return null;
  }

  const beginning = begin();
  // One after another: a file is gathered in several turns of the loop.
  let last: Promise<void> = Promise.resolve();
  port.on("message", (message: ToWorker) => {
    last = last.then(() => answer(message));
  });

  async function answer(message: ToWorker): Promise<void> {
    try {
      const adding = await beginning;
      if (!adding) return;
      if (message.type === "add") {
        // What came after the file that broke it goes back as it came.
        const isBroken = parser?.isBroken() === true;
        const none = { files: 0, contents: 0, bytes: 0, left: message.paths };
        const added = isBroken ? none : await adding.add(message.paths);
        say({ type: "added", ...added, isBroken: parser?.isBroken() === true });
      } else if (message.type === "flush") {
        adding.flush();
        say({ type: "flushed" });
      } else {
        adding.merge();
        say({ type: "merged" });
      }
    } catch (error) {
      say({ type: "failed", say: error instanceof Error ? error.message : String(error) });
    }
  }
}
