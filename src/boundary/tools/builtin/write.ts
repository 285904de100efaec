// Creates a file or replaces a whole one, in one step: a reader sees the old bytes or the new.

import * as z from "zod/mini";
import { sha256 } from "#boundary/digest.ts";
import {
  bytesOf,
  checkSeen,
  maskedText,
  type Present,
  presentFile,
  textIn,
} from "#boundary/tools/text-file.ts";
import { defineTool, outcome, refusal } from "#boundary/tools/tool.ts";
import { countsOf, keptDiff, unifiedDiff } from "#core/code/diff.ts";
import { linesOf, sourceText } from "#core/code/lines.ts";
import { ok } from "#core/failure.ts";

/** UTF-16 units of a file's content. */
const CONTENT_CHARACTERS_MAX = 1_000_000;
/** Characters of the diff that a refusal shows. */
const REFUSAL_DIFF_CHARACTERS_MAX = 4_000;

export const write = defineTool({
  name: "write",
  effect: "verifiable",
  about: [
    "Create a file, or replace a whole one, with exactly this content (UTF-8; folders are made).",
    "For changes to a part use `edit`, which is shorter and safer. An existing file must have been",
    `\`read\` in its present state. At most ${CONTENT_CHARACTERS_MAX} characters.`,
  ].join(" "),
  input: z.strictObject({
    path: z
      .string()
      .check(z.minLength(1), z.maxLength(4_096), z.describe("Path in the workspace.")),
    content: z
      .string()
      .check(z.maxLength(CONTENT_CHARACTERS_MAX), z.describe("The whole content of the file.")),
  }),
  example: { path: "src/greet.ts", content: 'export const greeting = "hello";\n' },
  async prepare({ path: given, content }, context) {
    const { workspace } = context;
    const present = await presentFile(workspace, given);
    if (!present.ok) return present;
    const { path, hash: before } = present.value;
    const bytes = bytesOf(content);
    if (!bytes.ok) return bytes;
    const held = heldText(present.value);
    const masked = maskedText([content], held ?? "");
    if (masked) return masked;
    const unseen = checkSeen(context, present.value, () => {
      const options = { path, charactersMax: REFUSAL_DIFF_CHARACTERS_MAX };
      return `From what it holds now to your content:\n${unifiedDiff(held, content, options).text}\n`;
    });
    if (unseen) return unseen;
    const after = sha256(bytes.value);
    const diff = unifiedDiff(held, content, { path });
    const size = before === "absent" ? `${linesIn(content)} lines` : countsOf(diff);
    return ok({
      access: [{ kind: "write" as const, path, diff: diff.text }],
      effect: "verifiable" as const,
      intent: { files: [{ path, before, after }] },
      title: `${before === "absent" ? "create" : "replace"} ${path} (${size})`,
      async run() {
        const written = await workspace.write(path, bytes.value, { expect: before });
        if (!written.ok) return refusal({ fix: "read it, then write it again", ...written.error });
        const did = before === "absent" ? "created" : "replaced";
        return outcome(`${did} ${path} (${size}, ${bytes.value.length} bytes)`, {
          facts: [
            { type: "fileChanged", path, before, after, diff: keptDiff(diff.text, { of: 1 }) },
            { type: "fileSeen", path, hash: after },
          ],
        });
      },
    });
  },
});

/** What a diff can compare with: nothing where there is no file, a word where it is no text. */
function heldText(present: Present): string | null {
  if (present.hash === "absent") return null;
  const text = textIn(present);
  return text.ok ? text.value : `(${present.bytes.length} bytes that are not text)\n`;
}

const linesIn = (text: string): number => linesOf(sourceText(text)).length;
