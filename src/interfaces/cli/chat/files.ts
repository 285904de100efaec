// Files that a prompt names by their path and that models take as they are: images and PDFs. They
// go with the prompt; any other path is left to the model to read.
import { statSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";

/** Files of one prompt. */
const FILES_MAX = 10;
const attachable = /\.(png|jpe?g|gif|webp|pdf)$/i;
/** `@path`, `'a path'`, `"a path"`, `a\ path` or a word, as shells and terminals write them. */
const words = /@?(?:'([^'\n]+)'|"([^"\n]+)"|((?:\\.|[^\s\\'"])+))/g;

/** The paths in a prompt of files that exist and can be attached, each once, in order. */
export function filesIn(text: string, folder: string): string[] {
  const found = new Set<string>();
  for (const [, single, double, bare = ""] of text.matchAll(words)) {
    const path = single ?? double ?? bare.replaceAll(/\\(.)/g, "$1").replace(/^@/, "");
    if (!attachable.test(path) || found.size >= FILES_MAX) continue;
    const full = resolve(folder, path.replace(/^~(?=\/)/, homedir()));
    if (isFile(full)) found.add(full);
  }
  return [...found];
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
