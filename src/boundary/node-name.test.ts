// Several processes that start at once have one name for their node: what they log is then found by all.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { namedNow, nodeName } from "#boundary/node-name.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "aiex-name-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

it("a node is named once, with the folders above its home", () => {
  const home = join(folder(), "a", "b");
  const name = nodeName(home);
  expect(name).toMatchObject({ ok: true, value: expect.stringMatching(/^\w{16}$/) });
  expect(nodeName(home)).toEqual(name);
  expect(readdirSync(home)).toEqual(["node"]);
});

it("a name that another process gave in between stands", () => {
  const file = join(folder(), "node");
  // This one looked before the other named it, and names it afterwards.
  writeFileSync(file, "the-first-one");
  expect(namedNow(file)).toBe("the-first-one");
  expect(readFileSync(file, "utf8")).toBe("the-first-one");
});

it("a name that a power cut left empty is given anew", () => {
  const home = folder();
  writeFileSync(join(home, "node"), "");
  const name = nodeName(home);
  expect(name.ok && name.value).toMatch(/^\w{16}$/);
  expect(readFileSync(join(home, "node"), "utf8")).toBe(name.ok ? name.value : "");
  expect(readdirSync(home)).toEqual(["node"]);
});

it("a home that cannot be made is said, with what to do", () => {
  const file = join(folder(), "file");
  writeFileSync(file, "");
  expect(nodeName(join(file, "home"))).toMatchObject({ error: { code: "storage" } });
  expect(existsSync(join(file, "home"))).toBe(false);
});
