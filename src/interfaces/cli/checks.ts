// How the checks of the door read, one line each with its fix below.
import type { Check } from "#app";
import { reveal } from "#core/security/screen.ts";
import type { Paint } from "#interfaces/cli/paint.ts";

export const markOf = (ok: boolean, paint: Paint): string =>
  ok ? paint.green("✓") : paint.red("✗");

export function checkLines(checks: readonly Check[], paint: Paint): string[] {
  const wide = Math.max(0, ...checks.map(({ name }) => name.length));
  return checks.flatMap(({ name, ok, say, fix }) => {
    const line = `  ${markOf(ok, paint)} ${name.padEnd(wide)}  ${reveal(say)}`;
    const gap = " ".repeat(wide + 6);
    return ok || !fix ? [line] : [line, `${gap}${paint.dim(`fix: ${reveal(fix)}`)}`];
  });
}
