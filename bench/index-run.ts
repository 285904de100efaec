// What `bench -- index` measures, each in a process of its own: indexing a folder, parsing alone what
// would be indexed, and how long a saved file takes to be found. Prints one line of JSON.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { codeIndexAt } from "../src/boundary/index/code-index.ts";
import { lookAt } from "../src/boundary/index/look.ts";
import { openIndex } from "../src/boundary/index/store.ts";
import { syntaxParser } from "../src/boundary/parse/parser.ts";
import { valued } from "./measure.ts";

const THREADS = 2;
const SAVES = 15;
const [mode = "", root = "", file = ""] = process.argv.slice(2);
const never = new AbortController().signal;
const entry = new URL("../src/start-index.ts", import.meta.url);

if (mode === "index") console.log(JSON.stringify(await index()));
else if (mode === "parse") console.log(JSON.stringify(await parse()));
else console.log(JSON.stringify(await save()));

async function index() {
  const code = valued(codeIndexAt(root, file, { parsing: syntaxParser, entry, threads: THREADS }));
  const began = performance.now();
  const { bytes } = valued(await code.refresh(never));
  const ms = performance.now() - began;
  code.close();
  return { ms, bytes };
}

/** The same files, read and parsed by as many threads, and nothing else. */
async function parse() {
  const db = valued(openIndex(":memory:"));
  const began = performance.now();
  const { changed } = valued(await lookAt(db, root, never));
  const parts = Array.from({ length: THREADS }, (_, i) =>
    changed.filter((_, at) => at % THREADS === i).map(({ path }) => join(root, path)),
  );
  const worker = new URL("./parse-thread.ts", import.meta.url);
  await Promise.all(
    parts.map(
      (paths) =>
        new Promise<void>((resolve, reject) => {
          const thread = new Worker(worker, { workerData: { paths } });
          thread.on("error", reject);
          thread.on("exit", () => resolve());
        }),
    ),
  );
  const bytes = changed.reduce((sum, one) => sum + one.bytes, 0);
  return { ms: performance.now() - began, bytes };
}

/** From a save to the answer that has it, with the index open and watching. */
async function save() {
  const code = valued(codeIndexAt(root, file, { parsing: syntaxParser, entry, threads: THREADS }));
  valued(await code.refresh(never));
  const watching = valued(await code.watch(never));
  const times: number[] = [];
  const path = join(root, "saved-by-the-bench.go");
  for (let i = 0; i < SAVES; i += 1) {
    const name = `zebra${i}crossing${i}`;
    const body = `// Crosses ${i} times.\nfunc ${name}() int {\n${"\treturn 1\n".repeat(200)}}\n`;
    const began = performance.now();
    writeFileSync(path, `package saved\n\n${body}`);
    for (;;) {
      const [hit] = valued(await code.search(name, 1));
      if (hit?.symbols.includes(name)) break;
      await watching.changed();
    }
    times.push(performance.now() - began);
  }
  watching.close();
  code.close();
  return { times };
}
