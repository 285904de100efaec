// Programs that only read, each with the flags that are known to keep it so. A flag must be spelled
// exactly as here: abbreviations, glued values of unknown flags and whatever is new make the answer
// no.

type Program = {
  /** Letters that may stand in a cluster, as in `-la`. */
  letters?: string;
  /** Whole flags, with one dash or two. */
  flags?: string;
  /** Flags that take a value: the next word, or what follows `=`, or is glued to one letter. */
  valued?: string;
  /** `-5` for `-n 5`. */
  number?: true;
  /** How many words besides flags; any number where this is absent. */
  operandsMax?: number;
};

const LISTING =
  "--oneline --graph --all --branches --tags --remotes --decorate --no-decorate --follow";
const LIMITS =
  "--reverse --merges --no-merges --first-parent --topo-order --date-order --cherry-pick";
const SHAPES = `--stat --shortstat --numstat --summary --name-only --name-status --patch --no-patch
  --raw --color --no-color --color=always --color=never --color=auto --word-diff
  --minimal --patience --histogram --ignore-all-space --ignore-space-change
  --ignore-blank-lines --find-renames --find-copies --no-renames --cached --staged
  --merge-base --full-index --abbrev-commit --no-ext-diff --no-textconv --check
  --quiet --exit-code --no-index --submodule --abbrev --relative`;
const diff: Program = {
  letters: "puwbMCsz",
  flags: SHAPES,
  valued: "-U --unified --diff-filter -S -G --format --pretty --date --stat --word-diff-regex",
};
const log: Program = {
  letters: "puwbMCsz",
  flags: `${SHAPES} ${LISTING} ${LIMITS}`,
  valued: `-n --max-count --skip --since --after --until --before --author --committer --grep
    --format --pretty --date --diff-filter -U --unified -S -G -L`,
  number: true,
};
const none: Program = { operandsMax: 0 };

/** Sub-commands of git. A flag before the sub-command is not judged, but for `--no-pager`. */
const git: Readonly<Record<string, Program>> = {
  status: {
    letters: "sbuz",
    flags: `--short --branch --porcelain --porcelain=v1 --porcelain=v2 --long --ignored
        --untracked-files=no --untracked-files=all --untracked-files=normal
        --show-stash`,
  },
  diff,
  log,
  show: log,
  whatchanged: log,
  "diff-tree": { ...diff, letters: "puwbMCszrt", flags: `${SHAPES} --root --no-commit-id` },
  "diff-index": diff,
  blame: {
    letters: "wMCselnf",
    flags: "--porcelain --line-porcelain --show-email",
    valued: "-L --since",
  },
  shortlog: { letters: "sne", flags: "--summary --numbered --email --all" },
  "rev-parse": {
    flags: `--show-toplevel --git-dir --abbrev-ref --short --verify --is-inside-work-tree
        --show-prefix --show-cdup --all --symbolic-full-name --is-bare-repository
        --git-common-dir`,
  },
  "rev-list": {
    flags: `${LISTING} ${LIMITS} --count --objects`,
    valued: "-n --max-count --since --until",
    number: true,
  },
  "ls-files": {
    letters: "comdsuzt",
    flags: `--cached --others --modified --deleted --stage --exclude-standard --unmerged
        --full-name --error-unmatch`,
    valued: "-x --exclude",
  },
  "ls-tree": {
    letters: "rtdlz",
    flags: "--name-only --name-status --full-tree --full-name --long",
  },
  "cat-file": { letters: "tsep" },
  describe: {
    flags: "--tags --all --always --long --dirty --contains",
    valued: "--match --abbrev",
  },
  "merge-base": { flags: "--is-ancestor --all --octopus --fork-point" },
  "name-rev": { flags: "--name-only --tags --all" },
  "for-each-ref": { valued: "--format --sort --count --points-at --merged --contains" },
  "show-ref": { flags: "--heads --tags --head --verify --hash --quiet", letters: "sdq" },
  "count-objects": { letters: "vH" },
  "check-ignore": { letters: "vnq", flags: "--no-index" },
  "check-attr": { letters: "a" },
  branch: {
    letters: "avrl",
    flags: "--all --remotes --list --show-current --verbose --color --no-color -vv",
    valued: "--sort --format --contains --merged --no-merged --points-at",
    operandsMax: 0,
  },
  tag: {
    letters: "l",
    flags: "--list",
    valued: "--sort --format --points-at --contains --merged",
    operandsMax: 0,
  },
  remote: { letters: "v", flags: "--verbose", operandsMax: 0 },
  "stash list": log,
  "stash show": diff,
  "worktree list": { letters: "vz", flags: "--porcelain --verbose", operandsMax: 0 },
  "config --get": { operandsMax: 1 },
  "config --list": { flags: "--show-origin --show-scope --local --global", operandsMax: 0 },
  "config -l": { flags: "--show-origin --show-scope --local --global", operandsMax: 0 },
  reflog: { ...log, operandsMax: 0 },
  "reflog show": log,
  version: none,
};

