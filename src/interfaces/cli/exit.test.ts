// Every way to fail has its exit code, and every exit code is explained.
import { describe, expect, it } from "vitest";
import { type FailureCode, failureCodes } from "#core/failure.ts";
import { turnEnds } from "#core/session/events.ts";
import { exitCodes, exitOfFailure, exitOfTurn } from "#interfaces/cli/exit.ts";

describe("exit codes", () => {
  it("are documented for every failure and every end of a turn, and only success is 0", () => {
    for (const code of Object.keys(failureCodes) as FailureCode[]) {
      expect(exitCodes).toHaveProperty([exitOfFailure(code)]);
      expect(exitOfFailure(code), code).not.toBe(0);
      expect(exitOfTurn("failed", { code })).toBe(exitOfFailure(code));
    }
    for (const end of turnEnds) {
      expect(exitCodes).toHaveProperty([exitOfTurn(end)]);
      expect(exitOfTurn(end) === 0, end).toBe(end === "done");
    }
  });

  it("end a turn that failed for a reason nobody knows with 1", () => {
    expect(exitOfTurn("failed")).toBe(1);
    expect(exitOfTurn("failed", { code: "from the future" })).toBe(1);
    expect(exitOfTurn("failed", { code: "toString" })).toBe(1);
  });
});
