// The keys of providers, kept: each encrypted (AES-256-GCM) in one file under a data key that lies in
// the system's keychain, or where there is none in a file of its own that only the user can read. A
// key leaves this module only to open a model; it is in no list, no log and no failure. Files that
// others could read or write are refused.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod/mini";
import type { Lease, Leases } from "#boundary/lease/port.ts";
import { alone, privateFolder, privateText, writeWhole } from "#boundary/private-file.ts";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { parsed } from "#core/model/json.ts";

/** Where the data key lies. */
export type Kept = "keychain" | "file";

/** The system's keychain as far as it is used here; its calls reject where there is none. */
export type Keychain = {
  get(name: string): Promise<string | null>;
  set(name: string, secret: string): Promise<void>;
  remove(name: string): Promise<void>;
};

export type KeyEntry = { provider: string; keys: number; at: number };

export type Keys = {
  /** Replaces the keys of a provider; several are separate accounts. Answers where the data key is. */
  set(provider: string, keys: readonly string[]): Promise<Result<Kept>>;
  remove(provider: string): Promise<Result<void>>;
  /** Who has keys, and how many; never the keys. */
  list(): Promise<Result<readonly KeyEntry[]>>;
  /** The keys of a provider; none where it has none. */
  read(provider: string): Promise<Result<readonly string[]>>;
  /** A new data key for all of them; the old one is forgotten once nothing needs it. */
  rotate(): Promise<Result<Kept>>;
};

/** Characters of a key, at most, and keys of one provider. */
const KEY_CHARS_MAX = 4_096;
const KEYS_MAX = 16;
const DATA_KEY_BYTES = 32;
/** Of AES-GCM as NIST SP 800-38D recommends it; fresh for every encryption. */
const IV_BYTES = 12;
/** Between two tries for the lease of a change. A person does not notice it. Milliseconds. */
const LEASE_RETRY_MS = 20;
/** The lease of whoever changes the kept keys; sessions, which have leases too, have other names. */
const LEASE = "kept keys";

const sealed = z.strictObject({
  iv: z.string(),
  tag: z.string(),
  data: z.string(),
  keys: z.int(),
  at: z.int(),
});
const storeShape = z.strictObject({
  v: z.literal(1),
  dataKey: z.string().check(z.regex(/^[0-9a-f]{16}$/)),
  kept: z.enum(["keychain", "file"]),
  entries: z.record(z.string(), sealed),
});
type Store = z.infer<typeof storeShape>;
type Sealed = z.infer<typeof sealed>;

export type KeysOptions = {
  /** Null where the user wants none. */
  keychain: Keychain | null;
  /** Of this machine: only one process at a time changes the keys. */
  leases: Leases;
  /** Until when a change waits for another one. */
  patience(): AbortSignal;
  now(): number;
};

