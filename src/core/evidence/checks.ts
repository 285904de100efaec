// Which files decide what a test run says: tests with their snapshots and data, the configuration of
// runners and of what they run through, CI files, and installed runners. Told by their names, as the
// tools look for them; too many rather than too few, because what is named here is only shown.

/** A folder of tests, or of what tests are compared with. */
const FOLDER =
  /(^|[/._-])(tests?|specs?|e2e|mocks?|snapshots?|fixtures?|testdata|step_definitions|cypress|androidtest)_*\/|(^|\/)(t|features\/support)\//i;

const NAMES: readonly RegExp[] = [
  // a.test.ts, a_test.go, a-spec.rb, test.js, tests.py
  /(^|[/._-])(tests?|specs?|e2e|cy)\.[\w.]+$/i,
  // test_a.py, test-a.sh, tests.helper.js
  /(^|\/)tests?[_.-][^/]*$/i,
  // ATest.java, ATests.cs, ASpec.scala, AIT.java, TestA.java
  /(Tests?|TestCase|Specs?|(?<=[a-z])IT)\.(java|kt|kts|scala|groovy|cs|fs|vb|php|swift|m)$/,
  /(^|\/)Test[A-Z]\w*\.(java|kt)$/,
  /\.(snap|t|bats|feature|golden|ambr)$/i,
  /\.(approved|verified|expected)\.\w+$/i,
];

/** Configuration of runners, and what is loaded before a test is, by name in any folder. */
const RUNNERS = new Set(
  `package.json .npmrc .yarnrc .yarnrc.yml .pnpmfile.cjs pnpm-workspace.yaml bunfig.toml deno.json
   deno.jsonc lerna.json nx.json turbo.json .mocharc .nycrc .babelrc .swcrc .taprc biome.json
   pyproject.toml pytest.ini .pytest.ini tox.ini setup.cfg setup.py noxfile.py conftest.py
   .coveragerc sitecustomize.py usercustomize.py pytest.py unittest.py doctest.py nose2.cfg
   makefile gnumakefile justfile taskfile.yml taskfile.yaml rakefile .rspec gemfile guardfile
   cmakelists.txt ctesttestfile.cmake ctestcustom.cmake meson.build build.bazel build workspace
   cargo.toml build.rs rust-toolchain rust-toolchain.toml clippy.toml go.mod go.work mix.exs
   .formatter.exs rebar.config pom.xml build.gradle build.gradle.kts settings.gradle
   settings.gradle.kts gradle.properties gradlew mvnw build.sbt build.xml composer.json phpunit.xml
   phpunit.xml.dist phpunit.dist.xml pest.php behat.yml makefile.pl build.pl .proverc dune
   dune-project stack.yaml package.swift directory.build.props directory.build.targets
   jenkinsfile .gitlab-ci.yml .travis.yml azure-pipelines.yml bitbucket-pipelines.yml appveyor.yml
   .drone.yml .env.test .envrc .tool-versions .bashrc .profile`.split(/\s+/),
);

const RUNNER_FORMS: readonly RegExp[] = [
  // jest.config.js, vitest.workspace.ts, .eslintrc.cjs, tsconfig.build.json, setupTests.ts
  /(^|\/)(jest|vitest|vite|karma|ava|wdio|cypress|playwright|babel|webpack|rspack|rollup|esbuild|tsup|metro|jasmine|nightwatch|codecept|stryker|eslint|web-test-runner|testcafe|mocha|swc|react-native)[\w-]*\.(config|conf|workspace|projects)(\.[\w-]+)*$/i,
  /(^|\/)\.?(mocharc|nycrc|eslintrc|babelrc|swcrc|taprc|c8rc)(\.\w+)?$/i,
  /(^|\/)tsconfig[\w.-]*\.json$/i,
  /(^|\/)(setup[-_.]?tests?|(jest|vitest|mocha|test)[-_.]?(setup|global|env|helper))[\w.-]*$/i,
  /\.(mk|cmake|pth|csproj|fsproj|vbproj|sln|cabal|gemspec)$/i,
  /(^|\/)config\/(test|environments\/test)\.(exs|rb|py|js|ts|json|ya?ml)$/i,
  /(^|\/)\.config\/nextest\.toml$/i,
  // What a test loads by a name that a folder of the project can put itself before.
  /(^|\/)(pytest|_pytest|unittest|minitest|rspec|phpunit|exunit)([/.]|$)/i,
];

/** Folders of installed runners, and of CI. */
const INSTALLED =
  /(^|\/)(node_modules|site-packages|vendor|\.?venv|\.tox|\.nox|\.cargo|\.mvn|gradle\/wrapper|\.yarn|\.bin)\/|(^|\/)\.pnp\./i;
const CI =
  /(^|\/)(\.github\/(workflows|actions)|\.circleci|\.ci|\.buildkite|\.gitlab|\.woodpecker)\//i;

/** What runners and languages leave behind whenever something runs; no run goes by it. */
const GENERATED =
  /(^|\/)(__pycache__|\.(pytest|mypy|ruff|hypothesis)_cache|\.hypothesis|\.nyc_output|coverage|test-results|playwright-report|node_modules\/\.(vite|vitest|vite-temp|cache))\/|(^|\/)(\.coverage|\.eslintcache|\.rspec_status|lastfailed)$|\.tsbuildinfo$/i;

/** Whether a file is only the trace of a run, and its change no change of the work. */
export const isGenerated = (path: string): boolean => GENERATED.test(path);

/**
 * Changes in the order of what they mean for evidence: tests and configuration first, traces of
 * runs last. Where only some are named, the last of them says what the others can be.
 */
export function byWeight<T extends { path: string }>(changes: readonly T[]): T[] {
  const weight = ({ path }: T) => (isCheck(path) ? 0 : isGenerated(path) ? 2 : 1);
  return changes.toSorted((a, b) => weight(a) - weight(b));
}

/** Languages whose tests may stand in the file that they test, and what a line of such a test has. */
const INLINE: readonly { files: RegExp; line: RegExp }[] = [
  {
    files: /\.rs$/,
    line: /^[+-].*(#!?\[(\w+::)*(test|ignore|should_panic|cfg\(test\)|cfg_attr\(test)|\b(debug_)?assert\w*!|\/\/[/!])/m,
  },
  { files: /\.(zig|d)$/, line: /^[+-].*(\btest ["{]|\bunittest\b|\bexpect\w*\(|\bassert\b)/m },
  { files: /\.(py|pyi)$/, line: /^[+-]\s*(>>>|\.\.\. )|^[+-].*\bdoctest\b/m },
  { files: /\.exs?$/, line: /^[+-]\s*(iex|\.\.\.)(\(\d+\))?>/m },
  { files: /\.[cm]?[jt]sx?$/, line: /^[+-].*import\.meta\.vitest/m },
];

/**
 * Whether a change of this file may change what a test run says. `diff`, where it is known, is looked
 * at for tests that stand beside the code; the beginning of a long one does not show them all.
 */
export function isCheck(path: string, diff = ""): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (RUNNERS.has(name.toLowerCase())) return true;
  const forms = [FOLDER, INSTALLED, CI, ...NAMES, ...RUNNER_FORMS];
  if (forms.some((form) => form.test(path))) return true;
  return INLINE.some(({ files, line }) => files.test(name) && line.test(diff));
}
