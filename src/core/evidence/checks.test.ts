// Which files decide what a test run says, by the names that projects really have.
import { expect, it } from "vitest";
import { isCheck } from "#core/evidence/checks.ts";

const yes = `src/a.test.ts src/a.spec.js a_test.go test_a.py tests/a.py test/a.js spec/a_spec.rb t/a.t
  src/__tests__/a.js src/__snapshots__/a.snap testdata/x.json src/test/java/ATest.java src/ATests.cs
  app/src/androidTest/A.kt features/step_definitions/a.rb login.feature e2e/login.ts a.cy.ts
  integration-tests/a.rs my_tests/a.py test.js x.approved.txt a.bats test/test_helper.exs
  package.json web/package.json .npmrc jest.config.js vitest.config.mts vite.config.ts .mocharc.yml
  .eslintrc.json tsconfig.json tsconfig.test.json babel.config.js playwright.config.ts src/setupTests.js
  jest.setup.ts pyproject.toml pytest.ini setup.cfg tox.ini conftest.py noxfile.py sitecustomize.py
  pytest.py _pytest/main.py unittest/case.py Makefile GNUmakefile rules.mk CMakeLists.txt x.cmake
  Cargo.toml .cargo/config.toml build.rs .config/nextest.toml go.mod mix.exs config/test.exs pom.xml
  build.gradle.kts gradlew gradle/wrapper/gradle-wrapper.jar .mvn/jvm.config phpunit.xml.dist
  composer.json vendor/bin/phpunit .rspec Rakefile Gemfile lib/minitest/autorun.rb lib/Test/More.pm
  .github/workflows/ci.yml .gitlab-ci.yml .circleci/config.yml Jenkinsfile .ci/run
  node_modules/.bin/vitest node_modules/mocha/index.js .venv/lib/x.py justfile a.csproj`;

const no = `src/a.ts src/latest.ts src/contest.py README.md docs/attestation.md src/features/cart/index.ts
  src/protest/a.js src/inspector.ts app/config/routes.rb src/pages/testimonials.tsx lib/request.rb
  src/special/a.js next.config.js tailwind.config.js src/environment.ts index.html package-lock.json
  src/Latest.java src/Contest.cs src/UNIT.java src/biome.ts`;

it.each(yes.split(/\s+/))("%s may change what a run says", (path) => {
  expect(isCheck(path)).toBe(true);
});

it.each(no.split(/\s+/))("%s may not", (path) => {
  expect(isCheck(path)).toBe(false);
});

it.each([
  ["src/lib.rs", "+    #[ignore]", true],
  ["src/lib.rs", "-    assert_eq!(sum(1, 2), 3);", true],
  ["src/lib.rs", "+    let a = 1;", false],
  ["src/a.zig", '-test "adds" {', true],
  ["src/a.py", "->>> add(1, 2)", true],
  ["src/a.py", "+assert x", false],
  ["lib/a.ex", "+      iex> A.b()", true],
  ["src/a.ts", "+if (import.meta.vitest) {", true],
  ["src/a.ts", "+assert(x);", false],
])("a change of %s by %j: %s", (path, diff, is) => {
  expect(isCheck(path, diff)).toBe(is);
});
