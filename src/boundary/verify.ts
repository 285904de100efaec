// The commands whose success proves something in a location: those that the user configured, and
// those found in the project's own files that the user confirmed there, each as it was then.
import type { VerifyRow } from "#app";
import { sha256 } from "#boundary/digest.ts";
import type { Located, Locations } from "#boundary/locations.ts";
import { detectedVerify } from "#boundary/verify-commands.ts";
import {
  defectOfVerify,
  filesNamedIn,
  isCounting,
  VERIFY_COMMANDS_MAX,
  type VerifyCommand,
} from "#core/evidence/verify.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { relativeTo } from "#core/security/paths.ts";

/** One entry of the configuration's `verify`; `location`: only there. */
export type VerifySetting = { command: string; folder: string; location: string | null };

export type Verify = {
  rows(path: string): Promise<Result<VerifyRow[]>>;
  commands(path: string): Promise<readonly VerifyCommand[]>;
  confirm(path: string, key: string): Promise<Result<Located>>;
};

export function verifyOver(locations: Locations, configured: readonly VerifySetting[]): Verify {
  async function rows(path: string): Promise<Result<VerifyRow[]>> {
    const located = await locations.find(path);
    if (!located.ok) return located;
    const { path: real, isTrusted, verify } = located.value;
    const own = configured
      .filter(({ location }) => location === null || location === real)
      .map(({ command, folder }) => rowOf({ command, folder, from: CONFIGURED, definition: "" }));
    // Nothing of a folder is even looked at before it is trusted.
    const found = isTrusted ? (await detectedVerify(real)).map(rowOf) : [];
    const known = new Set(own.map(({ folder, command }) => `${folder}\n${command}`));
    const others = found.filter(({ folder, command }) => !known.has(`${folder}\n${command}`));
    const all = [
      ...own.map((row) => ({ ...row, confirmed: true })),
      ...others.map((row) => ({ ...row, confirmed: verify.includes(row.key) })),
    ];
    return ok(all.slice(0, VERIFY_COMMANDS_MAX));
  }

  return {
    rows,
    async commands(path) {
      const all = await rows(path);
      return (all.ok ? all.value : [])
        .filter(({ confirmed }) => confirmed)
        .map(({ command, folder, definition }) => ({
          command,
          folder,
          files: filesNamedIn(`${command}\n${definition}`, folder),
          ...(isCounting(`${command}\n${definition}`) ? { counts: true } : {}),
        }));
    },
    async confirm(path, key) {
      const all = await rows(path);
      if (!all.ok) return all;
      const row = all.value.find((one) => one.key === key);
      if (!row) {
        return fail("not_found", "there is no such verify command here now", {
          fix: "`aiex verify` shows what there is; a file of the project may have changed",
        });
      }
      return await locations.confirmVerify(path, { key, title: row.command });
    },
  };
}

const CONFIGURED = "configuration";

const rowOf = (one: Omit<VerifyRow, "key" | "confirmed">) => ({
  ...one,
  key: sha256(JSON.stringify([one.command, one.folder, one.from, one.definition])),
});

/** Reads the configuration's `verify`: texts, or objects with command, folder and location. */
export function verifySettings(value: unknown): Result<VerifySetting[]> {
  const settings: VerifySetting[] = [];
  for (const entry of Array.isArray(value) ? value : []) {
    const given = typeof entry === "string" ? { command: entry } : entry;
    const { command, folder = ".", location = null, ...rest } = Object(given);
    const bad = (why: string) =>
      fail("bad_input", `verify: ${JSON.stringify(entry)} cannot be used: ${why}`, {
        fix: 'for example: aiex config set verify \'["npm test", {"command":"npm test","folder":"web"}]\'',
      });
    if (typeof command !== "string") return bad("it names no command");
    const [unknown] = Object.keys(rest);
    if (unknown !== undefined) return bad(`it knows no "${unknown}"`);
    const defect = defectOfVerify(command);
    if (defect !== null) return bad(defect);
    const inside = typeof folder === "string" ? relativeTo("/w", folder) : null;
    if (!inside?.ok) return bad("folder must be a path below the workspace");
    if (location !== null && !(typeof location === "string" && location.startsWith("/"))) {
      return bad("location must be an absolute path");
    }
    settings.push({ command: command.trim(), folder: inside.value, location });
  }
  return settings.length > VERIFY_COMMANDS_MAX
    ? fail("bad_input", `verify has more than ${VERIFY_COMMANDS_MAX} commands`)
    : ok(settings);
}
