// The closing lines of runners, as they print them (recorded, some cut to the lines that count), and
// what they say. The runners themselves are run by test/e2e/runners.test.ts.
import { describe, expect, it } from "vitest";
import { testsIn } from "#core/evidence/tests.ts";

/** Runner, what it printed, and passed, failed and skipped; null where it counts nothing. */
const outputs: readonly [string, string, [number, number, number] | null][] = [
  [
    "node:test",
    "ok 3 - c # SKIP\n1..3\n# tests 3\n# suites 0\n# pass 2\n# fail 0\n# cancelled 0\n# skipped 1\n# todo 0\n",
    [2, 0, 1],
  ],
  ["node:test, spec", "✔ a (1ms)\nℹ tests 3\nℹ pass 1\nℹ fail 1\nℹ cancelled 1\n", [1, 2, 0]],
  ["node:test of nothing", "1..0\n# tests 0\n# suites 0\n# pass 0\n# fail 0\n", [0, 0, 0]],
  [
    "vitest",
    " Test Files  1 failed | 1 passed (2)\n      Tests  1 failed | 2 passed | 1 skipped (4)\n",
    [2, 1, 1],
  ],
  ["vitest of nothing", "No test files found, exiting with code 0\n", [0, 0, 0]],
  ["vitest of an empty file", " Test Files  1 passed (1)\n      Tests  no tests\n", [0, 0, 0]],
  [
    "jest",
    "Test Suites: 1 passed, 1 total\nTests:       1 skipped, 2 passed, 3 total\nSnapshots:   0 total\n",
    [2, 0, 1],
  ],
  ["jest of nothing", "No tests found, exiting with code 0\n", [0, 0, 0]],
  ["mocha", "  ✔ a\n\n  2 passing (10ms)\n  1 pending\n  1 failing\n\n", [2, 1, 1]],
  ["mocha of nothing", "\n\n  0 passing (3ms)\n\n", [0, 0, 0]],
  ["ava", "  ✔ a\n  ─\n\n  2 tests passed\n  1 test skipped\n", [2, 0, 1]],
  ["tape", "# a\nok 1 should be truthy\n\n1..1\n# tests 1\n# pass  1\n\n# ok\n", [1, 0, 0]],
  ["pytest", "==== 1 failed, 3 passed, 1 skipped, 2 warnings in 0.94s ====\n", [3, 1, 1]],
  ["pytest -q", ".s   [100%]\n1 passed, 1 skipped in 0.86s\n", [1, 0, 1]],
  ["pytest of long", "===== 5 passed in 75.10s (0:01:15) =====\n", [5, 0, 0]],
  ["pytest that left all out", "===== 2 deselected in 1.07s =====\n", [0, 0, 0]],
  ["pytest of nothing", "===== no tests ran in 0.01s =====\n", [0, 0, 0]],
  ["unittest", "Ran 4 tests in 0.000s\n\nOK (skipped=1, expected failures=1)\n", [2, 0, 2]],
  ["unittest that fails", "Ran 3 tests in 0.1s\n\nFAILED (failures=1, errors=1)\n", [1, 2, 0]],
  ["unittest of nothing", "Ran 0 tests in 0.000s\n\nNO TESTS RAN\n", [0, 0, 0]],
  ["go", "ok  \tx\t0.004s\n?   \tx/e\t[no test files]\n", null],
  ["go, cached", "ok  \tx\t(cached)\n", null],
  ["go -v", "--- PASS: TestA (0.00s)\n    --- PASS: TestA/b\n--- SKIP: TestB (0.00s)\n", [1, 0, 1]],
  ["go of nothing", "ok  \tx\t0.003s [no tests to run]\n?   \tx/e\t[no test files]\n", [0, 0, 0]],
  [
    "cargo",
    "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\n   Doc-tests x\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
    [3, 0, 1],
  ],
  ["cargo nextest", "     Summary [   0.010s] 3 tests run: 3 passed, 1 skipped\n", [3, 0, 1]],
  ["ExUnit", "1 doctest, 3 tests, 1 failure, 1 skipped\n", [2, 1, 1]],
  ["ExUnit that left all out", "2 tests, 0 failures, 2 excluded\n", [0, 0, 2]],
  [
    "Surefire",
    "[INFO] Tests run: 2, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.05 s - in ATest\n[INFO] \n[INFO] Results:\n[INFO] \n[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 1\n[INFO] \n",
    [2, 0, 1],
  ],
  ["Surefire of nothing", "[INFO] No tests to run.\n[INFO] BUILD SUCCESS\n", [0, 0, 0]],
  ["Surefire switched off", "[INFO] Tests are skipped.\n", [0, 0, 0]],
  ["JUnit 4", "Time: 0.005\n\nOK (3 tests)\n\n", [3, 0, 0]],
  ["JUnit 4 that fails", "Tests run: 3,  Failures: 1\n", [2, 1, 0]],
  [
    "JUnit 5",
    "[         1 tests skipped         ]\n[         3 tests successful      ]\n[         0 tests failed          ]\n",
    [3, 0, 1],
  ],
  ["PHPUnit", "OK (2 tests, 2 assertions)\n", [2, 0, 0]],
  ["PHPUnit with skips", "Tests: 3, Assertions: 1, Failures: 1, Skipped: 1.\n", [1, 1, 1]],
  ["PHPUnit of nothing", "No tests executed!\n", [0, 0, 0]],
  ["RSpec", "2 examples, 0 failures, 1 pending\n", [1, 0, 1]],
  ["RSpec of nothing", "0 examples, 0 failures\n", [0, 0, 0]],
  ["minitest", "2 runs, 1 assertions, 0 failures, 0 errors, 1 skips\n", [1, 0, 1]],
  [
    "test-unit",
    "3 tests, 3 assertions, 1 failures, 0 errors, 0 pendings, 1 omissions, 0 notifications\n",
    [1, 1, 1],
  ],
  [
    "prove",
    "All tests successful.\nFiles=1, Tests=2,  0 wallclock secs\nResult: PASS\n",
    [2, 0, 0],
  ],
  ["prove of nothing", "Files=0, Tests=0,  0 wallclock secs\nResult: NOTESTS\n", [0, 0, 0]],
  ["bats", "1..2\nok 1 a\nok 2 b # skip\n", [1, 0, 1]],
  ["bats of nothing", "1..0\n", [0, 0, 0]],
  [
    "ctest",
    "100% tests passed, 0 tests failed out of 3\n\nThe following tests did not run:\n\t  2 - b (Disabled)\n\t  3 - c (Skipped)\n",
    [2, 0, 2],
  ],
  ["ctest of nothing", "No tests were found!!!\n", [0, 0, 0]],
  ["deno", "ok | 3 passed | 0 failed | 1 ignored (5ms)\n", [3, 0, 1]],
  ["bun", " 3 pass\n 1 skip\n 0 fail\nRan 4 tests across 1 file.\n", [3, 0, 1]],
  ["dotnet", "Passed!  - Failed:     0, Passed:     3, Skipped:     1, Total:     4\n", [3, 0, 1]],
  ["a build without tests", "cc -o a a.c\nok, all is built\n", null],
  ["nothing", "", null],
];

describe("the closing lines of", () => {
  it.each(outputs)("%s are read", (_, output, counts) => {
    const [passed, failed, skipped] = counts ?? [];
    expect(testsIn(output)).toEqual(counts && { passed, failed, skipped });
    expect(testsIn(output.replaceAll("\n", "\r\n"))).toEqual(counts && { passed, failed, skipped });
  });

  it("several runners are added up", () => {
    expect(testsIn("Tests  1 passed (1)\n\n  2 passing (1ms)\n")?.passed).toBe(3);
  });

  it("a long run are found at its end, in time", () => {
    const noise = "1 1 1 1 tests, ok | 1 passed, 1 x, Tests: 1, \t1 - (\n".repeat(100_000);
    expect(testsIn(`${noise}===== 5 passed in 1.00s =====\n`)?.passed).toBe(5);
  });
});