export function keysIn(folder: string, options: KeysOptions): Keys {
  const { keychain, leases, patience, now } = options;
  const file = join(folder, "keys.json");
  const dataKeyFile = (id: string) => join(folder, `data-key-${id}`);
  const chainName = (id: string) => `${folder} ${id}`;

  function load(): Result<Store | null> {
    const safe = alone(folder, "folder");
    if (!safe.ok) return safe;
    const text = safe.value ? privateText(file) : ok(null);
    if (!text.ok) return text;
    if (text.value === null) return ok(null);
    const store = storeShape.safeParse(parsed(text.value));
    return store.success ? ok(store.data) : damaged(file);
  }

  /** The data key of a store. */
  async function dataKeyOf({ dataKey, kept }: Store): Promise<Result<Buffer>> {
    if (kept === "file") {
      const text = privateText(dataKeyFile(dataKey));
      if (!text.ok) return text;
      return text.value === null ? lost(dataKeyFile(dataKey)) : keyOf(text.value);
    }
    if (!keychain) return switchedOff;
    let text: string | null;
    try {
      text = await keychain.get(chainName(dataKey));
    } catch {
      return silent;
    }
    return text ? keyOf(text) : lost("the system's keychain");
  }

  /** Makes a data key and keeps it, in the keychain where there is one. */
  async function newDataKey(): Promise<Result<Pick<Store, "dataKey" | "kept"> & { key: Buffer }>> {
    const key = randomBytes(DATA_KEY_BYTES);
    const dataKey = randomBytes(8).toString("hex");
    const text = key.toString("base64");
    try {
      if (keychain) {
        await keychain.set(chainName(dataKey), text);
        // Some keychains accept what they then do not keep.
        if ((await keychain.get(chainName(dataKey))) === text) {
          return ok({ key, dataKey, kept: "keychain" });
        }
      }
    } catch {
      // No keychain here: the file below.
    }
    const written = writeWhole(dataKeyFile(dataKey), text);
    return written.ok ? ok({ key, dataKey, kept: "file" }) : written;
  }

  async function forget({ dataKey, kept }: Pick<Store, "dataKey" | "kept">): Promise<void> {
    if (kept === "file") rmSync(dataKeyFile(dataKey), { force: true });
    else await keychain?.remove(chainName(dataKey)).catch(() => {});
  }

  function save(store: Store): Result<void> {
    return writeWhole(file, `${JSON.stringify(store, null, 2)}\n`);
  }

  /** The store to change, made with its data key where there is none yet. */
  async function opened(): Promise<Result<{ store: Store; key: Buffer }>> {
    const made = privateFolder(folder);
    if (!made.ok) return made;
    const loaded = load();
    if (!loaded.ok) return loaded;
    if (loaded.value) {
      const key = await dataKeyOf(loaded.value);
      return key.ok ? ok({ store: loaded.value, key: key.value }) : key;
    }
    const fresh = await newDataKey();
    if (!fresh.ok) return fresh;
    const { key, dataKey, kept } = fresh.value;
    return ok({ store: { v: 1, dataKey, kept, entries: {} }, key });
  }

  /**
   * Makes a change while nobody else does. The whole store is read, sealed and written: two changes
   * that overlap, one of them waiting for the keychain, would lose the keys of one.
   */
  async function oneAtATime<T>(change: () => Promise<Result<T>>): Promise<Result<T>> {
    const lease = await turnOf(leases, patience());
    if (!lease.ok) return lease;
    try {
      return await change();
    } finally {
      lease.value.release();
    }
  }

  async function setAll(provider: string, keys: readonly string[]): Promise<Result<Kept>> {
    const at = await opened();
    if (!at.ok) return at;
    const { store, key } = at.value;
    const entries = { ...store.entries, [provider]: seal(provider, keys, key, now()) };
    const saved = save({ ...store, entries });
    return saved.ok ? ok(store.kept) : saved;
  }

  async function removeAll(provider: string): Promise<Result<void>> {
    const loaded = load();
    if (!loaded.ok) return loaded;
    if (!loaded.value || !Object.hasOwn(loaded.value.entries, provider)) {
      return fail("not_found", `no key of ${provider} is kept`, {
        fix: "`aiex auth list` shows them",
      });
    }
    const { [provider]: _, ...entries } = loaded.value.entries;
    if (Object.keys(entries).length > 0) return save({ ...loaded.value, entries });
    rmSync(file, { force: true });
    await forget(loaded.value);
    return ok();
  }

  async function rotateAll(): Promise<Result<Kept>> {
    const loaded = load();
    if (!loaded.ok) return loaded;
    if (!loaded.value) return fail("not_found", "no key is kept", { fix: "aiex auth set openai" });
    const old = loaded.value;
    const key = await dataKeyOf(old);
    if (!key.ok) return key;
    const fresh = await newDataKey();
    if (!fresh.ok) return fresh;
    const { dataKey, kept } = fresh.value;
    const entries: Store["entries"] = {};
    for (const [provider, entry] of Object.entries(old.entries)) {
      const keys = unseal(provider, entry, key.value);
      if (!keys.ok) return keys;
      entries[provider] = seal(provider, keys.value, fresh.value.key, entry.at);
    }
    // One rename changes over; a crash before it leaves the old, after it the new.
    const saved = save({ v: 1, dataKey, kept, entries });
    if (!saved.ok) return saved;
    await forget(old);
    return ok(kept);
  }

  return {
    async set(provider, keys) {
      const bad = keys.length === 0 ? noKey : (keys.map(faultIn).find((fault) => fault) ?? null);
      if (bad) return bad;
      if (keys.length > KEYS_MAX) return fail("too_large", `more than ${KEYS_MAX} keys`);
      return await oneAtATime(async () => await setAll(provider, keys));
    },
    remove: async (provider) => await oneAtATime(async () => await removeAll(provider)),
    async list() {
      const loaded = load();
      if (!loaded.ok) return loaded;
      const entries = Object.entries(loaded.value?.entries ?? {});
      return ok(entries.map(([provider, { keys, at }]) => ({ provider, keys, at })));
    },
    async read(provider) {
      const loaded = load();
      if (!loaded.ok) return loaded;
      const entry = loaded.value?.entries[provider];
      if (!loaded.value || !entry) return ok([]);
      const key = await dataKeyOf(loaded.value);
      return key.ok ? unseal(provider, entry, key.value) : key;
    },
    rotate: async () => await oneAtATime(rotateAll),
  };
}

