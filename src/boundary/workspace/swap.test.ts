// An attacker in another process swaps files and folders for links while the workspace works on
// them: 10⁴ swaps, and not one byte read or written outside.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { localWorkspace } from "#boundary/workspace/local.ts";

const SWAPS = 10_000;
const top = mkdtempSync(join(tmpdir(), "aiex-swap-"));
const root = join(top, "app");
const out = join(top, "out");
afterAll(() => rmSync(top, { recursive: true, force: true }));

/** Swaps `app/file` and `app/folder` for links to the outside and back, as fast as it can. */
const attacker = `
const fs = require("node:fs"), { join } = require("node:path");
const [root, out, swaps] = [process.argv[1], process.argv[2], Number(process.argv[3])];
const at = (name) => join(root, name);
const quietly = (act) => { try { act(); } catch {} };
for (let n = 0; n < swaps; n += 1) {
  quietly(() => { fs.symlinkSync(join(out, "witness"), at(".l")); fs.renameSync(at(".l"), at("file")); });
  quietly(() => { fs.renameSync(at("folder"), at(".d")); fs.symlinkSync(out, at("folder")); });
  quietly(() => { fs.writeFileSync(at(".f"), "inside"); fs.renameSync(at(".f"), at("file")); });
  quietly(() => { fs.unlinkSync(at("folder")); fs.renameSync(at(".d"), at("folder")); });
}
process.stdout.write("done");
`;

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

describe("a workspace under attack by swapped links", () => {
  it("reads and writes nothing outside", { timeout: 60_000 }, async () => {
    for (const folder of [join(root, "folder"), join(out, "secret")]) {
      mkdirSync(folder, { recursive: true });
    }
    writeFileSync(join(root, "file"), "inside");
    writeFileSync(join(root, "folder/witness"), "inside");
    writeFileSync(join(out, "witness"), "outside");
    const files = localWorkspace(root);
    if (!files.ok) throw new Error(files.error.say);
    const child = spawn(process.execPath, ["-e", attacker, root, out, String(SWAPS)]);
    let done = false;
    const said: string[] = [];
    child.stdout.on("data", (chunk) => said.push(String(chunk)));
    const ended = new Promise<void>((resolve) => {
      child.once("close", () => {
        done = true;
        resolve();
      });
    });
    const seen = { inside: 0, refused: 0, written: 0 };
    const bytes = new TextEncoder().encode("inside");
    while (!done) {
      for (const path of ["file", "folder/witness", "folder/fresh"]) {
        const read = await files.value.read(path, { bytesMax: 99 });
        if (read.ok) {
          expect(new TextDecoder().decode(read.value)).toBe("inside");
          seen.inside += 1;
        } else seen.refused += 1;
        const hash = await files.value.hash(path);
        if (hash.ok) expect([hashOf("inside"), "absent"]).toContain(hash.value);
        const expectation = { expect: hash.ok ? hash.value : hashOf("inside") };
        const written = await files.value.write(path, bytes, expectation);
        if (written.ok) seen.written += 1;
        await files.value.remove("folder/fresh", { expect: hashOf("inside") });
      }
      const listed = await files.value.list("folder");
      if (listed.ok) expect(listed.value.map((entry) => entry.name)).not.toContain("secret");
      await new Promise((resolve) => setImmediate(resolve));
    }
    await ended;
    expect(said.join("")).toBe("done");
    expect(readdirSync(out).sort()).toEqual(["secret", "witness"]);
    expect(readdirSync(join(out, "secret"))).toEqual([]);
    expect(readFileSync(join(out, "witness"), "utf8")).toBe("outside");
    // The test says something only if both outcomes occurred.
    expect(seen.inside).toBeGreaterThan(50);
    expect(seen.refused).toBeGreaterThan(50);
    expect(seen.written).toBeGreaterThan(10);
  });
});
