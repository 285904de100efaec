// The language servers of this node, as far as the user wants them.
import type { CodeTools } from "#boundary/tools/builtin/index.ts";
import { serversOfNode } from "#boundary/tools/servers/servers.ts";
import { searchPath } from "#boundary/workspace/environment.ts";
import { textSetting } from "#config";
import { languageServers } from "#core/code/language-servers.ts";
import type { StartOptions } from "./start.ts";

/** The servers and what they are used for; undefined where they are switched off. */
export function codeTools({ config, env }: StartOptions): CodeTools | undefined {
  const use = textSetting(config, "languageServers");
  if (use === "off") return undefined;
  const path = (root: string) => searchPath(env.PATH ?? "", root);
  const servers = serversOfNode({ table: languageServers, path, rustup: env.RUSTUP_HOME });
  return { servers, tellsErrors: use === "auto" };
}
