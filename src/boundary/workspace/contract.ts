// Every workspace passes this suite; an adapter's test file is one call to it.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Workspace } from "#boundary/workspace/port.ts";

/** `open` answers a fresh, empty workspace for each test. */
export function workspaceContract(name: string, open: () => Promise<Workspace>): void {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
  const refused = (code: string) => ({ ok: false, error: { code } });

  describe(`workspace: ${name}`, () => {
    it("gives back what was written, and names it by its SHA-256", async () => {
      const files = await open();
      const written = await files.write("a/b/c.txt", bytes("one"), { expect: "absent" });
      expect(written).toEqual({ ok: true, value: hashOf("one") });
      expect(await files.read("a/b/c.txt", { bytesMax: 3 })).toEqual({
        ok: true,
        value: bytes("one"),
      });
      expect(await files.hash(`${files.root}/a/b/c.txt`)).toEqual(written);
      expect(await files.stat("a/b/c.txt")).toMatchObject({
        ok: true,
        value: { kind: "file", bytes: 3, mode: 0o644 },
      });
      expect(await files.stat("a/b")).toMatchObject({ ok: true, value: { kind: "folder" } });
      expect(await files.stat(".")).toMatchObject({ ok: true, value: { kind: "folder" } });
    });

    it("refuses to write over anything but the expected bytes, and changes nothing", async () => {
      const files = await open();
      await files.write("a", bytes("one"), { expect: "absent" });
      expect(await files.write("a", bytes("two"), { expect: "absent" })).toMatchObject(
        refused("stale"),
      );
      expect(await files.write("a", bytes("two"), { expect: hashOf("x") })).toMatchObject(
        refused("stale"),
      );
      expect(await files.write("b", bytes("two"), { expect: hashOf("x") })).toMatchObject(
        refused("stale"),
      );
      expect(await files.hash("a")).toEqual({ ok: true, value: hashOf("one") });
      expect(await files.hash("b")).toEqual({ ok: true, value: "absent" });
      expect(await files.write("a", bytes("two"), { expect: hashOf("one") })).toMatchObject({
        ok: true,
      });
      expect(await files.hash("a")).toEqual({ ok: true, value: hashOf("two") });
    });

    it("keeps the mode of a file, and gives the one that is named", async () => {
      const files = await open();
      const modeOf = async (path: string) => {
        const found = await files.stat(path);
        return found.ok ? found.value.mode & 0o777 : found.error;
      };
      await files.write("a", bytes("one"), { expect: "absent", mode: 0o751 });
      expect(await modeOf("a")).toBe(0o751);
      await files.write("a", bytes("two"), { expect: hashOf("one") });
      expect(await modeOf("a")).toBe(0o751);
      await files.write("a", bytes("three"), { expect: hashOf("two"), mode: 0o640 });
      expect(await modeOf("a")).toBe(0o640);
    });

    it("lets exactly one of many writers with the same expectation win", async () => {
      const files = await open();
      await files.write("a", bytes("start"), { expect: "absent" });
      const expectation = { expect: hashOf("start") };
      const tries = Array.from({ length: 20 }, (_, at) =>
        files.write("a", bytes(`writer ${at}`), expectation),
      );
      const won = (await Promise.all(tries)).filter((result) => result.ok);
      expect(won).toHaveLength(1);
      expect(await files.hash("a")).toEqual(won[0]);
      const fresh = Array.from({ length: 20 }, (_, at) =>
        files.write("new", bytes(`writer ${at}`), { expect: "absent" }),
      );
      const first = (await Promise.all(fresh)).filter((result) => result.ok);
      expect(first).toHaveLength(1);
      expect(await files.hash("new")).toEqual(first[0]);
    });

    it("removes only the expected bytes", async () => {
      const files = await open();
      await files.write("a/b", bytes("one"), { expect: "absent" });
      expect(await files.remove("a/b", { expect: hashOf("two") })).toMatchObject(refused("stale"));
      expect(await files.remove("a/c", { expect: hashOf("two") })).toMatchObject(refused("stale"));
      expect(await files.remove("a", { expect: hashOf("two") })).toMatchObject(refused("denied"));
      expect(await files.remove("a/b", { expect: hashOf("one") })).toEqual({ ok: true });
      expect(await files.hash("a/b")).toEqual({ ok: true, value: "absent" });
    });

    it("lists a folder by name and kind", async () => {
      const files = await open();
      await files.write("b/x", bytes(""), { expect: "absent" });
      await files.write("a", bytes(""), { expect: "absent" });
      expect(await files.list(".")).toEqual({
        ok: true,
        value: [
          { name: "a", kind: "file" },
          { name: "b", kind: "folder" },
        ],
      });
      expect(await files.list("b")).toEqual({ ok: true, value: [{ name: "x", kind: "file" }] });
      expect(await files.list("a")).toMatchObject(refused("not_found"));
      expect(await files.list("c")).toMatchObject(refused("not_found"));
    });

    it("says how large a file is when it is over the limit", async () => {
      const files = await open();
      await files.write("a", bytes("12345"), { expect: "absent" });
      expect(await files.read("a", { bytesMax: 4 })).toMatchObject({
        ok: false,
        error: { code: "too_large", detail: { bytes: 5 } },
      });
      expect(await files.read("a", { bytesMax: 5 })).toMatchObject({ ok: true });
    });

    it("takes a folder for no file, and a file for no folder", async () => {
      const files = await open();
      await files.write("a/b", bytes("x"), { expect: "absent" });
      expect(await files.read("a", { bytesMax: 9 })).toMatchObject(refused("denied"));
      expect(await files.write("a", bytes("x"), { expect: "absent" })).toMatchObject(
        refused("denied"),
      );
      expect(await files.write(".", bytes("x"), { expect: "absent" })).toMatchObject(
        refused("denied"),
      );
      expect(await files.write("a/b/c", bytes("x"), { expect: "absent" })).toMatchObject(
        refused("not_found"),
      );
      expect(await files.read("a/b/c", { bytesMax: 9 })).toMatchObject(refused("not_found"));
      expect(await files.read("nothing", { bytesMax: 9 })).toMatchObject(refused("not_found"));
      expect(await files.hash("a/nothing/at/all")).toEqual({ ok: true, value: "absent" });
    });

    it.each(["../x", "/etc/passwd", "a/../../x", "/", ".."])(
      "refuses %j everywhere",
      async (path) => {
        const files = await open();
        const at = { expect: "absent" };
        expect(files.relative(path)).toMatchObject(refused("denied"));
        expect(await files.stat(path)).toMatchObject(refused("denied"));
        expect(await files.read(path, { bytesMax: 9 })).toMatchObject(refused("denied"));
        expect(await files.hash(path)).toMatchObject(refused("denied"));
        expect(await files.list(path)).toMatchObject(refused("denied"));
        expect(await files.write(path, bytes(""), at)).toMatchObject(refused("denied"));
        expect(await files.remove(path, at)).toMatchObject(refused("denied"));
      },
    );

    it("works with names that shells and parsers stumble over", async () => {
      const files = await open();
      const names = [
        "$(touch pwned)",
        "-rf",
        "a\nb",
        "'q\"",
        "%2e%2e",
        "..\\x",
        "~",
        "*",
        " ",
        "é",
      ];
      for (const odd of names) {
        const path = `${odd}/${odd}`;
        expect(await files.write(path, bytes(odd), { expect: "absent" })).toMatchObject({
          ok: true,
        });
        expect(await files.hash(path)).toEqual({ ok: true, value: hashOf(odd) });
      }
      const listed = await files.list(".");
      expect(listed.ok && listed.value.map((entry) => entry.name).sort()).toEqual(names.sort());
    });
  });
}
