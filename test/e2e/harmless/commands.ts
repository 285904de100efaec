// Commands as developers type them all day, by ecosystem: tests, builds, linters, format checks,
// git and text tools that leave the tracked files of a project as they are. `folder` is the
// project of projects.ts that they are run in where their program is installed.

export type Group = { ecosystem: string; folder: string; commands: readonly string[] };

const lines = (text: string): string[] => text.trim().split(/\n\s*/);

export const groups: readonly Group[] = [
  {
    ecosystem: "JavaScript",
    folder: "js",
    commands: lines(String.raw`
      npm test
      npm run build
      npm run lint --if-present
      npm run test -- --test-reporter=dot
      npm ls --depth=0
      npm pkg get version
      CI=true npm test
      NODE_ENV=test npm test --silent
      node --test
      node --test --test-name-pattern='adds'
      node --check sum.js
      node -p "require('./package.json').version"
      NODE_OPTIONS=--no-warnings node --test 2>&1 | tail -n 20
      npx --no-install tsc --noEmit
      npx --no-install eslint . --max-warnings 0
      npx --no-install prettier --check .
      npx --no-install vitest run --reporter=dot
      npx --no-install jest --ci --runInBand
      pnpm test
      pnpm -r build
      pnpm lint
      pnpm exec tsc -p tsconfig.json --noEmit
      yarn test
      yarn workspaces foreach -A run build
      yarn lint --quiet
      bun test
      deno test --allow-read
      deno fmt --check
      deno lint
      tsc --noEmit -p .
      eslint src --ext .ts,.tsx
      prettier --check "src/**/*.ts"
      biome check .
      jest --coverage=false
      vitest run
    `),
  },
  {
    ecosystem: "Python",
    folder: "py",
    commands: lines(String.raw`
      python3 -m unittest
      python3 -m unittest discover -v
      python3 -m unittest test_sum.TestSum
      PYTHONDONTWRITEBYTECODE=1 python3 -m unittest -q
      python3 -m py_compile summing.py
      python3 -m compileall -q .
      python3 -c 'import summing; print(summing.add(1, 2))'
      python3 --version
      pytest
      pytest -q
      pytest -x -vv test_sum.py
      pytest -k adds --tb=short
      PYTHONPATH=. pytest -q -p no:cacheprovider
      python3 -m pytest -q --maxfail=1 2>&1 | tail -5
      pip list --format=freeze
      pip check
      mypy .
      mypy --strict summing.py
      ruff check .
      ruff format --check .
      black --check .
      flake8 --max-line-length 100
      pylint summing.py
      isort --check-only .
      pyright
      tox -e py312
      nox -s tests
      poetry run pytest
      uv run pytest -q
      coverage run -m pytest
      bandit -r .
    `),
  },
  {
    ecosystem: "Rust",
    folder: "rust",
    commands: lines(String.raw`
      cargo check
      cargo build
      cargo build --release --offline
      cargo test
      cargo test --offline -- --nocapture
      RUST_BACKTRACE=1 cargo test adds
      RUSTFLAGS="-D warnings" cargo check --all-targets
      cargo clippy --all-targets -- -D warnings
      cargo fmt --check
      cargo fmt -- --check
      cargo doc --no-deps --offline
      cargo tree --offline
      cargo metadata --format-version 1 --offline > /dev/null
      cargo run --quiet
      cargo nextest run
      rustc --version
      rustfmt --check src/main.rs
      rustc --edition 2021 --emit=metadata --crate-type lib --out-dir target src/lib.rs
    `),
  },
  {
    ecosystem: "Go",
    folder: "go",
    commands: lines(String.raw`
      go test ./...
      go test -race -count=1 ./...
      go test -run TestAdd -v .
      go build ./...
      go vet ./...
      go list -m all
      go mod verify
      CGO_ENABLED=0 GOOS=linux go build -o /dev/null ./cmd/app
      gofmt -l .
      goimports -l .
      golangci-lint run
      staticcheck ./...
    `),
  },
  {
    ecosystem: "Java",
    folder: "java",
    commands: lines(String.raw`
      javac -d out Sum.java
      javac -Xlint:all -d out *.java
      java -cp out Sum
      java Sum.java
      java -version
      javap -cp out Sum
      jar cf out/sum.jar -C out Sum.class
      mvn -o -q validate
      mvn -o -q test
      mvn -B -o verify
      mvn -o dependency:tree
      ./gradlew test
      ./gradlew build --offline -x integrationTest
      gradle test --offline
      gradle check
      ktlint
      kotlinc -version
      sbt test
      ant test
    `),
  },
  {
    ecosystem: "Ruby",
    folder: ".",
    commands: lines(String.raw`
      bundle exec rspec
      bundle exec rake test
      bundle exec rubocop --parallel
      rake test
      rspec spec/models
      rubocop -f simple
      ruby -Itest test/sum_test.rb
      ruby -c lib/sum.rb
      RAILS_ENV=test bin/rails test
      gem list
    `),
  },
  {
    ecosystem: "C and C++",
    folder: "c",
    commands: lines(String.raw`
      make
      make -j4
      make -n
      make test
      make check CFLAGS=-O2
      make clean && make
      CC=gcc make -B
      gcc -Wall -Wextra -o build/sum sum.c
      gcc -fsyntax-only -Wall -Werror sum.c
      CFLAGS='-O0 -g' make -B build/sum
      g++ -std=c++17 -fsyntax-only sum.cpp
      g++ -std=c++17 -O2 -o build/sumpp sum.cpp && ./build/sumpp
      cmake -S . -B build/cmake
      cmake --build build/cmake -j2
      ctest --test-dir build/cmake --output-on-failure
      ninja -C build/ninja
      cmake -S . -B build/ninja -G Ninja && ninja -C build/ninja
      clang -fsyntax-only sum.c
      clang-format --dry-run --Werror sum.c
      clang-tidy sum.c --
      cppcheck --quiet .
      meson test -C build
      ldd build/sum
      nm -C build/sum | head -n 5
      objdump -d build/sum | head -20
      readelf -h build/sum
      size build/sum
      strings build/sum | grep -c .
      valgrind --error-exitcode=1 ./build/sum
      gdb -batch -ex run -ex bt ./build/sum
    `),
  },
  {
    ecosystem: "Elixir",
    folder: ".",
    commands: lines(String.raw`
      mix test
      MIX_ENV=test mix test --trace
      mix compile --warnings-as-errors
      mix format --check-formatted
      mix credo --strict
      mix dialyzer
      elixir --version
      rebar3 eunit
    `),
  },
  {
    ecosystem: "PHP",
    folder: ".",
    commands: lines(String.raw`
      composer validate
      composer test
      php -l src/Sum.php
      php artisan test
      vendor/bin/phpunit --testdox
      vendor/bin/phpstan analyse src
      vendor/bin/php-cs-fixer fix --dry-run --diff
      phpunit tests
    `),
  },
  {
    ecosystem: ".NET",
    folder: ".",
    commands: lines(String.raw`
      dotnet build --no-restore
      dotnet test --nologo --verbosity quiet
      DOTNET_CLI_TELEMETRY_OPTOUT=1 dotnet test
      dotnet format --verify-no-changes
      dotnet --info
    `),
  },
  {
    ecosystem: "Swift, Dart, Haskell, Zig",
    folder: ".",
    commands: lines(String.raw`
      swift build
      swift test --parallel
      dart analyze
      dart test
      flutter test
      stack test
      cabal test all
      zig build test
      terraform fmt -check -recursive
      helm lint ./chart
      kubectl version --client
    `),
  },
  {
    ecosystem: "git",
    folder: ".",
    commands: lines(String.raw`
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
    commands: lines(String.raw`
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
      rg -n "TODO|FIXME" || true
      rg --files | head
      find . -name '*.py' -not -path './node_modules/*'
      find . -type f -name '*.js' -exec wc -l {} +
      find . -maxdepth 2 -type d | sort
      fd -e ts
      ag TODO
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

/** Words that begin a construct or stand before a command. */
const CONSTRUCTS = new Set("for if then do done fi while [ ./build/sumpp".split(" "));

/** The programs a command names: the first word of each part, after the variables it sets. */
export function programsOf(command: string): string[] {
  const [line = ""] = command.split("\n");
  return line.split(/ && | \|\| | \| |; /).flatMap((part) => {
    const words = part.trim().split(/\s+/);
    const at = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
    const program = words[at] ?? "";
    return /^[A-Za-z]/.test(program) && !CONSTRUCTS.has(program) ? [program] : [];
  });
}
