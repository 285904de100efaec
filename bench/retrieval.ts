// How well the index finds, without a model and without network. Two questions: which function does
// what a short query says (CoSQA's development set, one folder of 6,267 functions), and which files
// a text is about (`--folder F --queries Q`: any folder, JSON lines of {query, files}; a row may name
// the commit it is asked at). Weights were fixed on other repositories than those scored here.
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { codeIndexAt } from "../src/boundary/index/code-index.ts";
import type { CodeIndex } from "../src/boundary/index/port.ts";
import { syntaxParser } from "../src/boundary/parse/parser.ts";
import { type Compared, valued } from "./measure.ts";

/** What is to be reached, as `docs/retrieval.md` explains it. */
const COSQA_MRR_MIN = 0.41;
const HITS_MIN = { at1: 0.5, at5: 0.78, at10: 0.86 };
/** Places of a ranking that are looked at. */
const DEPTH = 200;
/** Folders that a set of functions is spread over, so that no folder is huge. */
const FOLDERS = 64;

const never = new AbortController().signal;
const entry = new URL("../src/start-index.ts", import.meta.url);

type Row = { query: string; files: string[]; repo?: string; base_commit?: string };
type Metrics = { at1: number; at5: number; at10: number; mrr: number; n: number };

export async function retrieval(): Promise<Compared[]> {
  const given = options();
  if (given.folder) return await anyFolder(given.folder, given.queries ?? "");
  const fixtures = resolve(process.env.AIEX_FIXTURES ?? "../shared/fixtures", "retrieval");
  if (!existsSync(fixtures)) throw new Error("AIEX_FIXTURES names no folder with retrieval/");
  const rows = shown("CoSQA dev", await cosqa(join(fixtures, "cosqa")), { mrr: COSQA_MRR_MIN });
  const histories = given.histories;
  if (!histories) {
    console.log("no --histories FOLDER with owner+name git folders: commits are not localised");
    return rows;
  }
  const commits = readRows(join(fixtures, "commit-localisation.jsonl"));
  return [...rows, ...shown("commits", await localised(commits, histories), HITS_MIN)];
}

function options(): { folder?: string; queries?: string; histories?: string } {
  const value = (name: string) => {
    const at = process.argv.indexOf(`--${name}`);
    return at < 0 ? undefined : process.argv[at + 1];
  };
  const [folder, queries, histories] = ["folder", "queries", "histories"].map(value);
  return {
    ...(folder ? { folder } : {}),
    ...(queries ? { queries } : {}),
    ...(histories ? { histories } : {}),
  };
}

const readRows = (file: string): Row[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as Row);

