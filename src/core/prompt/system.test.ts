// The system prompts: every hole is filled, once, what fills it is never read as a template, and the
// whole of each family's is there to be read in snapshots/.
import { describe, expect, it } from "vitest";
import { families } from "#core/model/catalog.ts";
import { surfaces } from "#core/model/surfaces/index.ts";
import { systemPrompt } from "#core/prompt/system.ts";
import { filled } from "#core/prompt/template.ts";

const environment = {
  platform: "linux x64",
  date: "2026-01-02",
  folder: "/home/me/project",
  git: "A git repository on branch main.",
  sandbox: "bubblewrap; commands write only here, without network",
  mode: "ask",
  verify: "npm test\nnpm run lint",
  roles: "explore (finds out how something is in the code; reads only)",
};

/** Characters of one token of English, as a rule of thumb: OpenAI's help on what tokens are. */
const TOKEN_CHARACTERS = 4;

describe.each(families)("the system prompt for %s", (family) => {
  it("reads as it was reviewed", async () => {
    const said = systemPrompt(family, environment);
    await expect(`${said}\n`).toMatchFileSnapshot(`./snapshots/${family}.md`);
  });

  it("leaves no hole open, and fills each", () => {
    const said = systemPrompt(family, environment);
    expect(said).not.toMatch(/\{\w+\}/);
    for (const [name, fact] of Object.entries(environment)) {
      // A small model works alone.
      if (name === "verify" || (name === "roles" && family === "local")) continue;
      expect(said).toContain(fact);
    }
    expect(said).toContain("`npm test`, `npm run lint`");
    expect(systemPrompt(family, { ...environment, verify: "" })).toContain("how the project tests");
  });

  it("tells the rules that the product stands by, in few tokens", () => {
    const said = systemPrompt(family, environment);
    expect(said).toMatch(/[Nn]ever commit/);
    expect(said).toMatch(/only after you saw it pass/);
    expect(said).toContain("`escalate`");
    expect(said).toContain("`path:line`");
    const tokensMax = family === "local" ? 400 : 900;
    expect(said.length / TOKEN_CHARACTERS).toBeLessThan(tokensMax);
  });

  it("names only tools that the family is offered", async () => {
    const surface = await surfaces[family]?.();
    if (!surface) return;
    const offered = surface.tools.map(({ spec }) => spec.name);
    const own = [
      "read",
      "list",
      "glob",
      "search",
      "edit",
      "write",
      "apply_patch",
      "run",
      "todo",
      "task",
    ];
    for (const name of own.filter((tool) => surface.hidden.has(tool) && !offered.includes(tool))) {
      expect(systemPrompt(family, environment)).not.toContain(`\`${name}\``);
    }
  });
});

describe("a template", () => {
  it("takes a text as it is, also where it looks like a hole or a replacement", () => {
    const folder = "/tmp/{mode}/$&/$1";
    expect(systemPrompt("other", { ...environment, folder })).toContain(`- Folder: ${folder} (`);
  });

  it("fails for a hole without a text and for a text without a hole", () => {
    expect(() => filled("{a} {b}", { a: "x" })).toThrow("unknown hole {b}");
    expect(() => filled("{a}", { a: "x", b: "y" })).toThrow("no hole for b");
    expect(() => filled("{toString}", {})).toThrow("unknown hole");
  });
});
