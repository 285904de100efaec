// Languages without a grammar that could be had: cut by the lines that begin a definition.
import type { Comments, Language } from "#core/context/languages.ts";

const slashes: Comments = { line: ["//"], block: ["/*", "*/"] };
const hash: Comments = { line: ["#"] };
const markup: Comments = { block: ["<!--", "-->"] };

export const lineLanguages: readonly Language[] = [
  lines("erlang", ["erl", "hrl"], { line: ["%"] }, /^([a-z]\w*)\(/),
  lines(
    "kotlin",
    ["kt", "kts"],
    slashes,
    /^[\w\s<>,@]*\b(?:class|interface|object|fun)\s+([\w.]+)/,
  ),
  lines("swift", ["swift"], slashes, /^[\w\s@]*\b(?:class|struct|enum|protocol|func)\s+(\w+)/),
  lines("scala", ["scala", "sc"], slashes, /^\s{0,2}[\w\s]*\b(?:class|trait|object|def)\s+(\w+)/),
  lines("dart", ["dart"], slashes, /^(?:abstract )?(?:class|mixin|enum|extension) (\w+)/),
  lines("zig", ["zig"], slashes, /^\s{0,4}(?:pub |export |inline )*(?:fn|const|test) "?(\w+)/),
  lines("objective-c", ["m", "mm"], slashes, /^(?:@interface|@implementation|@protocol) (\w+)/),
  lines("lua", ["lua"], { line: ["--"] }, /^(?:local )?function ([\w.:]+)/),
  lines("perl", ["pl", "pm", "t"], hash, /^(?:sub|package) ([\w:]+)/),
  lines("r", ["r", "R"], hash, /^([\w.]+) *(?:<-|=) *function/),
  lines("julia", ["jl"], hash, /^(?:function|struct|macro|module|abstract type) ([\w.!]+)/),
  lines("haskell", ["hs"], { line: ["--"] }, /^([a-z]\w*'*) ::/),
  lines(
    "ocaml",
    ["ml", "mli"],
    { block: ["(*", "*)"] },
    /^(?:let|and|type|module|val)\s+(?:rec )?(\w+)/,
  ),
  lines("clojure", ["clj", "cljs", "cljc"], { line: [";"] }, /^\(def\S*\s+([^\s()]+)/),
  lines("lisp", ["el", "lisp", "scm"], { line: [";"] }, /^\(def\S*\s+([^\s()]+)/),
  lines(
    "sql",
    ["sql"],
    { line: ["--"], block: ["/*", "*/"] },
    /^create\s+\w+\s+(?:if not exists\s+)?([\w."]+)/i,
  ),
  lines("protobuf", ["proto"], slashes, /^(?:message|service|enum) (\w+)/),
  lines("graphql", ["graphql", "gql"], hash, /^(?:type|input|enum|interface|union|scalar) (\w+)/),
  lines("vue", ["vue", "svelte", "astro"], markup, /^<(script|template|style)/),
  lines("scss", ["scss", "sass", "less"], slashes, /^(?:@mixin |@function )?([.#@%\w-]+)/),
  lines("hcl", ["tf", "hcl"], hash, /^(?:resource|module|variable|data|output) "([^"]+)"/),
  lines("make", ["mk"], hash, /^([\w.-]+):/, ["Makefile", "GNUmakefile"]),
  lines("docker", ["dockerfile"], hash, /^FROM (\S+)/, ["Dockerfile"]),
  lines("cmake", ["cmake"], hash, /^(?:function|macro) *\((\w+)/i, ["CMakeLists.txt"]),
  lines("erb", ["erb", "ejs", "hbs", "j2", "jinja"], markup, /^<(\w+)/),
  lines("assembly", ["s", "S", "asm"], { line: ["//", ";"] }, /^(?:TEXT\s+)?([\w·.]+)[:(]/),
  lines("restructured text", ["rst"], {}, /^([A-Za-z].{0,80})\n[=\-~^"*+#]{3,}/),
  lines("text", ["txt", "adoc", "cfg", "ini", "conf", "properties", "xml", "svg"], {}, /^\[(.+)\]/),
];

function lines(
  name: string,
  endings: readonly string[],
  comments: Comments,
  heads: RegExp,
  files: readonly string[] = [],
): Language {
  return { name, endings, comments, heads, files };
}
