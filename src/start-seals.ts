// The audit's part of the composition root: where the seals' key and anchors lie.
import { isAbsolute, join } from "node:path";
import type { Check } from "#app";
import type { Sealing } from "#boundary/sealing.ts";
import type { SealParts } from "#boundary/seals.ts";
import { type Config, textSetting } from "#config";
import { fail, ok, type Result } from "#core/failure.ts";

/** In the home, and a copy where the user wants. */
export function sealsOf(config: Config, ephemeral: boolean): Result<SealParts> {
  const folder = join(config.home, "audit");
  const copy = textSetting(config, "audit.anchor");
  if (copy !== "" && !isAbsolute(copy)) {
    return fail("bad_input", `audit.anchor must be an absolute path, not ${JSON.stringify(copy)}`, {
      fix: "name a file in a folder that is not Aiex's own, better on another disk",
    });
  }
  const anchors = ephemeral ? [] : [join(folder, "anchor.jsonl"), ...(copy === "" ? [] : [copy])];
  return ok({ folder, anchors, now: Date.now });
}

/** Said only where a seal could not be made: `aiex audit verify` says the rest. */
export function sealCheck(sealed: Sealing | null): Check[] {
  const state = sealed?.state();
  if (!state || state.ok) return [];
  const { say, fix } = state.error;
  return [{ name: "seals", ok: false, say, ...(fix === undefined ? {} : { fix }) }];
}
