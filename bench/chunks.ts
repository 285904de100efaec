// Chunks of real code, joined again: every file of three large code bases has to be the same, byte
// for byte. `--folder F` takes another one. What is counted is files that are not the same.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { rgPath } from "@vscode/ripgrep";
import { cutText } from "../src/boundary/cut.ts";
import { FILE_BYTES_MAX, textOf } from "../src/boundary/index/adding.ts";
import { syntaxParser } from "../src/boundary/parse/parser.ts";
import { languageOf, plainText } from "../src/core/context/languages.ts";
import type { Compared } from "./measure.ts";

const CODE_BASES: readonly { folder: string; from: string }[] = [
  { folder: "/usr/share/go-1.19/src", from: "apt-get install golang-1.19-src" },
  { folder: "/usr/lib/python3.11", from: "apt-get install libpython3.11-stdlib" },
  { folder: join(import.meta.dirname, "../node_modules/zod"), from: "npm ci" },
];

export async function chunks(): Promise<Compared[]> {
  const at = process.argv.indexOf("--folder");
  const bases = at < 0 ? CODE_BASES : [{ folder: process.argv[at + 1] ?? "", from: "" }];
  const rows: Compared[] = [];
  for (const { folder, from } of bases) {
    if (!existsSync(folder)) throw new Error(`${folder} is absent: ${from}`);
    const { files, megabytes, cut, others } = await joinedAgain(folder);
    const of = `${files} files, ${megabytes.toFixed(1)} MB, ${cut} chunks`;
    for (const path of others) console.log(`not the same: ${path}`);
    const what = `${folder} (${of}): files that are not the same`;
    rows.push({
      what,
      ours: others.length,
      floor: 0,
      unit: "files",
      ratio: others.length,
      limit: 0,
    });
  }
  return rows;
}

async function joinedAgain(folder: string) {
  const parser = await syntaxParser();
  const args = ["--files", "--no-ignore", "--hidden", "--null", folder];
  const listed = execFileSync(rgPath, args, { maxBuffer: 1 << 28, encoding: "utf8" });
  const result = { files: 0, megabytes: 0, cut: 0, others: [] as string[] };
  for (const path of listed.split("\0").filter(Boolean)) {
    const bytes = readFileSync(path);
    if (bytes.length > FILE_BYTES_MAX || bytes.subarray(0, 8_000).includes(0)) continue;
    const text = textOf(bytes);
    const parts = await cutText(parser, languageOf(path) ?? plainText, text);
    const joined = parts.map(({ start, end }) => text.slice(start, end)).join("");
    const encoding = text === bytes.toString("utf8") ? "utf8" : "latin1";
    result.files += 1;
    result.megabytes += bytes.length / 1e6;
    result.cut += parts.length;
    if (!Buffer.from(joined, encoding).equals(bytes)) result.others.push(path);
  }
  return result;
}
