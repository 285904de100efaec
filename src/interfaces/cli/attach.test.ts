// What goes with a prompt is read whole or refused, whatever kind of file it is.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { spoken } from "#interfaces/cli/attach.ts";
import type { Terminal } from "#interfaces/cli/terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "aiex-attach-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const terminal = { piped: false } as Terminal;
const asking = (...files: string[]) => spoken({ words: ["look"], files, folder }, terminal);

describe("a file that goes with a prompt", () => {
  it("is put into it with its name where it is text, and attached where it is an image", async () => {
    writeFileSync(join(folder, "a.txt"), "hello\n");
    writeFileSync(join(folder, "a.gif"), Buffer.from("GIF89a\u0001\u0000\u0001\u0000", "latin1"));
    const { value } = (await asking("a.txt", "a.gif")) as { value: { text: string } };
    expect(value.text).toContain("The file a.txt:");
    expect(value).toMatchObject({ attachments: [{ name: "a.gif", media: "image/gif" }] });
  });

  it("ends at a limit also where it never ends itself", async () => {
    expect(await asking("/dev/zero")).toMatchObject({ error: { code: "too_large" } });
  });

  it("is refused with what to do where it is no file, or not there", async () => {
    for (const name of [".", "nothing.txt"]) {
      expect(await asking(name)).toMatchObject({
        error: { code: "bad_input", fix: "check the path after -i" },
      });
    }
  });
});