async function anyFolder(folder: string, queries: string): Promise<Compared[]> {
  const base = mkdtempSync(join(tmpdir(), "aiex-bench-retrieval-"));
  try {
    const index = indexOf(resolve(folder), join(base, "index.db"));
    valued(await index.refresh(never));
    const metrics = await scoredOver(readRows(queries), async ({ query }) => ranking(index, query));
    index.close();
    return shown(folder, metrics, {});
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/** Each function is a file; a query's place is that of the file with its function. */
async function cosqa(folder: string): Promise<Metrics> {
  const base = mkdtempSync(join(tmpdir(), "aiex-bench-cosqa-"));
  try {
    const codes: Record<string, number> = JSON.parse(
      readFileSync(join(folder, "code_idx_map.txt"), "utf8"),
    );
    const queries: { doc: string; retrieval_idx: number }[] = JSON.parse(
      readFileSync(join(folder, "cosqa-retrieval-dev-500.json"), "utf8"),
    );
    const root = join(base, "files");
    for (let i = 0; i < FOLDERS; i += 1) mkdirSync(join(root, `f${i}`), { recursive: true });
    const pathOf = (id: number) => `f${id % FOLDERS}/f${id}.py`;
    for (const [code, id] of Object.entries(codes)) writeFileSync(join(root, pathOf(id)), code);
    const index = indexOf(root, join(base, "index.db"));
    valued(await index.refresh(never));
    const rows = queries.map(({ doc, retrieval_idx }) => ({
      query: doc,
      files: [pathOf(retrieval_idx)],
    }));
    const metrics = await scoredOver(rows, async ({ query }) => {
      const hits = valued(await index.search(query, DEPTH));
      return [...new Set(hits.map(({ path }) => path))];
    });
    index.close();
    return metrics;
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/** Each row at its own commit: one clone for each repository, one index for all its commits. */
async function localised(rows: readonly Row[], histories: string): Promise<Metrics> {
  const all: Metrics[] = [];
  for (const [repo, own] of Map.groupBy(rows, ({ repo: name = "" }) => name)) {
    const source = historyOf(histories, repo);
    if (!source) {
      console.log(`${repo}: no history in ${histories}`);
      continue;
    }
    const base = mkdtempSync(join(tmpdir(), "aiex-bench-commits-"));
    try {
      const root = join(base, "files");
      execFileSync("git", ["clone", "-q", "--shared", "--no-checkout", source, root]);
      const index = indexOf(root, join(base, "index.db"));
      const metrics = await scoredOver(own, async ({ query, base_commit: at = "HEAD" }) => {
        checkOut(root, at);
        valued(await index.refresh(never));
        return await ranking(index, query);
      });
      index.close();
      console.log(`${repo}: ${textOf(metrics)}`);
      all.push(metrics);
    } finally {
      rmSync(base, { recursive: true, force: true });
    }
  }
  const n = all.reduce((sum, metrics) => sum + metrics.n, 0);
  const mean = (key: "at1" | "at5" | "at10" | "mrr") =>
    all.reduce((sum, metrics) => sum + metrics[key] * metrics.n, 0) / Math.max(1, n);
  return { at1: mean("at1"), at5: mean("at5"), at10: mean("at10"), mrr: mean("mrr"), n };
}

/** A copy may lack its largest files: what there is, is checked out all the same. */
function checkOut(root: string, at: string): void {
  const git = (...args: string[]) => spawnSync("git", args, { cwd: root, stdio: "ignore" }).status;
  if (git("checkout", "-q", "-f", at) === 0) return;
  git("update-ref", "--no-deref", "HEAD", at);
  git("read-tree", at);
  git("checkout-index", "-a", "-f", "-q");
  git("clean", "-f", "-d", "-q");
}

/** A git folder named after its repository: `owner+name`, bare or in `repo` below it. */
function historyOf(folder: string, repo: string): string | null {
  const name = repo.replace("/", "+");
  const found = readdirSync(folder).find((one) => one === name);
  if (!found) return null;
  const inner = join(folder, found, "repo");
  return existsSync(inner) ? inner : join(folder, found);
}

async function ranking(index: CodeIndex, query: string): Promise<string[]> {
  return valued(await index.files(query, DEPTH)).map(({ path }) => path);
}

async function scoredOver(
  rows: readonly Row[],
  rank: (row: Row) => Promise<readonly string[]>,
): Promise<Metrics> {
  const sums = { at1: 0, at5: 0, at10: 0, mrr: 0 };
  for (const row of rows) {
    const found = await rank(row);
    const wanted = new Set(row.files);
    const place = found.findIndex((path) => wanted.has(path)) + 1;
    if (place === 0) continue;
    if (place <= 1) sums.at1 += 1;
    if (place <= 5) sums.at5 += 1;
    if (place <= 10) sums.at10 += 1;
    sums.mrr += 1 / place;
  }
  const n = rows.length;
  return { at1: sums.at1 / n, at5: sums.at5 / n, at10: sums.at10 / n, mrr: sums.mrr / n, n };
}

const textOf = ({ at1, at5, at10, mrr, n }: Metrics): string =>
  `hit@1 ${at1.toFixed(3)} @5 ${at5.toFixed(3)} @10 ${at10.toFixed(3)} MRR ${mrr.toFixed(3)} (${n})`;

/** A metric that has to be reached is shown as the share of it that is missing: below 1 it holds. */
function shown(
  what: string,
  metrics: Metrics,
  least: Partial<Record<"at1" | "at5" | "at10" | "mrr", number>>,
): Compared[] {
  console.log(`${what}: ${textOf(metrics)}`);
  const names = { at1: "hit@1", at5: "hit@5", at10: "hit@10", mrr: "MRR" } as const;
  return (["at1", "at5", "at10", "mrr"] as const).map((key) => {
    const floor = least[key] ?? 0;
    const ratio = floor === 0 ? 0 : floor / Math.max(metrics[key], 1e-9);
    return { what: `${what}: ${names[key]}`, ours: metrics[key], floor, unit: "", ratio, limit: 1 };
  });
}

function indexOf(root: string, file: string): CodeIndex {
  return valued(codeIndexAt(root, file, { parsing: syntaxParser, entry }));
}
