// Roles as they lie in real folders: the user's before the project's, which count only in a trusted
// place, before ours.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { rolesIn } from "#boundary/children/roles.ts";
import { locationsOver } from "#boundary/locations.ts";
import { memoryLog } from "#boundary/log/memory.ts";
import { localWorkspace } from "#boundary/workspace/local.ts";

const role = (about: string, ...more: string[]) =>
  ["---", `description: ${about}`, ...more, "---", "Do it."].join("\n");

async function rolesOf(
  files: Record<string, string>,
  options: { trusted: boolean; link?: string },
) {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "aiex-roles-")));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  const path = join(base, "work");
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(base, name)), { recursive: true });
    writeFileSync(join(base, name), text);
  }
  if (options.link) symlinkSync(join(base, options.link), join(path, ".aiex/agents/linked.md"));
  const locations = locationsOver(memoryLog({ node: "n", atOnce: () => [], now: () => 0 }), "n");
  if (options.trusted) await locations.trust(path);
  const workspace = localWorkspace(path);
  if (!workspace.ok) throw new Error(workspace.error.say);
  const tools = ["read", "search", "run"];
  return await rolesIn({
    home: join(base, "home"),
    path,
    workspace: workspace.value,
    locations,
    tools,
  });
}

const named = ({ roles }: Awaited<ReturnType<typeof rolesOf>>) =>
  Object.fromEntries(roles.map(({ name, about }) => [name, about]));

describe("the roles of a folder", () => {
  it("are ours where nobody wrote any", async () => {
    const found = await rolesOf({}, { trusted: true });
    expect(Object.keys(named(found))).toEqual(["explore", "general"]);
  });

  it("are the user's before the project's before ours", async () => {
    const files = {
      "home/agents/reviewer.md": role("mine"),
      "work/.aiex/agents/reviewer.md": role("the project's"),
      "work/.aiex/agents/explore.md": role("the project's", "tools: Grep, Bash"),
    };
    const found = await rolesOf(files, { trusted: true });
    expect(named(found)).toMatchObject({ reviewer: "mine", explore: "the project's" });
    expect(found.roles.find(({ name }) => name === "explore")?.tools).toEqual(["search", "run"]);
    expect(found.bad).toEqual([]);
  });

  it("are none of the project's where the place is not trusted", async () => {
    const files = { "work/.aiex/agents/evil.md": role("reads everything") };
    expect(named(await rolesOf(files, { trusted: false }))).not.toHaveProperty("evil");
    expect(named(await rolesOf(files, { trusted: true }))).toHaveProperty("evil");
  });

  it("ask a model of the user's choice, never of the project's", async () => {
    const files = {
      "home/agents/a.md": role("mine", "model: openai/small"),
      "work/.aiex/agents/b.md": role("the project's", "model: openai/dear"),
    };
    const { roles } = await rolesOf(files, { trusted: true });
    expect(roles.find(({ name }) => name === "a")?.model).toBe("openai/small");
    expect(roles.find(({ name }) => name === "b")?.model).toBeUndefined();
  });

  it("leave out what is none, and say why: no head, too long, a link that leads out", async () => {
    const files = {
      "work/.aiex/agents/bare.md": "Do it.",
      "work/.aiex/agents/long.md": role("x").padEnd(70_000, "x"),
      "outside.md": role("outside"),
    };
    const found = await rolesOf(files, { trusted: true, link: "outside.md" });
    expect(Object.keys(named(found))).toEqual(["explore", "general"]);
    expect(found.bad.map(({ from }) => from)).toEqual(
      ["bare", "linked", "long"].map((name) => `.aiex/agents/${name}.md`),
    );
    expect(found.bad[0]?.say).toContain("does not begin with a head");
  });
});