const grep: Program = {
  letters: "ivnlLcwxHhoqsrREFPzaIUbZT",
  flags: `--color --color=always --color=never --color=auto --recursive --ignore-case
    --line-number --files-with-matches --files-without-match --count --word-regexp
    --invert-match --only-matching --no-filename --with-filename --fixed-strings
    --extended-regexp --perl-regexp --quiet --text --no-messages --null`,
  valued: `-e -A -B -C -m --regexp --include --exclude --exclude-dir --max-count --context
      --after-context --before-context`,
  number: true,
};
const sums: Program = { letters: "bct", flags: "--check --binary --text --quiet --status --tag" };

const programs: Readonly<Record<string, Program>> = {
  ls: {
    letters: "1aAlhrtSRFdpGgosincmxXkLHUTZ",
    flags: `--all --almost-all --human-readable --color --color=always --color=never
        --color=auto --recursive --reverse --directory --classify --full-time
        --group-directories-first --si --inode`,
    valued: "--sort --time --time-style --ignore -I -w",
  },
  cat: { letters: "nbsAETveu", flags: "--number --show-all --squeeze-blank" },
  tac: {},
  nl: { valued: "-b -s -w -v -n" },
  head: { letters: "qv", valued: "-n -c --lines --bytes", number: true },
  tail: { letters: "qv", valued: "-n -c --lines --bytes", number: true },
  wc: { letters: "lwcmL", flags: "--lines --words --bytes --chars" },
  pwd: { letters: "LP", operandsMax: 0 },
  cd: { operandsMax: 1 },
  true: {},
  false: {},
  echo: { letters: "neE" },
  which: { letters: "as" },
  file: { letters: "bikLsh", flags: "--brief --mime --mime-type --dereference" },
  stat: { letters: "Ltf", flags: "--dereference --terse", valued: "-c --format --printf" },
  du: {
    letters: "shacmkbxLHS",
    flags: "--human-readable --summarize --all --total --apparent-size",
    valued: "-d --max-depth --exclude",
  },
  df: { letters: "hTkimal", flags: "--human-readable", valued: "-t -x" },
  tree: {
    letters: "adfpughsDFrtiCnlx",
    flags: "--dirsfirst --noreport --gitignore --prune",
    valued: "-L -I -P",
  },
  grep,
  egrep: grep,
  fgrep: grep,
  rg: {
    letters: "invlcwxFSsouUPLHN0aqp",
    flags: `--files --hidden --no-ignore --no-ignore-vcs --json --count --count-matches
      --line-number --no-heading --heading --ignore-case --smart-case --case-sensitive
      --fixed-strings --word-regexp --files-with-matches --files-without-match
      --multiline --only-matching --no-config --trim --vimgrep --column --type-list
      --no-messages --stats --quiet --sort-files --null --pcre2 --invert-match
      --no-line-number --no-filename`,
    valued: `-e -g -t -T -A -B -C -m -d -r -M --regexp --glob --iglob --type --type-not
        --max-count --max-depth --context --after-context --before-context --color
        --sort --sortr --max-columns --replace --max-filesize --threads -j`,
    number: true,
  },
  find: {
    flags: `-empty -not -a -and -o -or -print -print0 -prune -follow -depth -mount -xdev
        -daystart -L -P -H -readable -writable -executable -true -false -quit -ls`,
    valued: `-name -iname -path -ipath -wholename -type -maxdepth -mindepth -size -mtime
        -mmin -ctime -cmin -atime -amin -newer -regex -iregex -regextype -perm -user
        -group -links -printf -lname -inum -samefile`,
  },
  sort: {
    letters: "rnufhVbdgMRsczi",
    flags: "--reverse --numeric-sort --unique --human-numeric-sort --version-sort --stable --check",
    valued: "-k -t --key --field-separator",
  },
  // A second operand would be written to.
  uniq: {
    letters: "cduiDz",
    flags: "--count --repeated --unique --ignore-case",
    valued: "-f -s -w",
    operandsMax: 1,
  },
  cut: {
    letters: "sz",
    flags: "--complement --only-delimited",
    valued: "-d -f -c -b --delimiter --fields --characters --output-delimiter",
  },
  tr: { letters: "dsctC" },
  column: { letters: "tx", valued: "-s -c -o" },
  comm: { letters: "123z" },
  join: { letters: "i", valued: "-t -1 -2 -a -o -j" },
  paste: { letters: "sz", valued: "-d" },
  fold: { letters: "sb", valued: "-w" },
  diff: {
    letters: "urNqwbBaitcydsTE",
    flags: `--unified --recursive --brief --color --color=always --color=never
        --ignore-all-space --ignore-space-change --side-by-side --new-file
        --suppress-common-lines --strip-trailing-cr`,
    valued: "-U -C -x --exclude --width -W --label",
  },
  cmp: { letters: "bls", valued: "-n -i" },
  md5sum: sums,
  sha1sum: sums,
  sha256sum: sums,
  sha512sum: sums,
  cksum: {},
  base64: { letters: "di", flags: "--decode", valued: "-w" },
  xxd: { letters: "puibe", valued: "-l -s -c -g", operandsMax: 1 },
  od: { letters: "cxbvd", valued: "-A -t -N -j -w" },
  strings: { letters: "a", valued: "-n -t" },
  basename: { letters: "az", valued: "-s" },
  dirname: { letters: "z" },
  realpath: { letters: "emsLPqz", valued: "--relative-to --relative-base" },
  readlink: { letters: "femnqz" },
  date: {
    letters: "uR",
    flags: "--utc -I -Iseconds -Iminutes -Ihours",
    valued: "-d --date -r",
    operandsMax: 1,
  },
  seq: { letters: "w", valued: "-s -f" },
  whoami: none,
  id: { letters: "ugnGr" },
  groups: none,
  uname: { letters: "asnrvmpio", operandsMax: 0 },
  nproc: { flags: "--all", operandsMax: 0 },
  uptime: { letters: "ps", operandsMax: 0 },
  free: { letters: "bkmght", operandsMax: 0 },
  ps: { letters: "aefuxlw", valued: "-o -p -C -U", operandsMax: 1 },
  printenv: { letters: "0" },
  jq: {
    letters: "rcensSMCaRj",
    flags: `--raw-output --compact-output --exit-status --slurp --sort-keys --null-input
        --raw-input --tab`,
    valued: "--indent",
  },
};

