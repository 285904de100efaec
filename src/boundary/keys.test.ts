// Kept keys: what is on disk gives nothing away, what was changed does not open, what others could
// read is not used. The keychain is a map here; the files are real.
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type Keychain, type Keys, keysIn } from "#boundary/keys.ts";
import { fileLeases } from "#boundary/lease/file.ts";

const KEY = "sk-canary-4711-abcdefghijklmnop";
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function home(keychain: Keychain | null = null): { folder: string; keys: Keys } {
  const base = mkdtempSync(join(tmpdir(), "aiex-keys-"));
  folders.push(base);
  const folder = join(base, "keys");
  return { folder, keys: keysOf(folder, keychain, () => 7) };
}

/** As another process would have them: with leases of its own in the same folder. */
function keysOf(folder: string, keychain: Keychain | null, now: () => number): Keys {
  const leases = fileLeases(join(folder, "..", "leases"));
  return keysIn(folder, { keychain, leases, patience: () => AbortSignal.timeout(10_000), now });
}

function chainOf(): { keychain: Keychain; entries: Map<string, string> } {
  const entries = new Map<string, string>();
  const keychain: Keychain = {
    get: async (name) => entries.get(name) ?? null,
    set: async (name, secret) => void entries.set(name, secret),
    remove: async (name) => void entries.delete(name),
  };
  return { keychain, entries };
}

const bytesIn = (folder: string): string =>
  readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "latin1"))
    .join("\n");

