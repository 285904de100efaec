// The closing lines of a test run: `ran N of M` for each suite, each skip with its reason, and in
// CI a failure for any skip, because there every tool and fixture is required.
import type { Reporter, TestCase, TestModule } from "vitest/node";

class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const suites = new Map<string, { ran: number; all: number; failed: number }>();
    const skips: string[] = [];
    for (const module of modules) {
      const name = module.project.name;
      const suite = suites.get(name) ?? { ran: 0, all: 0, failed: 0 };
      suites.set(name, suite);
      for (const test of module.children.allTests()) {
        suite.all += 1;
        const { state } = test.result();
        if (state === "passed") suite.ran += 1;
        if (state === "failed") {
          suite.ran += 1;
          suite.failed += 1;
        }
        if (state === "skipped") skips.push(`${test.fullName}: ${reasonOf(test)}`);
      }
    }
    for (const [name, { ran, all }] of suites) console.log(`${name}: ran ${ran} of ${all}`);
    for (const skip of skips) console.log(`skipped ${skip}`);
    const sum = [...suites.values()];
    const failed = sum.reduce((n, suite) => n + suite.failed, 0);
    const ran = sum.reduce((n, suite) => n + suite.ran, 0);
    console.log(`${ran - failed} passed, ${failed} failed, ${skips.length} skipped`);
    if (process.env.CI && skips.length > 0) {
      console.log("a skip is a failure in CI: install what is missing");
      process.exitCode = 1;
    }
  }
}

function reasonOf(test: TestCase): string {
  const { note } = (test.result() ?? {}) as { note?: string };
  return note ?? "no reason given, which is a defect";
}

export default CountReporter;
