// How long a question to an index of 80 MB of real source takes, in an open index: a short one of a
// few words, and an issue of 500 words. Questions are made of the words of commits and of symbols of
// that source, so that they meet what is there.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeIndexAt } from "../src/boundary/index/code-index.ts";
import { syntaxParser } from "../src/boundary/parse/parser.ts";
import { type Compared, median, valued } from "./measure.ts";

const SOURCES = "/usr/share/go-1.19/src";
const SHORT_MS_MAX = 10;
const LONG_MS_MAX = 60;
const ROUNDS = 3;
const HITS = 10;
const ISSUE_WORDS = 500;

const short = [
  "parse http header",
  "where is the garbage collector started",
  "bufio scanner buffer full",
  "tls handshake certificate verification",
  "json decoder unknown fields",
  "goroutine stack growth",
  "regexp backtracking",
  "copy file range",
  "dial timeout context",
  "escape analysis",
  "template execution error",
  "SplitHostPort",
  "sync pool victim",
  "zip reader directory",
  "select statement lowering",
];

/** Sentences as issues have them; an issue is some of them, in another order each time. */
const sentences = [
  "When the server closes an idle connection the client sees an unexpected EOF instead of a retry.",
  "The `Scanner` stops with a token that is too long although the buffer was set larger with `Buffer`.",
  "Calling json.Unmarshal on a struct with embedded pointers allocates a new value for each field.",
  "I expected the timer to be stopped, but the goroutine is still blocked in select after Stop returns.",
  "The runtime throws `fatal error: concurrent map writes` while the garbage collector is marking.",
  "net/http: Transport.RoundTrip holds the lock while dialing, so that other requests wait for it.",
  "os.RemoveAll fails on a folder that is read-only even if the user owns the parent directory.",
  "The compiler inlines the function although it contains a defer statement, and line numbers are wrong.",
  "Parsing a certificate with an empty subject alternative name returns an error since this version.",
  "fmt.Sprintf with a width prints the wrong number of spaces for characters outside of the BMP.",
  "A template that calls a method on a nil pointer panics instead of returning an execution error.",
  "The linker drops symbols that are only referenced from assembly when the plugin mode is used.",
];

export async function search(): Promise<Compared[]> {
  if (!existsSync(SOURCES))
    throw new Error(`${SOURCES} is absent: apt-get install golang-1.19-src`);
  const base = mkdtempSync(join(tmpdir(), "aiex-bench-search-"));
  try {
    const entry = new URL("../src/start-index.ts", import.meta.url);
    const options = { parsing: syntaxParser, entry };
    const index = valued(codeIndexAt(SOURCES, join(base, "index.db"), options));
    const never = new AbortController().signal;
    valued(await index.refresh(never));
    const issues = sentences.map((_, i) => issueFrom(i));
    const timed = async (questions: readonly string[], ask: (text: string) => Promise<unknown>) => {
      await ask(questions[0] ?? "");
      const times: number[] = [];
      for (const question of Array.from({ length: ROUNDS }, () => questions).flat()) {
        const began = performance.now();
        await ask(question);
        times.push(performance.now() - began);
      }
      return median(times);
    };
    const places = await timed(short, async (text) => valued(await index.search(text, HITS)));
    const files = await timed(issues, async (text) => valued(await index.files(text, HITS)));
    index.close();
    return [
      row("a short question, median", places, SHORT_MS_MAX),
      row(`an issue of ${ISSUE_WORDS} words, median`, files, LONG_MS_MAX),
    ];
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

function issueFrom(at: number): string {
  const words: string[] = [];
  for (let i = at; words.length < ISSUE_WORDS; i += 1) {
    words.push(...(sentences[(i * 5) % sentences.length] ?? "").split(" "), "\n");
  }
  return words.join(" ");
}

const row = (what: string, ours: number, floor: number): Compared => ({
  ...{ what, ours, floor, unit: "ms", limit: 1 },
  ratio: ours / floor,
});