describe("kept keys", () => {
  it("come back as they were, after a new start, and lie nowhere in the clear", async () => {
    const { folder, keys } = home();
    expect(await keys.set("openai", [KEY, "sk-second"])).toEqual({ ok: true, value: "file" });
    const again = keysOf(folder, null, () => 0);
    expect(await again.read("openai")).toEqual({ ok: true, value: [KEY, "sk-second"] });
    expect(await again.read("other")).toEqual({ ok: true, value: [] });
    expect(await again.list()).toEqual({
      ok: true,
      value: [{ provider: "openai", keys: 2, at: 7 }],
    });
    const bytes = bytesIn(folder);
    for (const form of [KEY, Buffer.from(KEY).toString("base64"), Buffer.from(KEY).toString("hex")])
      expect(bytes).not.toContain(form);
    for (const name of readdirSync(folder)) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it("are sealed with the keychain where there is one, and then no file holds their data key", async () => {
    const { keychain, entries } = chainOf();
    const { folder, keys } = home(keychain);
    expect(await keys.set("openai", [KEY])).toEqual({ ok: true, value: "keychain" });
    expect(readdirSync(folder)).toEqual(["keys.json"]);
    expect(entries.size).toBe(1);
    expect(await keys.read("openai")).toEqual({ ok: true, value: [KEY] });
    entries.clear();
    expect(await keys.read("openai")).toMatchObject({ error: { code: "unauthorised" } });
  });

  it("fall back to a file where the keychain refuses or forgets at once", async () => {
    const refuse = () => Promise.reject(new Error("no keychain"));
    const refusing: Keychain = { get: refuse, set: refuse, remove: refuse };
    const forgetful: Keychain = {
      get: async () => null,
      set: async () => {},
      remove: async () => {},
    };
    for (const keychain of [refusing, forgetful]) {
      const { keys } = home(keychain);
      expect(await keys.set("openai", [KEY])).toEqual({ ok: true, value: "file" });
      expect(await keys.read("openai")).toEqual({ ok: true, value: [KEY] });
    }
  });

  it("are all there after changes that overlap, however long the keychain takes", async () => {
    const { keychain, entries } = chainOf();
    const slow: Keychain = {
      ...keychain,
      get: async (name) => {
        await new Promise((done) => setImmediate(done));
        return await keychain.get(name);
      },
    };
    const { folder } = home();
    const names = ["one", "two", "three", "four"];
    const each = () => keysOf(folder, slow, () => 7);
    const first = await Promise.all(names.map((name) => each().set(name, [`sk-${name}`])));
    expect(first).toEqual(names.map(() => ({ ok: true, value: "keychain" })));
    expect(entries.size).toBe(1);
    const [rotated, set, removed] = await Promise.all([
      each().rotate(),
      each().set("five", ["sk-five"]),
      each().remove("one"),
    ]);
    expect([rotated.ok, set.ok, removed.ok]).toEqual([true, true, true]);
    expect(entries.size).toBe(1);
    for (const name of ["two", "three", "four", "five"]) {
      expect(await each().read(name)).toEqual({ ok: true, value: [`sk-${name}`] });
    }
    expect(await each().read("one")).toEqual({ ok: true, value: [] });
  });

  it("are not changed while another process does, and say so when patience ends", async () => {
    const { folder, keys } = home();
    await keys.set("openai", [KEY]);
    const elsewhere = fileLeases(join(folder, "..", "leases"));
    expect(elsewhere.take("kept keys")).toMatchObject({ ok: true });
    const impatient = keysIn(folder, {
      keychain: null,
      leases: fileLeases(join(folder, "..", "leases")),
      patience: () => AbortSignal.abort(),
      now: () => 7,
    });
    const busy = { error: { code: "busy", say: expect.stringContaining("another command") } };
    expect(await impatient.set("openai", ["sk-new"])).toMatchObject(busy);
    expect(await impatient.remove("openai")).toMatchObject(busy);
    expect(await impatient.rotate()).toMatchObject(busy);
    expect(await impatient.read("openai")).toEqual({ ok: true, value: [KEY] });
    elsewhere.close();
    expect(await impatient.set("openai", ["sk-new"])).toEqual({ ok: true, value: "file" });
  });

  it("say whether the keychain is silent, empty, or switched off, and lose nothing", async () => {
    const { keychain } = chainOf();
    const { folder, keys } = home(keychain);
    await keys.set("openai", [KEY]);
    const locked = { ...keychain, get: () => Promise.reject(new Error("locked")) };
    const empty = { ...keychain, get: async () => null };
    for (const [chain, say, fix] of [
      [locked, "did not answer", "unlock it and try again"],
      [empty, "is not in the system's keychain any more", "remove the folder `keys`"],
      [null, "sealed with the system's keychain", "the kept keys need it"],
    ] as const) {
      const now = keysOf(folder, chain, () => 7);
      const error = { say: expect.stringContaining(say), fix: expect.stringContaining(fix) };
      expect(await now.read("openai")).toMatchObject({ error });
      expect(await now.set("anthropic", ["sk-other"])).toMatchObject({ error });
      expect(await now.rotate()).toMatchObject({ error });
    }
    expect(await keys.read("openai")).toEqual({ ok: true, value: [KEY] });
  });

  it("are not used where others could read or change them, or where a link leads away", async () => {
    const { folder, keys } = home();
    await keys.set("openai", [KEY]);
    const [dataKey = ""] = readdirSync(folder).filter((name) => name.startsWith("data-key"));
    for (const [path, mode] of [
      [folder, 0o750],
      [join(folder, "keys.json"), 0o640],
      [join(folder, dataKey), 0o604],
    ] as const) {
      const before = statSync(path).mode & 0o777;
      chmodSync(path, mode);
      const read = await keys.read("openai");
      expect([path, read]).toMatchObject([path, { error: { code: "denied" } }]);
      if (!read.ok) expect(read.error.fix).toContain("chmod go-rwx");
      chmodSync(path, before);
    }
    const elsewhere = join(folder, "..", "elsewhere.json");
    writeFileSync(elsewhere, readFileSync(join(folder, "keys.json")), { mode: 0o600 });
    rmSync(join(folder, "keys.json"));
    symlinkSync(elsewhere, join(folder, "keys.json"));
    expect(await keys.read("openai")).toMatchObject({ error: { code: "denied" } });
  });

  it("do not open where a byte was changed, or where they were moved to another name", async () => {
    const { folder, keys } = home();
    await keys.set("openai", [KEY]);
    const file = join(folder, "keys.json");
    const text = readFileSync(file, "utf8");
    const { entries, ...rest } = JSON.parse(text);
    for (const field of ["iv", "tag", "data"] as const) {
      const bytes = Buffer.from(entries.openai[field], "base64");
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      const changed = { ...entries.openai, [field]: bytes.toString("base64") };
      writeFileSync(file, JSON.stringify({ ...rest, entries: { openai: changed } }));
      expect([field, await keys.read("openai")]).toMatchObject([
        field,
        { error: { code: "corrupt" } },
      ]);
    }
    writeFileSync(file, JSON.stringify({ ...rest, entries: { evil: entries.openai } }));
    expect(await keys.read("evil")).toMatchObject({ error: { code: "corrupt" } });
    for (const torn of [text.slice(0, 40), "", "[]", "null"]) {
      writeFileSync(file, torn);
      const read = await keys.read("openai");
      expect(read).toMatchObject({ error: { code: "corrupt" } });
      expect(JSON.stringify(read)).not.toContain(KEY);
    }
  });

  it("keep their words when they are sealed anew, and the old data key is gone", async () => {
    const { folder, keys } = home();
    await keys.set("openai", [KEY]);
    await keys.set("anthropic", ["sk-other"]);
    const before = readdirSync(folder);
    expect(await keys.rotate()).toEqual({ ok: true, value: "file" });
    expect(readdirSync(folder)).toHaveLength(2);
    expect(readdirSync(folder)).not.toEqual(before);
    expect(await keys.read("openai")).toEqual({ ok: true, value: [KEY] });
    expect(await keys.read("anthropic")).toEqual({ ok: true, value: ["sk-other"] });
  });

  it("are replaced by new ones and forgotten one by one; with the last goes the data key", async () => {
    const { folder, keys } = home();
    await keys.set("openai", [KEY]);
    await keys.set("openai", ["sk-new"]);
    expect(await keys.read("openai")).toEqual({ ok: true, value: ["sk-new"] });
    expect(await keys.remove("openai")).toEqual({ ok: true });
    expect(readdirSync(folder)).toEqual([]);
    expect(await keys.remove("openai")).toMatchObject({ error: { code: "not_found" } });
    expect(await keys.read("openai")).toEqual({ ok: true, value: [] });
  });

  it("are refused where they cannot be keys, without being repeated", async () => {
    const { folder, keys } = home();
    for (const bad of ["", `${KEY} x`, `${KEY}\u0007`, "k".repeat(5_000)]) {
      const set = await keys.set("openai", [bad]);
      expect(set).toMatchObject({ error: { code: "bad_input" } });
      expect(JSON.stringify(set)).not.toContain("canary");
    }
    expect(existsSync(folder)).toBe(false);
  });
});
