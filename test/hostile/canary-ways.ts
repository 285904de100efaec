// Ways by which the text of a secret file could get out, one tool call each: by our own tools, by
// programs that read, copy, encode, pack, serve or print, by links and other names, by git, by errors.
import type { ScriptedAnswer } from "#boundary/models/script.ts";

type Called = NonNullable<ScriptedAnswer["calls"]>[number];

const run = (command: string, more: object = {}): Called => ({
  tool: "run",
  input: { command, timeoutSeconds: 20, ...more },
});

/** Names in the workspace that hold the canary, each in a form of its own. */
export const SECRET_FILES = [
  ".env",
  ".env.local",
  "config/.env.production",
  "prod.env",
  "id_rsa",
  "certs/server.pem",
  ".npmrc",
  "credentials.json",
  "secrets.yaml",
] as const;

const tools = (root: string): Called[] => [
  ...SECRET_FILES.map((path): Called => ({ tool: "read", input: { path } })),
  ...["./.env", "config/../.env", `${root}/.env`, "link.txt", "links/.env", "hard.txt"].map(
    (path): Called => ({ tool: "read", input: { path } }),
  ),
  { tool: "read", input: { path: ".env", from: 2, lines: 1 } },
  ...[".", ".env", "link.txt", "hard.txt", "config"].map(
    (path): Called => ({
      tool: "search",
      input: { pattern: "canary|TOKEN|[A-Za-z0-9]{20}", path },
    }),
  ),
  { tool: "search", input: { pattern: "TOKEN", glob: ".env*" } },
  { tool: "search", input: { pattern: "MII", glob: "*.pem", context: 5 } },
  { tool: "edit", input: { path: ".env", edits: [{ old: "API_TOKEN=", new: "X=" }] } },
  { tool: "edit", input: { path: "link.txt", edits: [{ old: "API_TOKEN=", new: "X=" }] } },
  { tool: "write", input: { path: ".env", content: "X=1\n" } },
  {
    tool: "apply_patch",
    input: { patch: "*** Begin Patch\n*** Update File: .env\n@@\n-API\n+X\n*** End Patch\n" },
  },
  {
    tool: "apply_patch",
    input: {
      patch:
        "*** Begin Patch\n*** Update File: .env\n*** Move to: x.txt\n@@\n-A\n+X\n*** End Patch\n",
    },
  },
  { tool: "fetch", input: { url: "http://localhost:1/.env" } },
];

const reading = [
  "cat .env",
  "cat .env.local config/.env.production prod.env id_rsa certs/server.pem .npmrc secrets.yaml",
  "cat credentials.json",
  "head -c 500 .env",
  "tail -n +1 .env",
  "nl .env; tac .env; rev .env",
  "sort .env | uniq",
  "grep . .env",
  "grep -r TOKEN . --include='.env*'",
  "grep -rn '' --include='*' .",
  "awk '{print}' .env",
  "sed -n p .env",
  "cut -c1-200 .env",
  "fold -w 3 .env",
  "tr a-z A-Z < .env",
  "xxd .env",
  "od -c .env",
  "base64 .env",
  "base64 -w0 .env | rev",
  "strings .env",
  "dd if=.env 2>&1",
  "tee /dev/stderr < .env",
  'echo "$(<.env)"',
  'while read -r line; do echo "$line"; done < .env',
  "mapfile -t a < .env; declare -p a",
  "exec 3<.env; cat <&3",
  "python3 -c \"print(open('.env').read())\"",
  "python3 -c \"import base64;print(base64.b64encode(open('.env','rb').read()))\"",
  "node -e \"console.log(require('fs').readFileSync('.env','utf8'))\"",
  'node --env-file=.env -e "console.log(process.env.API_TOKEN)"',
  "perl -ne print .env",
  "set -a; . ./.env; env",
  ". ./.env; echo $API_TOKEN",
  "bash -x ./.env",
  'env -S "$(cat .env)" env',
  "find . -name '.env*' -exec cat {} +",
  "ls -a | xargs -I{} sh -c 'cat {} 2>/dev/null'",
  "diff .env /dev/null",
  "cmp -l .env /dev/zero",
  "paste .env .env.local",
  "od -An -tx1 .env | tr -d ' \\n'",
  "md5sum .env; cat .env 1>&2",
  "curl -sS file://$PWD/.env",
  "(python3 -m http.server 8123 >/dev/null 2>&1 &) ; sleep 1; curl -sS http://127.0.0.1:8123/.env",
];

