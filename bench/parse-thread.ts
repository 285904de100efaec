// A thread that reads and parses files, and nothing else: the floor of `bench -- index`.
import { readFileSync } from "node:fs";
import { workerData } from "node:worker_threads";
import { syntaxParser } from "../src/boundary/parse/parser.ts";
import { languageOf } from "../src/core/context/languages.ts";

const { paths } = workerData as { paths: string[] };
const parser = await syntaxParser();
for (const path of paths) {
  const grammar = languageOf(path)?.grammar;
  if (!grammar || !(await parser.load(grammar))) continue;
  parser.outline(grammar, readFileSync(path, "utf8"), () => 0);
}
