// What goes with a prompt is read whole or refused, whatever kind of file it is.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { spoken } from "#interfaces/cli/attach.ts";
import { readGiven } from "#interfaces/cli/given-file.ts";
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

  it("is refused with what to do where it is no file, or not there", async () => {
    for (const name of [".", "nothing.txt", "/dev/zero", "/dev/null"]) {
      expect(await asking(name)).toMatchObject({
        error: { code: "bad_input", fix: expect.stringMatching(/check the path|name a file/) },
      });
    }
  });

  it("ends at a limit", async () => {
    writeFileSync(join(folder, "big"), Buffer.alloc(20_971_521, "a"));
    expect(await asking("big")).toMatchObject({ error: { code: "too_large" } });
  });
});

describe("a pipe that goes with a prompt", () => {
  const pipe = join(folder, "pipe");
  const given = { name: "pipe", bytesMax: 100, tooLargeFix: "less" };
  beforeAll(() => void execFileSync("mkfifo", [pipe]));

  /** Holds the pipe open and writes to it; it is open once this has answered. */
  async function writer(text: string): Promise<ChildProcess> {
    const script = `exec 3<> "$0"; printf "$1" >&3; echo open; read _`;
    const child = spawn("bash", ["-c", script, pipe, text], { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    await once(child.stdout, "data");
    return child;
  }

  it("is refused at once where nobody writes to it", async () => {
    expect(await readGiven(pipe, given)).toMatchObject({
      error: { code: "bad_input", say: "pipe is a pipe that nobody writes to" },
    });
  });

  it("is read to its end, and not beyond the limit", async () => {
    const child = await writer("hello");
    const reading = readGiven(pipe, given);
    child.stdin?.end("\n");
    const read = await reading;
    expect(read.ok && read.value.toString()).toBe("hello");
    await writer("x".repeat(101));
    expect(await readGiven(pipe, given)).toMatchObject({ error: { code: "too_large" } });
  });

  it("is given up where its writer says nothing", async () => {
    await writer("");
    expect(await readGiven(pipe, { ...given, silenceMs: 1 })).toMatchObject({
      error: { code: "bad_input", say: expect.stringContaining("gave nothing for") },
    });
  });
});
