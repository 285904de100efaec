// Instruction files in real folders: which are read, in which order, how much of them, and never
// outside, by a link, or without trust.
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { INSTRUCTION_BYTES_MAX, instructionsOver } from "#boundary/instructions.ts";
import type { Located } from "#boundary/locations.ts";
import { folderWith } from "#boundary/tools/samples.ts";
import { localWorkspace } from "#boundary/workspace/local.ts";
import { ok } from "#core/failure.ts";

function reader(top: string, { folder = "", isTrusted = true } = {}) {
  const path = join(top, folder);
  const workspace = localWorkspace(path);
  if (!workspace.ok) throw new Error(workspace.error.say);
  const locations = { find: async () => ok({ isTrusted } as Located) };
  const home = join(top, "home");
  return instructionsOver({ home, path, workspace: workspace.value, locations });
}

const texts = async (read: ReturnType<typeof reader>, folders = ["."]) =>
  (await read(folders)).found.map(({ text }) => text.split("\n\n").at(-1));

describe("instruction files", () => {
  it("come from the user, then from the repository's root down to the folder", async () => {
    const top = folderWith({
      "home/AGENTS.md": "mine",
      "home/CLAUDE.md": "not this",
      "AGENTS.md": "above the repository",
      "repo/AGENTS.md": "root",
      "repo/pkg/CLAUDE.md": "package",
      "repo/pkg/app/.cursorrules": "app",
      "repo/pkg/app/src/AGENTS.md": "source",
    });
    mkdirSync(join(top, "repo/.git"));
    const read = reader(top, { folder: "repo/pkg/app" });
    expect(await texts(read)).toEqual(["mine", "root", "package", "app"]);
    expect(await texts(read, ["src", "src/none"])).toEqual(["source"]);
  });

  it("are one for each folder, the first of the names", async () => {
    const top = folderWith({ "AGENTS.md": "a", "CLAUDE.md": "b", ".cursorrules": "c" });
    expect(await texts(reader(top))).toEqual(["a"]);
  });

  it("above the folder are not looked for where there is no repository", async () => {
    const top = folderWith({ "AGENTS.md": "above", "work/CLAUDE.md": "here" });
    expect(await texts(reader(top, { folder: "work" }))).toEqual(["here"]);
  });

  it("of the project are not read where it is not trusted; the user's own are", async () => {
    const top = folderWith({ "home/AGENTS.md": "mine", "AGENTS.md": "evil" });
    expect(await texts(reader(top, { isTrusted: false }))).toEqual(["mine"]);
  });

  it("are named in their text, cut where they are too long, and say so", async () => {
    const top = folderWith({ "AGENTS.md": `${"x".repeat(INSTRUCTION_BYTES_MAX)}END` });
    const [found] = (await reader(top)(["."])).found;
    expect(found?.text.startsWith("Instructions from AGENTS.md:\n\nxxx")).toBe(true);
    expect(found?.text.endsWith("x\n(cut here: 3 more bytes of AGENTS.md are not shown)")).toBe(
      true,
    );
  });

  it("too long to be looked at are named", async () => {
    const top = folderWith({ "AGENTS.md": "x".repeat(1_100_000) });
    const [found] = (await reader(top)(["."])).found;
    expect(found?.text).toContain("(AGENTS.md is too long to be shown; read the part you need)");
  });

  it("are reached by no link that leads out, whatever is linked", async () => {
    const top = folderWith({
      "secret.txt": "secret",
      "repo/src/a.ts": "",
      "elsewhere/AGENTS.md": "e",
    });
    mkdirSync(join(top, "repo/.git"));
    symlinkSync(join(top, "secret.txt"), join(top, "repo/AGENTS.md"));
    symlinkSync(join(top, "elsewhere"), join(top, "repo/linked"));
    expect(await texts(reader(top, { folder: "repo" }), [".", "src", "linked"])).toEqual([]);
    expect(await texts(reader(top, { folder: "repo/src" }), ["."])).toEqual([]);
  });
});
