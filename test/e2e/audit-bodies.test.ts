// Bodies that are too long for a record lie in blobs: the audit reads them, too.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { linesOf, Machine } from "./aiex.ts";

describe("a body that lies in a blob", () => {
  it("is read and compared, and one that was changed or is gone is named with its record", async () => {
    const other = new Machine();
    const model = other.model("m", [{ text: "long ".repeat(20_000) }]);
    const asked = await other.run(["ask", "--trust", "--json", "-m", model, "hi"]);
    const log = new DatabaseSync(join(other.home, "log.db"));
    const sql = "SELECT position, CAST(body AS TEXT) AS body FROM records WHERE body LIKE ?";
    const far = log.prepare(sql).get('{"$blob"%') as { position: number; body: string };
    log.close();
    const { $blob } = JSON.parse(far.body) as { $blob: string };
    const blob = join(other.home, "blobs", $blob.slice(0, 2), $blob.slice(2));
    const bytes = readFileSync(blob);
    const says = async (...args: string[]) => {
      const ran = await other.run(["audit", "verify", "--json", ...args]);
      return { code: ran.code, ...linesOf(ran.out)[0] };
    };
    expect(await says()).toMatchObject({ code: 0, ok: true, inBlobs: 1, blobsElsewhere: 0 });

    const flipped = Buffer.from(bytes);
    flipped[bytes.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    const { position } = far;
    for (const [harm, fault] of [
      [() => writeFileSync(blob, flipped), "the blob with its body was changed"],
      [() => writeFileSync(blob, bytes.subarray(1)), "the blob with its body was changed"],
      [() => {}, "the blob with its body is gone, and nothing says that it was erased"],
      [() => execFileSync("mkfifo", [blob]), "the blob with its body was changed"],
    ] as const) {
      rmSync(blob, { force: true });
      harm();
      expect(await says()).toMatchObject({ code: 74, ok: false, bad: { position, fault } });
    }
    rmSync(blob);
    writeFileSync(blob, bytes);

    const path = join(other.root, "all.jsonl");
    expect(await other.run(["audit", "export", "-o", path])).toMatchObject({ code: 0 });
    const elsewhere = await other.run(["audit", "verify", path]);
    expect(elsewhere).toMatchObject({
      code: 0,
      out: expect.stringContaining("1 long body in blobs, which are not in this file"),
    });
    const [session] = linesOf(asked.out).flatMap((line) => line.session ?? []);
    expect(await other.run(["session", "rm", String(session), "--yes"])).toMatchObject({ code: 0 });
    expect(await says()).toMatchObject({ code: 0, ok: true, inBlobs: 0 });
    other.remove();
  });
});
