// A path means one name inside the root, or is refused; checked against an oracle of another make
// (node's own `path.posix`) over a list of attacks that nobody here wrote.
import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isInside, NAME_BYTES_MAX, PATH_BYTES_MAX, relativeTo } from "#core/security/paths.ts";

const root = "/srv/app";
const fixture = join(
  process.env.AIEX_FIXTURES ?? "../shared/fixtures",
  "security/path-traversal.txt",
);

describe("a path of the workspace", () => {
  it.each([
    ["a.ts", "a.ts"],
    ["./a//b/", "a/b"],
    [".", "."],
    ["a/..", "."],
    ["a/../b", "b"],
    ["/srv/app", "."],
    ["/srv/app/x/../y", "y"],
    ["../app/a", "a"],
    ["~/a", "~/a"],
    ["%2e%2e/a", "%2e%2e/a"],
    ["..\\..\\a", "..\\..\\a"],
    ["C:\\boot.ini", "C:\\boot.ini"],
    ["...", "..."],
    ["-rf", "-rf"],
    ["$(touch pwned)/a", "$(touch pwned)/a"],
    ["new\nline\tand 'quote'", "new\nline\tand 'quote'"],
    ["a\u0301", "a\u0301"],
  ])("%j is %j", (path, name) => {
    expect(relativeTo(root, path)).toEqual({ ok: true, value: name });
  });

  it.each([
    "..",
    "../x",
    "a/../../x",
    "/",
    "/srv",
    "/srv/app-evil",
    "/srv/app-evil/a",
    "../app-evil/a",
    "/srv/app/../app-evil",
    "/SRV/APP/a",
    "/etc/passwd",
    "/srv/app/../../etc/passwd",
    "//etc/passwd",
  ])("%j is outside and denied", (path) => {
    expect(relativeTo(root, path)).toMatchObject({ ok: false, error: { code: "denied" } });
  });

  it.each([
    "",
    "a\0b",
    "\0",
    "a/\u0001",
    "a\r",
    "\u001b[2Jx",
    "\u007f",
    "\ud800",
    "x".repeat(NAME_BYTES_MAX + 1),
    "é".repeat(128),
    "a/".repeat(PATH_BYTES_MAX),
  ])("%j cannot name a file", (path) => {
    expect(relativeTo(root, path)).toMatchObject({ ok: false, error: { code: "bad_input" } });
  });

  it("may be as long as the file system allows", () => {
    expect(relativeTo(root, "x".repeat(NAME_BYTES_MAX)).ok).toBe(true);
    expect(relativeTo(root, "é".repeat(127)).ok).toBe(true);
  });

  it("means everything where the root is the root of the file system", () => {
    expect(relativeTo("/", "etc/../usr")).toEqual({ ok: true, value: "usr" });
    expect(relativeTo("/", "/..")).toEqual({ ok: true, value: "." });
  });

  it("agrees with an independent resolver on every published traversal", (ctx) => {
    if (!existsSync(fixture)) ctx.skip("fixtures absent: AIEX_FIXTURES names no such folder");
    const lines = readFileSync(fixture, "utf8").split("\n").filter(Boolean);
    expect(lines.length).toBeGreaterThan(700);
    for (const line of [...lines, ...lines.map((l) => `/srv/app/${l}`)]) {
      const found = relativeTo(root, line);
      const real = posix.resolve(root, line);
      const outside = real !== root && !real.startsWith(`${root}/`);
      if (outside) expect(found, line).toMatchObject({ ok: false });
      else if (found.ok) expect(posix.join(root, found.value), line).toBe(real);
      else expect(found.error.code, line).toBe("bad_input");
    }
  });

  it("never resolves to an answer that leaves the root, whatever the text", () => {
    const piece = fc.constantFrom(
      "..",
      ".",
      "",
      "a",
      "~",
      "srv",
      "app",
      "app-evil",
      "%2e%2e",
      "\\",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(piece).map((p) => p.join("/")),
    );
    fc.assert(
      fc.property(text, (path) => {
        const found = relativeTo(root, path);
        if (!found.ok) return;
        expect(isInside(root, posix.resolve(root, found.value))).toBe(true);
        expect(relativeTo(root, found.value)).toEqual(found);
        expect(posix.resolve(root, found.value)).toBe(posix.resolve(root, path));
      }),
    );
  });
});
