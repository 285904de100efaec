// Locations: one workspace for a folder however it is named, trust that falls with the project's
// configuration, and leave that is remembered once.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { sha256 } from "#boundary/digest.ts";
import { locationsOver } from "#boundary/locations.ts";
import { memoryLog } from "#boundary/log/memory.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function world() {
  const folder = mkdtempSync(join(tmpdir(), "aiex-location-"));
  folders.push(folder);
  const log = memoryLog({ node: "n", atOnce: () => [], now: () => 0 });
  return { folder, log, locations: locationsOver(log, "n") };
}

const grant = { key: "k", title: "run it" };

it("many who open a folder at once, under any of its names, get one workspace", async () => {
  const { folder, log } = world();
  const link = `${folder}-link`;
  symlinkSync(folder, link);
  folders.push(link);
  const names = [folder, link, `${folder}/.`, folder, link];
  const opened = await Promise.all(names.map((name) => locationsOver(log, "n").open(name)));
  const workspaces = opened.map((one) => (one.ok ? one.value.workspace : one.error.say));
  expect(new Set(workspaces).size).toBe(1);
  expect(workspaces[0]).not.toBe("");
});

it("looking at a folder writes nothing", async () => {
  const { folder, log, locations } = world();
  expect(await locations.find(folder)).toMatchObject({ value: { workspace: "", version: 0 } });
  expect(await log.last()).toEqual({ ok: true, value: 0 });
});

it("trust holds for exactly the configuration that was there, and ends when it changes", async () => {
  const { folder, locations } = world();
  expect(await locations.trust(folder)).toMatchObject({ value: { isTrusted: true } });
  mkdirSync(join(folder, ".aiex"));
  writeFileSync(join(folder, ".aiex", "config.json"), '{"mode":"plan"}');
  expect(await locations.find(folder)).toMatchObject({ value: { isTrusted: false } });
  expect(await locations.trust(folder)).toMatchObject({ value: { isTrusted: true } });
  writeFileSync(join(folder, ".aiex", "config.json"), "{}");
  expect(await locations.find(folder)).toMatchObject({ value: { isTrusted: false } });
});

it("what was allowed is remembered once, here or everywhere, and forgotten with the trust", async () => {
  const [{ folder, locations }, other] = [world(), world()];
  for (let i = 0; i < 3; i += 1) await locations.grant(folder, grant);
  expect(await locations.find(folder)).toMatchObject({ value: { grants: ["k"] } });
  expect(await locations.find(other.folder)).toMatchObject({ value: { grants: [] } });
  for (let i = 0; i < 3; i += 1) await locations.grantEverywhere({ ...grant, key: "all" });
  expect(await locations.find(other.folder)).toMatchObject({ value: { grants: ["all"] } });
  await locations.trust(folder);
  expect(await locations.distrust(folder)).toMatchObject({
    value: { isTrusted: false, grants: ["all"] },
  });
});

it("a path that is no folder is refused with what to do", async () => {
  const { folder, locations } = world();
  writeFileSync(join(folder, "file"), "");
  expect(await locations.open(join(folder, "none"))).toMatchObject({
    error: { code: "not_found" },
  });
  expect(await locations.open(join(folder, "file"))).toMatchObject({
    error: { code: "bad_input" },
  });
});

it("a configuration is read once: what is trusted by its hash is what may be obeyed", async () => {
  const { folder, locations } = world();
  mkdirSync(join(folder, ".aiex"));
  const file = join(folder, ".aiex", "config.json");
  writeFileSync(file, '{"mode":"plan"}');
  await locations.trust(folder);
  const found = await locations.find(folder);
  if (!found.ok) throw new Error(found.error.say);
  expect(found.value.project?.text).toBe('{"mode":"plan"}');
  expect(found.value.config).toBe(sha256(found.value.project?.text ?? ""));
});

it("a configuration that is a pipe, a folder or too long counts as none, at once", async () => {
  const { folder, locations } = world();
  mkdirSync(join(folder, ".aiex"));
  const file = join(folder, ".aiex", "config.json");
  const none = { value: { config: "none", project: null } };
  execFileSync("mkfifo", [file]);
  expect(await locations.find(folder)).toMatchObject(none);
  rmSync(file);
  mkdirSync(file);
  expect(await locations.find(folder)).toMatchObject(none);
  rmSync(file, { recursive: true });
  writeFileSync(file, " ".repeat(262_145));
  expect(await locations.find(folder)).toMatchObject(none);
});

it("a record of a location that cannot be read takes trust and leave with it", async () => {
  const { folder, log, locations } = world();
  const trusted = await locations.trust(folder);
  await locations.grant(folder, grant);
  if (!trusted.ok) throw new Error(trusted.error.say);
  const { stream, version } = trusted.value;
  const broken = { type: "LocationTrusted", schema: 1, body: "no json", actor: "x", epoch: 0 };
  expect(await log.append(stream, version + 1, [broken])).toMatchObject({ ok: true });
  const found = await locations.find(folder);
  expect(found).toMatchObject({ value: { isTrusted: false, grants: [] } });
  expect(await locations.trust(folder)).toMatchObject({ value: { isTrusted: true } });
});
