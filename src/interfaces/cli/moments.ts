// A moment of a session as it is typed: the number of an event, as `aiex session show` names them.
import { fail, ok, type Result } from "#core/failure.ts";

export const momentAbout = "A moment: the number of an event, as `aiex session show` names them.";

export function momentIn(typed: string): Result<number> {
  if (/^[1-9]\d{0,15}$/.test(typed)) return ok(Number(typed));
  return fail("bad_input", `"${typed}" is no moment of a session`, {
    fix: "use the number of an event: `aiex session show` names them",
  });
}
