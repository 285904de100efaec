// Whose key signed an export of the log: a signature that anybody can make proves nothing by itself.
import { generateKeyPairSync, hash, sign } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportText } from "#core/seal.ts";
import { linesOf, Machine } from "./aiex.ts";

const machine = new Machine();
const anchorFile = join(machine.home, "audit", "anchor.jsonl");
const sha256 = (text: string) => hash("sha256", text, "hex");
afterAll(() => machine.remove());

/** A session of many events, sealed by the program itself. */
async function lived(on: Machine): Promise<void> {
  const calls = Array.from({ length: 60 }, () => ({ tool: "list", input: { path: "." } }));
  for (const answer of ["Done.", "Again."]) {
    const model = on.model(answer.slice(0, 2), [{ calls }, { text: answer }]);
    expect(await on.run(["ask", "--trust", "-m", model, "go"])).toMatchObject({ code: 0 });
  }
}

/** An export as somebody signs it who has no part in it: anybody can make a key. */
function signedAnew(text: string, change: (lines: string[]) => string[]): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  const { x } = privateKey.export({ format: "jwk" });
  const lines = change(text.trimEnd().split("\n").slice(0, -1));
  const all = lines.map((line) => `${line}\n`).join("");
  const digest = sha256(all);
  const signature = sign(null, Buffer.from(exportText(digest)), privateKey).toString("base64url");
  return `${all}${JSON.stringify({ records: lines.length - 1, digest, key: x, signature })}\n`;
}

describe("whose key signed an export", () => {
  const path = join(machine.root, "theirs.jsonl");
  const anew = join(machine.root, "anew.jsonl");
  const stranger = new Machine();
  let key = "";
  afterAll(() => stranger.remove());
  beforeAll(async () => {
    await lived(machine);
    const wrote = await machine.run(["audit", "export", "-o", path]);
    key = /signed by ([0-9a-f]{32})\n/.exec(wrote.err)?.[1] ?? "";
    // Its end is cut off: each chain and seal that is left holds.
    writeFileSync(
      anew,
      signedAnew(readFileSync(path, "utf8"), (lines) => lines.slice(0, 200)),
    );
  });

  const says = async (on: Machine, ...args: string[]) => {
    const { code, out, err } = await on.run(["audit", "verify", ...args]);
    return { code, text: out + err };
  };

  it("is told, and known on the machine that made it, by its anchor, and by its name", async () => {
    const jwk = join(machine.root, "key.json");
    const x = JSON.parse(readFileSync(join(machine.home, "audit", "seal-key.json"), "utf8")).x;
    writeFileSync(jwk, JSON.stringify({ kty: "OKP", crv: "Ed25519", x }));
    const list = join(machine.root, "keys.txt");
    writeFileSync(list, `${"0".repeat(32)} old\n${key} new\n`);
    const known = { code: 0, text: expect.stringContaining(`signed by ${key}, a known key`) };
    expect(await says(machine, path)).toMatchObject(known);
    for (const named of [
      ["--anchor", anchorFile],
      ["--key", key],
      ["--key", jwk],
      ["--key", list],
    ])
      expect(await says(stranger, path, ...named)).toMatchObject(known);
    const own = await machine.run(["audit", "verify"]);
    expect(own.out).toContain(` by ${key}`);
  });

  it("is refused where it is another than those that are known", async () => {
    const refused = { code: 74, text: expect.stringContaining("an UNKNOWN key") };
    expect(await says(machine, anew)).toMatchObject(refused);
    expect(await says(stranger, anew, "--key", key)).toMatchObject(refused);
    expect(await says(stranger, anew, "--anchor", anchorFile)).toMatchObject({ code: 74 });
    expect(await says(stranger, path, "--key", "f".repeat(32))).toMatchObject(refused);
    const [json] = linesOf((await machine.run(["audit", "verify", anew, "--json"])).out);
    expect(json).toMatchObject({ ok: false, bad: null, signer: { isKnown: false } });
  });

  it("is refused without any known key where none of its seals is by it", async () => {
    const text = expect.stringContaining("none of its seals is by that key");
    expect(await says(stranger, anew)).toMatchObject({ code: 74, text });
  });

  it("is said not to be known where nothing tells, and nothing is made for that", async () => {
    const text = expect.stringMatching(/every chain holds/);
    const honest = await says(stranger, path);
    expect(honest).toMatchObject({ code: 0, text });
    expect(honest.text).toContain(`signed by ${key}, and whose key that is is not known here`);
    expect(existsSync(join(stranger.home, "log.db"))).toBe(false);
    const [json] = linesOf((await stranger.run(["audit", "verify", path, "--json"])).out);
    expect(json).toMatchObject({ ok: true, signer: { key, isKnown: null } });
  });

  it("shows a log that was written anew, sealed and signed by a key of its own", async () => {
    const other = new Machine();
    await lived(other);
    const foreign = join(other.root, "foreign.jsonl");
    expect(await other.run(["audit", "export", "-o", foreign])).toMatchObject({ code: 0 });
    expect(await says(stranger, foreign)).toMatchObject({ code: 0 });
    for (const on of [() => says(machine, foreign), () => says(stranger, foreign, "--key", key)])
      expect(await on()).toMatchObject({ code: 74 });
    other.remove();
  });

  it("takes no key that is too short, no file without one, and none for the log itself", async () => {
    const empty = join(machine.root, "empty.txt");
    writeFileSync(empty, "nothing here\n");
    for (const args of [
      [path, "--key", key.slice(0, 16)],
      [path, "--key", empty],
      ["--key", key],
    ])
      expect(await says(machine, ...args)).toMatchObject({ code: 2 });
  });
});
