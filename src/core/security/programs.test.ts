// What is claimed to only read does, and no known trick to make a reading program write or run
// something passes for reading.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { onlyReads } from "#core/security/programs.ts";
import { readShell } from "#core/security/shell.ts";

const reads = (text: string): boolean => {
  const read = readShell(text);
  return read.kind === "literal" && read.commands.every(onlyReads);
};

describe("a command that only reads", () => {
  it.each(
    `ls
    ls -la src
    ls -lah --color=never .
    cat -n a.ts b.ts
    head -n 20 a
    head -20 a
    tail -n5 a
    wc -l a
    pwd
    cd src && ls
    echo hello world
    which node
    stat -c %s a
    du -sh .
    du -d 1
    df -h
    tree -L 2
    grep -rn deprecated src
    grep -i -A 3 --include=*.ts 'x y' .
    rg -n 'a|b' src
    rg --files --hidden
    rg -t ts -C3 foo
    find . -name '*.ts' -type f
    find src -maxdepth 2 -not -path './x/*' -print
    sort -u a
    sort -k2,2 -n a
    uniq -c
    cut -d, -f1 a
    tr a b
    diff -u a b
    sha256sum a
    basename a/b
    realpath .
    date +%F
    date -u -d yesterday
    jq -r .name package.json
    node --version
    git status
    git status --porcelain
    git --no-pager log --oneline -5
    git log -n 3 --stat --author=me
    git log --since=2.weeks -- src
    git diff
    git diff --cached --stat HEAD~1
    git show HEAD:src/a.ts
    git branch -a
    git branch --show-current
    git tag -l
    git remote -v
    git rev-parse --abbrev-ref HEAD
    git ls-files -m
    git blame -L 1,5 a
    git stash list
    git stash show -p
    git config --get user.name
    git config --list
    git worktree list
    git reflog
    git describe --tags
    cat a | grep b | sort | uniq -c | head
    ls && git status; pwd`
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => !line.includes("=*")),
  )("%s", (text) => {
    expect(reads(text)).toBe(true);
  });
});

describe("a command that may do more", () => {
  it.each(
    `find . -exec rm x +
    find . -execdir id +
    find . -ok id +
    find . -delete
    find . -fprintf out x
    find . -fprint out
    find . -fls out
    find . -files0-from x
    rg --pre id x
    rg --pre=id x
    rg --pre-glob x y
    rg -z x
    rg --search-zip x
    rg --hostname-bin id x
    sed w out
    sed -n 1e a
    sed -i s/a/b/ a
    sed s/a/b/e a
    awk 'BEGIN{system("id")}'
    awk '{print > "out"}' a
    sort -o out a
    sort --output=out a
    sort --outp=out a
    sort --compress-program=id a
    sort --compress-prog id a
    sort -T /x a
    sort --files0-from=a
    uniq a out
    grep -f a b
    grep --exclude-from=x y
    xargs rm
    env ls
    env -S 'rm x'
    env bash -c id
    timeout 5 ls
    nice ls
    nohup ls
    sudo ls
    busybox ls
    command ls
    builtin echo
    eval ls
    exec ls
    source a
    . a
    tar xf a
    tar --checkpoint-action=exec=id cf a b
    man -P id ls
    less a
    more a
    vim -c :q a
    vi a
    python3 -c 1
    python3 a.py
    node -e 1
    node -p 1
    perl -e 1
    ruby -e 1
    npm run x
    npm test
    make
    make --version x
    bash -c ls
    bash -lc ls
    sh a
    tee out
    dd if=a of=b
    cp a b
    mv a b
    rm a
    ln a b
    mkdir a
    touch a
    chmod 7 a
    curl x
    wget x
    ssh x
    date -s x
    date --set=x
    date 010100002026
    date -f a
    hostname x
    file -C
    file -m a b
    tree -o out
    xxd -r a out
    xxd a out
    column --x
    printf -v PATH x
    export A=b
    alias ls=id
    hash -p id ls
    trap id EXIT
    git push
    git pull
    git fetch
    git commit
    git checkout x
    git branch x
    git branch -d x
    git branch -D x
    git tag x
    git tag -d x
    git remote add x y
    git remote show origin
    git remote -v update
    git stash
    git stash pop
    git stash drop
    git reflog expire
    git reflog delete x
    git config user.name x
    git config --get a b
    git config --unset a
    git config -e
    git -c core.pager=id log
    git -c core.fsmonitor=id status
    git --exec-path=. status
    git -C x status
    git --git-dir=x status
    git -p log
    git diff --output=out
    git diff --output out
    git diff --outpu=out
    git diff --ext-diff
    git diff --textconv
    git log --output=out
    git log -o out
    git show --ext-diff
    git grep -O x
    git grep --open-files-in-pager=id x
    git archive --exec=id x
    git ls-remote --upload-pack=id x
    git upload-pack x
    git bisect run id
    git rebase -x id
    git difftool
    git mergetool
    git blame --contents x y
    git cat-file --textconv x
    git cat-file --filters x
    git shortlog --output=x
    git worktree add x
    git worktree list x
    git submodule foreach id
    git gc
    git clean -fd
    git apply x
    git am x
    git notes add
    git hook run x
    git help -w x
    git instaweb
    git daemon
    git var GIT_EDITOR
    ./ls
    /bin/ls
    bin/ls
    LS
    ls --hyperlink=x
    ls -%
    cat --helpp
    head -n
    jq -f a
    jq -L a b
    jq --args x
    id --x
    ps -x-y
    go env -w A=b
    go build
    java -jar a
    constructor
    __proto__
    toString
    hasOwnProperty x`
      .split("\n")
      .map((line) => line.trim()),
  )("%s", (text) => {
    expect(reads(text)).toBe(false);
  });

  it("is never an injection of a published list, but for plain reading commands in it", (ctx) => {
    const fixture = join(
      process.env.AIEX_FIXTURES ?? "../shared/fixtures",
      "security/command-injection.txt",
    );
    if (!existsSync(fixture)) ctx.skip("fixtures absent: AIEX_FIXTURES names no such folder");
    const lines = readFileSync(fixture, "utf8").split("\n");
    const passed = [...new Set(lines.filter(reads).map((line) => line.split(" ")[0]))];
    expect(passed.sort()).toEqual(["cat", "echo", "ls", "pwd", "uname", "which"]);
  });

  it("is every command that has nothing in it", () => {
    expect(onlyReads([])).toBe(false);
    expect(onlyReads([""])).toBe(false);
  });
});
