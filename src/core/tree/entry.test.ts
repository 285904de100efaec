// The modes of trees, there and back.
import { describe, expect, it } from "vitest";
import {
  entryOf,
  fileMode,
  folderMode,
  folderPermissions,
  kindOf,
  permissionsOf,
  stateOf,
} from "#core/tree/entry.ts";

describe("the mode of an entry", () => {
  it("keeps all permissions of folders and files, none at all included", () => {
    for (let permissions = 0; permissions <= 0o777; permissions += 1) {
      const state = stateOf({ mode: folderMode(permissions), id: "" });
      const folder = entryOf(state);
      expect(folder && [kindOf(folder), folderPermissions(folder)]).toEqual([
        "folder",
        permissions,
      ]);
      for (const ignored of [false, true]) {
        const file = { mode: fileMode(permissions, { ignored }), id: "" };
        expect([kindOf(file), permissionsOf(file)]).toEqual(["file", permissions]);
      }
    }
  });
});
