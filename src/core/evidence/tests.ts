// How many tests a run had, read off the closing lines that runners print. The sum over all summaries
// of one output, because a workspace runs several; null where no known runner printed a count. What
// is read here can only take evidence away: no number makes a run count that did not end with 0.
//
// The forms are those of the runners themselves, as they print without a terminal and without colour
// (node:test 26, vitest 5, jest 30, mocha 11, ava, tape, pytest 9, unittest of Python 3.14, go 1.19,
// cargo 1.9x, ExUnit 1.14, Surefire 3, JUnit 4 and 5, PHPUnit 9, RSpec 3.12, minitest 5, test-unit,
// prove 3.44, bats 1.8, ctest 3.25, deno 2, bun 1, dotnet 9).

export type TestCounts = { passed: number; failed: number; skipped: number };

/** Characters at the end of an output in which summaries are looked for. */
export const TAIL_CHARS = 262_144;

type Reader = {
  /** Every summary, or part of one, that the runner prints. */
  form: RegExp;
  counts(match: RegExpMatchArray): Partial<TestCounts>;
};

const number = (text: string | undefined): number => Number(text ?? 0);

/** The sum of the numbers that stand before (or, as in `Failures: 2`, after) one of these words. */
function sumOf(text: string, words: string): number {
  const before = text.matchAll(new RegExp(`(\\d+)\\s+(?:${words})\\b`, "gi"));
  const after = text.matchAll(new RegExp(`\\b(?:${words})\\s*[:=]\\s*(\\d+)`, "gi"));
  return [...before, ...after].reduce((sum, [, digits]) => sum + number(digits), 0);
}

/** Of runners that name the total and the exceptions. */
function lessThan(total: number, rest: string, words: { failed: string; skipped: string }) {
  const failed = sumOf(rest, words.failed);
  const skipped = sumOf(rest, words.skipped);
  return { passed: Math.max(0, total - failed - skipped), failed, skipped };
}

const named = (rest: string): TestCounts => ({
  passed: sumOf(rest, "passed|xpassed|pass|passes|successful"),
  failed: sumOf(rest, "failed|fail|errors?|failures?"),
  skipped: sumOf(rest, "skipped|skip|todo|xfailed|pending|ignored"),
});

