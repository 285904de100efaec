// When a failed call is tried again: bounded, spread, and never where it cannot help.
import { describe, expect, it } from "vitest";
import { BASE_MS, RETRIES_MAX, retryAfter, WAIT_MS_MAX, WAITED_MS_MAX } from "#core/backoff.ts";
import { type FailureCode, failureCodes } from "#core/failure.ts";

const asked = { attempt: 1, random: 0.5, waitedMs: 0 };

describe("a failed call", () => {
  it("is tried again only for a failure that passes by itself", () => {
    const passing = Object.keys(failureCodes).filter(
      (code) => retryAfter({ ...asked, code: code as FailureCode }).do === "retry",
    );
    expect(passing.sort()).toEqual([
      "broken",
      "overloaded",
      "rate_limited",
      "timeout",
      "unreachable",
    ]);
  });

  it("is tried again at most four times, below a doubling ceiling", () => {
    const waits = [1, 2, 3, 4, 5].map((attempt) =>
      retryAfter({ ...asked, code: "overloaded", attempt, random: 0.999_999 }),
    );
    expect(waits.slice(0, RETRIES_MAX)).toEqual(
      [0, 1, 2, 3].map((n) => ({ do: "retry", inMs: BASE_MS * 2 ** n - 1 })),
    );
    expect(waits[4]).toEqual({ do: "stop", why: "tried 5 times" });
  });

  it("may wait no time at all: full jitter", () => {
    expect(retryAfter({ ...asked, code: "broken", random: 0 })).toEqual({ do: "retry", inMs: 0 });
  });

  it("waits at least what the other end asks for, and stops where that is too long", () => {
    for (const random of [0, 0.3, 0.99]) {
      const wait = retryAfter({ ...asked, code: "rate_limited", retryAfterMs: 20_000, random });
      expect(wait.do === "retry" && wait.inMs).toBeGreaterThanOrEqual(20_000);
    }
    const day = retryAfter({ ...asked, code: "rate_limited", retryAfterMs: 86_400_000 });
    expect(day).toEqual({
      do: "stop",
      why: "the other end asks to wait 86400 s, longer than 30 s",
    });
    const late = { ...asked, code: "rate_limited", retryAfterMs: WAIT_MS_MAX } as const;
    expect(retryAfter({ ...late, waitedMs: 40_000 })).toMatchObject({ do: "stop" });
  });

  it("never waits more than a minute in all", () => {
    let waitedMs = 0;
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      const wait = retryAfter({
        code: "rate_limited",
        attempt: 1,
        retryAfterMs: 25_000,
        random: 0.99,
        waitedMs,
      });
      if (wait.do === "stop") break;
      waitedMs += wait.inMs;
    }
    expect(waitedMs).toBeGreaterThan(25_000);
    expect(waitedMs).toBeLessThanOrEqual(WAITED_MS_MAX);
  });

  it("is not tried again once the whole call ran out of time", () => {
    expect(retryAfter({ ...asked, code: "timeout", deadline: "total" }).do).toBe("stop");
    expect(retryAfter({ ...asked, code: "timeout", deadline: "silence" }).do).toBe("retry");
  });
});

describe("a hundred clients told to come back at the same second", () => {
  it("never meet: no 100 ms has more than a tenth of them", () => {
    const random = seeded(7);
    for (let round = 0; round < 20; round += 1) {
      const times = Array.from({ length: 100 }, () => {
        const wait = retryAfter({
          ...asked,
          code: "rate_limited",
          retryAfterMs: 5_000,
          random: random(),
        });
        return wait.do === "retry" ? Math.floor(wait.inMs / 100) : -1;
      });
      const most = Math.max(...times.map((at) => times.filter((other) => other === at).length));
      expect(most).toBeLessThanOrEqual(10);
    }
  });
});

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
