// Commands as developers type them all day, by ecosystem: tests, builds, linters, format checks,
// all of which leave the tracked files of a project as they are.
import { type Group, linesOf } from "./group.ts";
import { textGroups } from "./text.ts";

export const groups: readonly Group[] = [
  {
    ecosystem: "JavaScript",
    folder: "js",
    commands: linesOf(`
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
    commands: linesOf(`
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
    commands: linesOf(`
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
    commands: linesOf(`
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
    commands: linesOf(`
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
    commands: linesOf(`
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
    commands: linesOf(`
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
    commands: linesOf(`
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
    commands: linesOf(`
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
    commands: linesOf(`
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
    commands: linesOf(`
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
  ...textGroups,
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
