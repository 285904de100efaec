// Commands that read a repository with git, and those that look at files and text: of no ecosystem.
import { type Group, linesOf } from "./group.ts";

export const textGroups: readonly Group[] = [
  {
    ecosystem: "git",
    folder: ".",
    commands: linesOf(`
      git status
      git status --short --branch
      git status --porcelain=v2
      git diff
      git diff --stat HEAD~1
      git diff --cached
      git diff HEAD~1 -- js/sum.js
      git --no-pager diff --name-only HEAD~1..HEAD
      git log
      git log --oneline -n 5
      git log --oneline --graph --decorate --all -20
      git log -p -1 -- js/sum.js
      git log --since='2 weeks ago' --author=dev --format='%h %an %s'
      git log -S'return' --oneline
      git show
      git show HEAD:js/sum.js
      git show --stat HEAD
      git blame js/sum.js
      git blame -L 1,2 js/sum.js
      git branch -a
      git branch --show-current
      git tag --list
      git remote -v
      git rev-parse --abbrev-ref HEAD
      git rev-parse --show-toplevel
      git merge-base HEAD HEAD~1
      git ls-files
      git ls-files -o --exclude-standard
      git grep -n return
      git shortlog -sn HEAD
      git describe --always --dirty
      git stash list
      git config --get user.name
      git rev-list --count HEAD
      git cat-file -p HEAD
      git reflog -n 3
      git worktree list
      git check-ignore -v build || true
      git diff --check
      GIT_PAGER=cat git log -1
      git log --format=%H | wc -l
      git ls-files '*.js' | xargs wc -l
    `),
  },
  {
    ecosystem: "files and text",
    folder: ".",
    commands: linesOf(String.raw`
      ls
      ls -la js
      ls -1 *.md
      pwd
      cd js && ls
      cat README.md
      cat js/package.json | jq .version
      jq -r '.scripts | keys[]' js/package.json
      head -n 20 README.md
      tail -n +2 README.md
      nl README.md
      tac README.md
      wc -l js/*.js
      grep -rn "return" js
      grep -E 'add|sum' -r . --include=*.py
      grep -c . README.md
      egrep -n 'x|y' README.md || true
      rg -n "deprecated|obsolete" || true
      rg --files | head
      find . -name '*.py' -not -path './node_modules/*'
      find . -type f -name '*.js' -exec wc -l {} +
      find . -maxdepth 2 -type d | sort
      fd -e ts
      ag deprecated
      tree -L 2
      sed -n '1,5p' README.md
      sed 's/a/b/g' README.md > /dev/null
      awk '{print $1}' README.md
      awk -F: 'NR==1 {print NF}' README.md
      sort README.md | uniq -c | sort -rn | head -5
      cut -d' ' -f1 README.md
      tr a-z A-Z < README.md
      paste -sd, README.md
      column -t README.md
      comm -12 README.md README.md
      join README.md README.md || true
      diff js/sum.js js/sum.js
      diff -u README.md js/sum.js | head -10
      cmp js/sum.js js/sum.js
      md5sum README.md
      sha256sum README.md js/sum.js
      sha1sum README.md
      base64 README.md | head -1
      xxd README.md | head -3
      od -c README.md | head -2
      file README.md
      stat README.md
      du -sh .
      df -h .
      date +%F
      date -u
      whoami
      id -u
      uname -a
      nproc
      env | sort
      printenv PATH
      echo "$PATH"
      echo done
      printf '%s\n' one two
      which node git
      type git
      command -v python3
      basename js/sum.js .js
      dirname js/sum.js
      realpath js/../README.md
      readlink -f README.md
      seq 1 5
      test -f README.md && echo yes
      [ -d js ] && echo yes || echo no
      true
      sleep 0.1
      time ls
      timeout 5 ls
      nice -n 5 ls
      ps aux | head -3
      lsof -p 1 || true
      expr 1 + 2
      bc --version
      tar -cf /dev/null js
      tar czf /tmp/js.tar.gz js && tar tzf /tmp/js.tar.gz
      gzip -c README.md | zcat
      zip -q -r /tmp/js.zip js && unzip -l /tmp/js.zip
      cp README.md /tmp/README.md && diff README.md /tmp/README.md
      mkdir -p build/x && touch build/x/y && rm -r build/x
      for f in js/*.js; do echo "$f"; done
      if [ -f js/package.json ]; then echo node; fi
      cat <<'END' | wc -l
      while read -r line; do echo "$line"; done < README.md
      perl -ne 'print if /sum/' README.md
      perl -MTime::HiRes -e 'print 1'
      perl -c tool.pl
      bash -n tool.sh
      bash tool.sh
      sh -c 'echo hello'
      shellcheck tool.sh
      shfmt -d .
      sqlite3 :memory: 'select 1 + 1'
      openssl version
      curl --version
      hadolint Dockerfile
      yamllint .
      markdownlint README.md
      pre-commit run --all-files
      docker --version
      cloc .
      tokei
      man -w ls || true
      less -FX README.md
      tee /dev/null < README.md
      rev README.md | rev
      fold -w 40 README.md
      yes | head -n 3
    `).map((line) => line.replace("cat <<'END' | wc -l", "cat <<'END' | wc -l\none\ntwo\nEND")),
  },
];