/** Programs that are only asked who they are. */
const NAMED = new Set(
  `node npm python python3 ruby cargo rustc java gcc g++ clang make cmake elixir php perl
   bash`.split(/\s+/),
);

/**
 * Whether a command, as exact words, only reads, whatever the files it reads say. True is claimed
 * for a program by its bare name only, and for the flags in the table.
 */
export function onlyReads(argv: readonly string[]): boolean {
  const [name = "", ...rest] = argv;
  if (name === "git") return gitOnlyReads(rest[0] === "--no-pager" ? rest.slice(1) : rest);
  if (NAMED.has(name)) return rest.length === 1 && rest[0] === "--version";
  if (name === "go") return rest.length === 1 && (rest[0] === "version" || rest[0] === "env");
  if (name === "date" && rest.some((word) => !/^[-+]/.test(word) && !isValueIn(rest, word))) {
    // A bare word sets the clock.
    return false;
  }
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  return program !== undefined && fits(program, rest);
}

function isValueIn(words: readonly string[], word: string): boolean {
  const before = words[words.indexOf(word) - 1];
  return before === "-d" || before === "--date" || before === "-r";
}

function gitOnlyReads(words: readonly string[]): boolean {
  const [first = "", second = "", ...rest] = words;
  const both = `${first} ${second}`;
  if (Object.hasOwn(git, both)) return fits(git[both] ?? none, rest);
  return Object.hasOwn(git, first) && fits(git[first] ?? none, words.slice(1));
}

function fits(program: Program, words: readonly string[]): boolean {
  const flags = new Set(program.flags?.split(/\s+/));
  const valued = new Set(program.valued?.split(/\s+/));
  let operands = 0;
  let isLiteral = false;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (isLiteral || !word.startsWith("-") || word === "-") {
      operands += 1;
    } else if (word === "--") {
      isLiteral = true;
    } else if (valued.has(word)) {
      at += 1;
      // A flag without its value would take what we think is the next flag.
      if (at >= words.length) return false;
    } else if (!isKnownFlag(program, word, { flags, valued })) {
      return false;
    }
  }
  return operands <= (program.operandsMax ?? Number.POSITIVE_INFINITY);
}

function isKnownFlag(
  program: Program,
  word: string,
  { flags, valued }: { flags: ReadonlySet<string>; valued: ReadonlySet<string> },
): boolean {
  if (flags.has(word)) return true;
  if (program.number && /^-\d{1,9}$/.test(word)) return true;
  if (word.startsWith("--")) {
    const equals = word.indexOf("=");
    return equals > 0 && valued.has(word.slice(0, equals));
  }
  // `-n5`: a letter that takes a value has it glued on. `find` has no such thing.
  if (valued.has(word.slice(0, 2))) return true;
  const letters = program.letters ?? "";
  return letters !== "" && [...word.slice(1)].every((letter) => letters.includes(letter));
}
