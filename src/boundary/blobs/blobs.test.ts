// Both blob stores keep the promises; the folder also notices bytes that were changed behind it.
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { blobsContract } from "#boundary/blobs/contract.ts";
import { folderBlobs } from "#boundary/blobs/folder.ts";
import { memoryBlobs } from "#boundary/blobs/memory.ts";

const root = mkdtempSync(join(tmpdir(), "aiex-blobs-"));
let count = 0;
const fresh = () => join(root, String(++count));
afterAll(() => rmSync(root, { recursive: true, force: true }));

blobsContract("memory", memoryBlobs);
blobsContract("folder", () => folderBlobs(fresh()));

describe("a folder of blobs", () => {
  const put = async () => {
    const folder = fresh();
    const blobs = folderBlobs(folder);
    const hash = await blobs.put(new TextEncoder().encode("content"));
    if (!hash.ok) throw new Error(hash.error.say);
    const file = join(folder, hash.value.slice(0, 2), hash.value.slice(2));
    return { blobs, hash: hash.value, file, folder };
  };

  it("refuses bytes that are not what was put", async () => {
    const { blobs, hash, file } = await put();
    writeFileSync(file, "altered");
    expect(await blobs.get(hash)).toMatchObject({ error: { code: "corrupt" } });
  });

  it("is private, and leaves no draft behind", async () => {
    const { file, folder, hash } = await put();
    expect(statSync(file).mode & 0o077).toBe(0);
    expect(readdirSync(join(folder, hash.slice(0, 2)))).toEqual([hash.slice(2)]);
  });

  it("does not follow a name out of its folder", async () => {
    const { blobs } = await put();
    expect(await blobs.get("../../etc/passwd")).toMatchObject({ error: { code: "bad_input" } });
    expect(await blobs.has("../../etc/passwd")).toBe(false);
  });
});
