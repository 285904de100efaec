// Both stores of objects keep the port's promises, and git itself agrees with what is in ours.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { objectsContract } from "#boundary/trees/contract.ts";
import { gitObjects } from "#boundary/trees/git.ts";
import { memoryObjects } from "#boundary/trees/memory.ts";
import { entriesIn, objectOf, treeOf } from "#boundary/trees/objects.ts";
import { fileMode } from "#core/tree/entry.ts";

const fresh = () => join(mkdtempSync(join(tmpdir(), "aiex-objects-")), "store");

async function opened(folder = fresh()) {
  const objects = await gitObjects(folder);
  if (!objects.ok) throw new Error(objects.error.say);
  return objects.value;
}

objectsContract("memory", memoryObjects);
objectsContract("git", () => opened());

describe("the git store", () => {
  it("names objects as git does", async () => {
    const folder = fresh();
    await opened(folder);
    const hashed = execFileSync("git", ["--git-dir", folder, "hash-object", "--stdin"], {
      input: "what git says\n",
    });
    expect(objectOf("blob", Buffer.from("what git says\n")).id).toBe(hashed.toString().trim());
  });

  it("is found again by another process, with what it had", async () => {
    const folder = fresh();
    const content = objectOf("blob", Buffer.from("kept"));
    await (await opened(folder)).put([content]);
    const got = await (await opened(folder)).get([content.id]);
    expect(got.ok && Buffer.from(got.value.get(content.id) ?? []).toString()).toBe("kept");
  });

  it("says of a damaged pack what is wrong, and answers nothing of it", async () => {
    const folder = fresh();
    const objects = await opened(folder);
    const content = objectOf("blob", Buffer.from("0123456789".repeat(1_000)));
    await objects.put([content]);
    const packs = join(folder, "objects", "pack");
    const [pack = ""] = readdirSync(packs).filter((name) => name.endsWith(".pack"));
    const bytes = readFileSync(join(packs, pack));
    bytes[20] = (bytes[20] ?? 0) ^ 0xff;
    chmodSync(join(packs, pack), 0o600);
    writeFileSync(join(packs, pack), bytes);
    expect((await objects.get([content.id])).ok).toBe(false);
    const checked = await objects.check(new AbortController().signal);
    expect(checked.ok && checked.value.length).toBeGreaterThan(0);
  });

  it("sorts a folder's names as git does", () => {
    const mode = fileMode(0o644, { ignored: false });
    const { id } = objectOf("blob", Buffer.from(""));
    const names = ["a.b", "a", "a0", "Z", "ü"];
    const tree = treeOf(new Map(names.map((name) => [name, { mode, id }])));
    expect([...entriesIn(tree.bytes).keys()]).toEqual(["Z", "a", "a.b", "a0", "ü"]);
  });
});
