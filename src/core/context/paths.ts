// What the path of a file says: its words, whether it is a test or documentation, and which code a
// test is for by their names.
import { stem } from "#core/context/rank.ts";
import { partsOf } from "#core/context/terms.ts";

export type FileRole = "code" | "test" | "docs" | "data" | "page" | "entry";

const TEST_FOLDER =
  /(?:^|\/)(?:tests?|testing|specs?|__tests__|e2e|testdata|fixtures|__mocks__)\//i;
const TEST_FILE =
  /(?:^|\/)(?:test_[^/]*|[^/]*_tests?|[^/]*\.(?:test|spec|e2e)|[^/]*_spec|[^/]*_SUITE|[^/]+Tests?|conftest)\.\w+$/;
const DOCS =
  /(?:^|\/)(?:docs?|documentation|guides?|website|examples?|samples?|demos?|benchmarks?|bench|playground|node_modules|vendor|third_party)\/|\.(?:md|mdx|rst|txt|adoc|livemd|markdown)$/i;
const DATA = /\.(?:json|ya?ml|toml|lock|xml|svg|csv|ini|cfg|conf|properties|snap|po|pot)$/i;
const PAGE = /\.(?:css|scss|sass|less|html?|eex|leex|erb|ejs|hbs|j2|jinja)$/i;
const ENTRY = /(?:^|\/)(?:__init__\.pyi?|index\.[cm]?[jt]sx?|mod\.rs|package-info\.java|doc\.go)$/;

/** What a file is for, by its path. */
export function roleOf(path: string): FileRole {
  if (TEST_FOLDER.test(path) || TEST_FILE.test(path)) return "test";
  if (DOCS.test(path)) return "docs";
  if (DATA.test(path)) return "data";
  if (PAGE.test(path)) return "page";
  return ENTRY.test(path) ? "entry" : "code";
}

/** The words of a path: those of its last part without its ending, and those of its folders. */
export function pathWords(path: string): { name: string[]; folders: string[] } {
  const parts = path.split("/");
  const last = parts.pop() ?? "";
  const name = last.replace(/\.\w{1,8}$/, "");
  return { name: words(name), folders: [...new Set(parts.flatMap(words))] };
}

function words(part: string): string[] {
  const parts = partsOf(part);
  const stems = parts.filter((word) => word.length > 1).map(stem);
  return parts.length > 1 ? [...stems, parts.join("")] : stems;
}

/** The name that a test and the code it is for have in common; of code its own name. */
export function subjectOf(path: string): string {
  const last = path.slice(path.lastIndexOf("/") + 1).replace(/\.\w{1,8}$/, "");
  const parts = partsOf(last).filter((word) => !/^(?:tests?|specs?|suite|e2e)$/.test(word));
  return parts.join("");
}

/** The ending of a file in a language whose files in one folder see each other; else null. */
export const packageEnding = (path: string): string | null =>
  /\.(?:go|java|kt|scala|cs|swift)$/.exec(path)?.[0] ?? null;
