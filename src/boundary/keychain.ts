// The system's keychain: macOS Keychain, or the Secret Service of a Linux desktop. The kernel's own
// keyring is never used, because it forgets at the next start.
import type { Keychain } from "#boundary/keys.ts";

/** How Aiex's entries are called there. */
const SERVICE = "aiex";
/** How long a keychain may take, a person's unlocking included. Milliseconds. */
const WAIT_MS = 30_000;

/** Made without asking the keychain anything; where there is none, its calls reject. */
export function systemKeychain(): Keychain {
  const entry = async (name: string) => {
    const { AsyncEntry } = await import("@napi-rs/keyring");
    return new AsyncEntry(SERVICE, name, { linux: { store: "secret-service" } });
  };
  return {
    get: async (name) => await (await entry(name)).getPassword(AbortSignal.timeout(WAIT_MS)),
    set: async (name, secret) =>
      await (await entry(name)).setPassword(secret, AbortSignal.timeout(WAIT_MS)),
    remove: async (name) => {
      await (await entry(name)).deletePassword(AbortSignal.timeout(WAIT_MS));
    },
  };
}
