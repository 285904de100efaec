// Secrets in what a call says: masked in its result, its facts, its live output and its question,
// before any of it is logged, shown or sent.
import type { ToolOutcome } from "#boundary/tools/port.ts";
import type { Place, Verdict } from "#boundary/turn/parts.ts";
import type { UserPart } from "#core/model/message.ts";
import type { Access, Opened } from "#core/security/access.ts";
import { MASKED, type Mask } from "#core/security/mask.ts";
import { maskIds } from "#core/security/secret-rules.ts";
import type { Session } from "#core/session/state.ts";

/** The mask of a call: without the secrets of files that the user allowed for it, or for longer. */
export async function maskOf(
  { place, session }: { place: Place; session: Session },
  access: readonly Access[],
  opened: Opened,
): Promise<Mask> {
  const readable = await place.readable(session);
  const mayShow = (path: string) => opened.secrets?.includes(path) || readable(path, true);
  const named = access.flatMap((one) =>
    one.kind === "run" || one.kind === "fetch" ? [] : [one.path],
  );
  return await place.masking(mayShow, [...(opened.secrets ?? []), ...named.filter(mayShow)]);
}

export function maskedOutcome(outcome: ToolOutcome, mask: Mask): ToolOutcome {
  const { parts, facts } = outcome;
  const masked = parts.map((part): UserPart => {
    return part.type === "text" ? { ...part, text: mask(part.text) } : part;
  });
  const said = facts.map((fact) =>
    fact.type === "fileChanged" && fact.diff !== undefined
      ? { ...fact, diff: mask(fact.diff) }
      : fact,
  );
  return {
    ...outcome,
    parts: hasMask(masked) ? [...masked, { type: "text", text: HOW }] : masked,
    facts: said,
  };
}

const HOW =
  "(What stands as [secret: …] is masked, and stays in the file as it is. If the task needs it, run a " +
  'command with escalate {kind: "secret", path, why}: the user is asked for that very file.)';

const hasMask = (parts: readonly UserPart[]): boolean =>
  parts.some(
    (part) =>
      part.type === "text" &&
      [...part.text.matchAll(MASKED)].some(([, id = ""]) => maskIds.has(id)),
  );

/** The question as it is shown: a diff is of a file, a command is the model's own words. */
export function maskedQuestion<Q extends Extract<Verdict, { do: "ask" }>>(
  question: Q,
  access: readonly Access[],
  mask: Mask,
): Q {
  const isDiff = access.some(({ kind }) => kind === "write");
  return isDiff ? { ...question, what: mask(question.what) } : question;
}
