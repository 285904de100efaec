// Asking for the user's leave: what is shown is exactly what would be run or changed, and what the
// answer opens. Without a terminal the same is said, with how to answer it later.

import type { Scope } from "#core/security/permission.ts";
import { reveal } from "#core/security/screen.ts";
import type { EventOf } from "#core/session/events.ts";
import type { Keyboard } from "#interfaces/cli/keyboard.ts";
import type { Paint } from "#interfaces/cli/paint.ts";

/** A question; one of a child has its session, and the role it has there. */
export type Ask = Omit<EventOf<"PermissionAsked">, "type"> & { session?: string; role?: string };

export type Reply = { answer: "allow" | "deny"; scope: Scope; say?: string };

/** Characters of a permission's hash that name it. */
export const HASH_CHARS = 12;

/** The question as text: what, why, and what it opens. */
export function questionText(ask: Ask, paint: Paint): string {
  const who = ask.role === undefined ? "Aiex" : `A child of Aiex (${reveal(ask.role)})`;
  const rows = [`${paint.bold(`${who} asks for your leave:`)} ${reveal(ask.title)}`];
  if (ask.why.trim() !== "") rows.push(`because ${indented(reveal(ask.why), "        ")}`);
  for (const opened of opensOf(ask)) rows.push(paint.yellow(`opens   ${opened}`));
  rows.push(
    "",
    ...reveal(ask.what.replace(/\n$/, ""))
      .split("\n")
      .map((line) => drawn(line, paint)),
  );
  return `${rows.join("\n")}\n`;
}

const indented = (text: string, gap: string): string => text.trim().replaceAll("\n", `\n${gap}`);

/** A line of a command or a diff. */
function drawn(line: string, paint: Paint): string {
  if (line.startsWith("+")) return paint.green(`    ${line}`);
  if (line.startsWith("-")) return paint.red(`    ${line}`);
  return `    ${line}`;
}

function opensOf({ opens }: Ask): string[] {
  const found: string[] = [];
  if (opens.network) found.push("the whole network: every host, every protocol");
  if (opens.hosts?.length) found.push(`the network to ${opens.hosts.map(reveal).join(", ")}`);
  if (opens.write?.length) found.push(`writing to ${opens.write.map(reveal).join(", ")}`);
  if (opens.secrets?.length) found.push(`the secrets in ${opens.secrets.map(reveal).join(", ")}`);
  if (opens.unsandboxed) found.push("everything: it would run outside the sandbox");
  return found;
}

/** What may be typed as an answer. */
export const KEYS =
  "[y] once  [s] this session  [w] always in this folder  [n] no, or type why not";
const words: Record<string, Reply> = {
  y: { answer: "allow", scope: "once" },
  yes: { answer: "allow", scope: "once" },
  s: { answer: "allow", scope: "session" },
  w: { answer: "allow", scope: "workspace" },
  n: { answer: "deny", scope: "once" },
  no: { answer: "deny", scope: "once" },
};

/** What an answer means; null where it means nothing. More than a letter or two is a reason. */
export function replyOf(typed: string): Reply | null {
  const text = typed.trim();
  const known = words[text.toLowerCase()];
  if (known) return known;
  return text.length > 2 ? { answer: "deny", scope: "once", say: text.slice(0, 2_000) } : null;
}

/** Asks until the answer is understood; null where nobody answers or the question is void. */
export async function askFor(
  ask: Ask,
  keyboard: Keyboard,
  print: (text: string) => void,
  options: { paint: Paint; signal: AbortSignal },
): Promise<Reply | null> {
  const { paint, signal } = options;
  print(`\n${questionText(ask, paint)}\n`);
  while (true) {
    const typed = await keyboard.ask(`${paint.dim(KEYS)}\n? `, signal);
    if (typed === null) return null;
    const reply = replyOf(typed);
    if (reply) return reply;
  }
}

/** What is said where nobody can be asked: what is needed, and how to go on. */
export function neededText(session: string, asks: readonly Ask[], paint: Paint): string {
  const questions = asks.map((ask) => questionText(ask, paint));
  const allow = asks.map(({ hash }) => ` --allow ${hash.slice(0, HASH_CHARS)}`).join("");
  return [
    ...questions,
    "There is no terminal to ask. The session waits; to go on:",
    `  aiex ask --session ${session}${allow}   allow exactly this, once`,
    `  aiex ask --session ${session}   answer in a terminal`,
    "",
  ].join("\n");
}
