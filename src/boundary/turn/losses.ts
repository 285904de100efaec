// Before a command deletes what no tree holds, the user is asked and the files are named: nothing
// could bring them back. What a tool can make again (dependencies, build output) is deleted as ever.
import { sha256 } from "#boundary/digest.ts";
import type { Prepared } from "#boundary/tools/port.ts";
import type { Place, Verdict } from "#boundary/turn/parts.ts";
import { isLost, type Loss, lossesIn } from "#core/security/losses.ts";
import type { LeftReason } from "#core/tree/entry.ts";

/** Paths that are named. */
const NAMED_MAX = 10;

/** What nobody misses. */
const MADE_AGAIN = new Set<LeftReason>([
  "dependencies",
  "build output",
  "neither a file nor a folder",
]);

/** The verdict, asking where the call would lose what cannot come back. */
export async function withLosses(
  verdict: Verdict,
  { prepared, place, signal }: { prepared: Prepared; place: Place; signal: AbortSignal },
): Promise<Verdict> {
  if (verdict.do === "deny") return verdict;
  const losses = lossesOf(prepared, place);
  if (losses.length === 0) return verdict;
  const trees = await place.trees();
  if (!trees.ok) return verdict;
  const recorded = await trees.value.record(signal);
  if (!recorded.ok) return verdict;
  const lost = trees.value
    .leftOut()
    .filter(
      ({ path, why }) => !MADE_AGAIN.has(why) && losses.some((loss) => isLost(loss, path, why)),
    );
  if (lost.length === 0) return verdict;
  const names = await Promise.all(lost.slice(0, NAMED_MAX).map((one) => named(place, one)));
  const more = lost.length > NAMED_MAX ? ` and ${lost.length - NAMED_MAX} more` : "";
  const why = `it deletes what no undo can bring back: ${names.join(", ")}${more}`;
  return asking(verdict, prepared, why);
}

function lossesOf({ access }: Prepared, { workspace }: Place): Loss[] {
  return access.flatMap((one) =>
    one.kind === "run" && typeof one.command === "string"
      ? lossesIn(one.command, one.cwd, workspace.root)
      : [],
  );
}

async function named(
  { workspace }: Place,
  { path, why }: { path: string; why: LeftReason },
): Promise<string> {
  const stat = await workspace.stat(path);
  const size = stat.ok && stat.value.kind === "file" ? `, ${mebibytes(stat.value.bytes)}` : "";
  return `${path} (${why}${size})`;
}

const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`;

/** A question that is asked anyway says it too, and one answer is for both. */
function asking(
  verdict: Exclude<Verdict, { do: "deny" }>,
  { access, title }: Prepared,
  why: string,
): Verdict {
  const hash = sha256(JSON.stringify([access, verdict.opens, why]));
  if (verdict.do === "ask") return { ...verdict, why: `${verdict.why}; ${why}`, hash };
  const what = access
    .flatMap((one) => (one.kind === "run" ? [String(one.command)] : []))
    .join("\n");
  return { do: "ask", title, why, what, opens: verdict.opens, hash, keys: [] };
}