const readers: readonly Reader[] = [
  // node:test and tape: `# pass 3` (TAP) or `ℹ pass 3`.
  { form: /^(?:#|ℹ)\s+pass\s+(\d+)$/gm, counts: ([, n]) => ({ passed: number(n) }) },
  { form: /^(?:#|ℹ)\s+(?:fail|cancelled)\s+(\d+)$/gm, counts: ([, n]) => ({ failed: number(n) }) },
  { form: /^(?:#|ℹ)\s+(?:skipped|todo)\s+(\d+)$/gm, counts: ([, n]) => ({ skipped: number(n) }) },
  // vitest: `Tests  1 failed | 2 passed | 1 skipped (4)`, or `Tests  no tests`.
  {
    form: /^\s*Tests\s{2,}((?:\d+ \w+(?: \| )?)+ \(\d+\)|no tests)\s*$/gm,
    counts: ([, n = ""]) => named(n),
  },
  // jest: `Tests:       1 skipped, 2 passed, 3 total`.
  { form: /^Tests:\s+(.*\d+ total)$/gm, counts: ([, n = ""]) => named(n) },
  // mocha: `  2 passing (5ms)`, `  1 pending`, `  1 failing`.
  { form: /^\s+(\d+) passing \(/gm, counts: ([, n]) => ({ passed: number(n) }) },
  { form: /^\s+(\d+) failing$/gm, counts: ([, n]) => ({ failed: number(n) }) },
  { form: /^\s+(\d+) pending$/gm, counts: ([, n]) => ({ skipped: number(n) }) },
  // ava: `  2 tests passed`, `  1 test failed`, `  1 test skipped`.
  { form: /^\s+(\d+ tests? (?:passed|failed|skipped|todo))$/gm, counts: ([, n = ""]) => ava(n) },
  // pytest: `=== 1 failed, 3 passed, 1 skipped in 0.12s ===`, `no tests ran in 0.01s`.
  {
    form: /^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+|no tests ran) in [\d.]+s(?: \([\d:]+\))?(?: =+)?$/gm,
    counts: ([, n = ""]) => named(n),
  },
  // unittest: `Ran 3 tests in 0.000s`, then `OK (skipped=1)`, `FAILED (errors=1)`, `NO TESTS RAN`.
  {
    form: /^Ran (\d+) tests? in [\d.]+s\n+(?:OK|FAILED|NO TESTS RAN)(.*)$/gm,
    counts: ([, n, rest = ""]) =>
      lessThan(number(n), rest, {
        failed: "(?<!expected )failures|errors|unexpected successes",
        skipped: "skipped|expected failures",
      }),
  },
  // go test -v: a line for each test, those within others indented.
  { form: /^--- PASS: /gm, counts: () => ({ passed: 1 }) },
  { form: /^--- FAIL: /gm, counts: () => ({ failed: 1 }) },
  { form: /^--- SKIP: /gm, counts: () => ({ skipped: 1 }) },
  // cargo test, also once for each crate and for the examples in its documentation.
  {
    form: /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/gm,
    counts: ([, p, f, s]) => ({ passed: number(p), failed: number(f), skipped: number(s) }),
  },
  // cargo nextest: `Summary [   0.010s] 3 tests run: 3 passed, 1 skipped`.
  { form: /^\s*Summary \[.*\] +\d+ tests? run: (.*)$/gm, counts: ([, n = ""]) => named(n) },
  // ExUnit: `1 doctest, 3 tests, 0 failures, 1 excluded, 1 skipped`.
  {
    form: /^((?:\d+ (?:doctest|propert(?:y|ie)|test|feature)s?, )+)(\d+ failures?.*)$/gm,
    counts: ([, all = "", rest = ""]) =>
      lessThan(sumOf(all, "doctests?|property|properties|tests?|features?"), rest, {
        failed: "failures?|invalid",
        skipped: "excluded|skipped",
      }),
  },
  // Surefire's sum of a module (a class of it has its time behind), and JUnit 4's own.
  {
    form: /^(?:\[\w+\] )?Tests run: (\d+), +(Failures: \d+(?:, Errors: \d+, Skipped: \d+)?)$/gm,
    counts: ([, n, rest = ""]) =>
      lessThan(number(n), rest, { failed: "Failures|Errors", skipped: "Skipped" }),
  },
  { form: /^OK \((\d+) tests?\)$/gm, counts: ([, n]) => ({ passed: number(n) }) },
  // JUnit's console launcher: `[         3 tests successful      ]`.
  {
    form: /^\[ +(\d+) tests (successful|failed|skipped) +\]$/gm,
    counts: ([, n, how]) => named(`${n} ${how}`),
  },
  // PHPUnit: `OK (3 tests, 5 assertions)`, else `Tests: 3, Assertions: 5, Failures: 1, Skipped: 1.`
  { form: /^OK \((\d+) tests?, \d+ assertions?\)$/gm, counts: ([, n]) => ({ passed: number(n) }) },
  {
    form: /^Tests: (\d+), Assertions: \d+(.*)\.$/gm,
    counts: ([, n, rest = ""]) =>
      lessThan(number(n), rest, { failed: "Failures|Errors", skipped: "Skipped|Incomplete" }),
  },
  // RSpec: `3 examples, 0 failures, 1 pending`.
  {
    form: /^(\d+) examples?, (\d+ failures?.*)$/gm,
    counts: ([, n, rest = ""]) =>
      lessThan(number(n), rest, { failed: "failures?|errors?", skipped: "pending" }),
  },
  // minitest, and test-unit with `tests`: `3 runs, 5 assertions, 0 failures, 0 errors, 1 skips`.
  {
    form: /^(\d+) (?:runs|tests), \d+ assertions, (\d+ failures, .*)$/gm,
    counts: ([, n, rest = ""]) =>
      lessThan(number(n), rest, {
        failed: "failures|errors",
        skipped: "skips|pendings|omissions",
      }),
  },
  // prove: `Files=1, Tests=3,  0 wallclock secs`.
  { form: /^Files=\d+, Tests=(\d+),/gm, counts: ([, n]) => ({ passed: number(n) }) },
  // ctest: `100% tests passed, 0 tests failed out of 3`; what did not run stands below it.
  {
    form: /^\d+% tests passed, (\d+) tests? failed out of (\d+)$/gm,
    counts: ([, f, n]) => ({ passed: number(n) - number(f), failed: number(f) }),
  },
  { form: /^\t\s*\d+ - .* \(Skipped\)$/gm, counts: () => ({ skipped: 1, passed: -1 }) },
  { form: /^\t\s*\d+ - .* \(Disabled\)$/gm, counts: () => ({ skipped: 1 }) },
  // deno: `ok | 3 passed | 0 failed | 1 ignored (5ms)`.
  { form: /^(?:ok|FAILED) \| (\d+ passed.*)$/gm, counts: ([, n = ""]) => named(n) },
  // bun: ` 3 pass`, ` 0 fail`, ` 1 skip`.
  { form: /^ (\d+ (?:pass|fail|skip|todo))$/gm, counts: ([, n = ""]) => named(n) },
  // dotnet: `Passed!  - Failed:     0, Passed:     3, Skipped:     0, Total:     3`.
  {
    form: /^(?:Passed|Failed|Skipped)! +- (Failed: +\d+, Passed: +\d+, Skipped: +\d+)/gm,
    counts: ([, n = ""]) => named(n),
  },
  // Words for nothing: vitest, jest, Surefire, PHPUnit, ctest, ExUnit, RSpec, prove.
  {
    form: /^(?:No test files found|No tests found|(?:\[\w+\] )?(?:No tests to run\.|Tests are skipped\.)|No tests executed!|No tests were found!!!|There are no tests to run|No examples found\.|Result: NOTESTS)/gm,
    counts: () => ({}),
  },
];

const ava = (text: string): TestCounts => named(text.replace(/ tests? /, " "));

/** A package that go found nothing to run in; one that ran has no count without -v. */
const GO_EMPTY = /^(?:ok|\?) +\t?\S+.*\[no test(?:s to run| files)\]$/gm;
const GO_RAN = /^ok +\t?\S+\t(?:[\d.]+s|\(cached\))(?!.*\[no test)/m;

/** TAP by its own lines (bats, many scripts): only where no summary says it better. */
const TAP_PLAN = /^1\.\.\d+/m;
const TAP = /^(ok|not ok)\b(.*)$/gm;

export function testsIn(output: string): TestCounts | null {
  const text = output.slice(-TAIL_CHARS).replaceAll("\r", "");
  const found = readers.flatMap(({ form, counts }) => [...text.matchAll(form)].map(counts));
  if (found.length > 0) return sum(found);
  if (GO_RAN.test(text)) return null;
  if (text.match(GO_EMPTY)) return sum([]);
  return TAP_PLAN.test(text) ? sum([...text.matchAll(TAP)].map(tapLine)) : null;
}

function tapLine([, how, rest = ""]: RegExpMatchArray): Partial<TestCounts> {
  if (/# *(?:skip|todo)\b/i.test(rest)) return { skipped: 1 };
  return how === "ok" ? { passed: 1 } : { failed: 1 };
}

const sum = (all: readonly Partial<TestCounts>[]): TestCounts =>
  all.reduce<TestCounts>(
    (total, { passed = 0, failed = 0, skipped = 0 }) => ({
      passed: total.passed + passed,
      failed: total.failed + failed,
      skipped: total.skipped + skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );
