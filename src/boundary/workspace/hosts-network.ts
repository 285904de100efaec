// What a command that may reach some hosts gets beside the plain sandbox: a network of its own with
// nothing in it, a relay to the proxy, and the settings by which programs find a proxy.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Outside } from "#boundary/outside.ts";
import type { Mount } from "#boundary/workspace/mounts.ts";
import { type HostsProxy, startProxy } from "#boundary/workspace/proxy.ts";
import { ok, type Result } from "#core/failure.ts";

/** Where the relay listens. The network is the command's own, so any port is free there. */
const PORT = 61_080;
/** In the sandbox's own `/dev`: there on every system, and nothing that a command could prepare. */
const INSIDE = "/dev/aiex";

export type HostsNetwork = {
  proxy: HostsProxy;
  mounts: readonly Mount[];
  env: Readonly<Record<string, string>>;
  /** The words that run a command behind the relay. */
  behind(words: readonly string[]): string[];
};

export async function openHosts(
  hosts: readonly string[],
  { scratch, outside }: { scratch: string; outside: Outside },
): Promise<Result<HostsNetwork>> {
  const proxy = await startProxy({ hosts, outside }, scratch);
  if (!proxy.ok) return proxy;
  const relay = relayFile();
  const read = (name: string, from: string): Mount => ({
    kind: "read",
    path: `${INSIDE}/${name}`,
    from,
  });
  return ok({
    proxy: proxy.value,
    mounts: [
      read("node", process.execPath),
      read(relay.name, relay.path),
      read("proxy", proxy.value.path),
    ],
    env: settingsFor(hosts),
    behind: (words) => [
      `${INSIDE}/node`,
      `${INSIDE}/${relay.name}`,
      String(PORT),
      `${INSIDE}/proxy`,
      ...words,
    ],
  });
}

/** Beside the bundle it is built; from the sources Node runs the text itself. */
function relayFile(): { name: string; path: string } {
  const built = join(import.meta.dirname, "relay.cjs");
  if (existsSync(built)) return { name: "relay.cjs", path: built };
  return { name: "relay.mts", path: join(import.meta.dirname, "relay.ts") };
}

/**
 * How programs are told of a proxy. Never `socks`: some, as Python's httpx, then refuse to start.
 * A name of the machine itself is the sandbox's own, unless the user opened the host's.
 */
function settingsFor(hosts: readonly string[]): Record<string, string> {
  const url = `http://127.0.0.1:${PORT}`;
  const isOpened = (name: string) => hosts.some((host) => host.replace(/:\d+$/, "") === name);
  const direct = ["localhost", "127.0.0.1", "[::1]"]
    .filter((name) => !isOpened(name))
    .map((name) => (name === "[::1]" ? "::1" : name))
    .join(",");
  const settings: Record<string, string> = {
    npm_config_proxy: url,
    npm_config_https_proxy: url,
    npm_config_noproxy: direct,
    YARN_HTTP_PROXY: url,
    YARN_HTTPS_PROXY: url,
    CARGO_HTTP_PROXY: url,
    // A setting in the user's own file would lead elsewhere, where there is nothing.
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "http.proxy",
    GIT_CONFIG_VALUE_0: url,
  };
  for (const name of ["http_proxy", "https_proxy", "all_proxy"]) {
    settings[name] = url;
    settings[name.toUpperCase()] = url;
  }
  settings.no_proxy = direct;
  settings.NO_PROXY = direct;
  return settings;
}