/** The lease of a change, as soon as whoever has it is done. */
async function turnOf(leases: Leases, patience: AbortSignal): Promise<Result<Lease>> {
  for (;;) {
    const lease = leases.take(LEASE);
    if (lease.ok || lease.error.code !== "busy") return lease;
    try {
      await sleep(LEASE_RETRY_MS, undefined, { signal: patience });
    } catch {
      return fail("busy", "the kept keys are being changed by another command", {
        fix: "wait for it, or stop it, and try again",
      });
    }
  }
}

const noKey = fail("bad_input", "no key was given", { fix: "type or pipe the key" });

function faultIn(key: string): Failed | null {
  if (key !== "" && key.length <= KEY_CHARS_MAX && /^[\x21-\x7e]*$/.test(key)) return null;
  return fail("bad_input", "the key is empty, too long, or holds characters that no key has", {
    fix: "copy it again, without spaces and quotes",
  });
}

/** The provider's name is bound to the text: an entry that is moved to another name does not open. */
function seal(provider: string, keys: readonly string[], dataKey: Buffer, at: number): Sealed {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", dataKey, iv);
  cipher.setAAD(Buffer.from(provider));
  const data = Buffer.concat([cipher.update(JSON.stringify(keys)), cipher.final()]);
  const base64 = (bytes: Buffer) => bytes.toString("base64");
  const tag = cipher.getAuthTag();
  return { iv: base64(iv), tag: base64(tag), data: base64(data), keys: keys.length, at };
}

function unseal(provider: string, entry: Sealed, dataKey: Buffer): Result<readonly string[]> {
  try {
    const bytes = (text: string) => Buffer.from(text, "base64");
    const decipher = createDecipheriv("aes-256-gcm", dataKey, bytes(entry.iv), {
      authTagLength: 16,
    });
    decipher.setAAD(Buffer.from(provider));
    decipher.setAuthTag(bytes(entry.tag));
    const text = Buffer.concat([decipher.update(bytes(entry.data)), decipher.final()]).toString();
    return ok(z.array(z.string()).parse(JSON.parse(text)));
  } catch {
    // What went wrong may hold a part of the key: only that it did is said.
    return damaged(`the kept key of ${provider}`);
  }
}

function keyOf(text: string): Result<Buffer> {
  const key = Buffer.from(text.trim(), "base64");
  return key.length === DATA_KEY_BYTES ? ok(key) : damaged("the data key");
}

const damaged = (what: string): Failed =>
  fail("corrupt", `${what} is not what was kept there`, {
    fix: "remove the folder `keys` in Aiex's home and set the keys again with `aiex auth set`",
  });

const lost = (where: string): Failed =>
  fail("unauthorised", `the data key of the kept keys is not in ${where} any more`, {
    fix: "remove the folder `keys` in Aiex's home and set the keys again",
  });

/** Not `unreachable`, which is tried again, each time as long as a keychain may take. */
const silent = fail("unauthorised", "the system's keychain did not answer", {
  fix: "unlock it and try again",
});

const switchedOff = fail(
  "unauthorised",
  "the kept keys are sealed with the system's keychain, and `keychain` is `none`",
  { fix: "set `keychain` (or AIEX_KEYCHAIN) to auto; the kept keys need it" },
);