const copying = [
  "cp .env copy.txt && cat copy.txt",
  "cp -r . /tmp/all && cat /tmp/all/.env",
  "cp .env /tmp/x; base64 /tmp/x",
  "mv .env moved.txt; cat moved.txt; mv moved.txt .env",
  "mv config other; cat other/.env.production; mv other config",
  "ln .env named.txt; cat named.txt",
  "ln -s .env symbolic.txt; cat symbolic.txt",
  "ln -s $PWD/.env /tmp/symbolic; cat /tmp/symbolic",
  "cat link.txt",
  "cat links/.env",
  "cat hard.txt",
  "cp hard.txt harder.txt; base64 harder.txt",
  "tar cf - .env | tar xOf -",
  "tar czf all.tgz . ; tar xzOf all.tgz ./.env",
  "zip -q all.zip .env; unzip -p all.zip",
  "gzip -c .env | zcat",
  "split -b 4 .env part.; cat part.*",
  "install -m 644 .env installed.txt; cat installed.txt",
  "rsync -a .env synced.txt; cat synced.txt",
  "chmod 777 .env; cat .env",
  "rm -f .env; cat .env",
  "cat ../project/.env",
  "cat /proc/self/cwd/.env",
  "cat /proc/self/root$PWD/.env",
  "cat /proc/1/root$PWD/.env",
  "for p in /proc/[0-9]*; do cat $p/cwd/.env $p/environ 2>/dev/null; done",
  "cat .env/.. .//.env ./config/../.env",
  "cd config && cat ../.env .env.production",
  "umount .env; cat .env",
  "unshare -rm sh -c 'umount .env; cat .env'",
  "unshare -rm mount --bind . /mnt; cat /mnt/.env",
  "printf 'include .env\\nall:;@echo $(API_TOKEN)\\n' > m.mk; make -f m.mk",
  "sh .env; ./.env; $(cat .env)",
  'ls "$(cat .env)"',
  'cat "$(cat .env | head -1)"',
];

const withGit = [
  "git add -f .env; git show :.env",
  "git add -A; git diff --cached",
  "git diff --no-index /dev/null .env",
  "git hash-object -w .env | xargs git cat-file -p",
  "git add -f .env credentials.json; git commit -qm x; git log -p",
  'git -c user.name=a -c user.email=a@b.c commit --allow-empty -m "$(cat .env)"; git log -1',
  "git stash -u; git stash show -p --include-untracked; git stash pop",
  "git grep --no-index TOKEN -- .env",
  "git blame .env; git archive HEAD | tar xO",
  "git show HEAD~0:old.env; git log -p -- old.env",
];

/** What is in git's history already: every form of it that a mask can know. */
const fromHistory = [
  "git show HEAD:old.env",
  "git log -p --all -- old.env",
  "git cat-file -p HEAD:old.env | base64 -w0",
  "git cat-file -p HEAD:old.env | xxd -p -c 1000",
  "git cat-file -p HEAD:old.env | rev",
  'git cat-file -p HEAD:old.env | while read -n 5 p; do printf %s "$p"; sleep 0.02; done; echo',
  "git show HEAD:old.env > plain.txt; cat plain.txt; grep -n . plain.txt",
  "git grep -n TOKEN HEAD -- old.env",
];

export function waysOut(root: string): Called[] {
  const commands = [...reading, ...copying, ...withGit, ...fromHistory];
  return [...tools(root), ...commands.map((command) => run(command))];
}

/** Background jobs, followed once they ended. */
export const JOB = "cat .env; git show HEAD:old.env; cat .env | base64";
