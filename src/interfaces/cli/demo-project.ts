// What the demo works on: a tiny Node project with a bug and the test that shows it, and the script
// of the model's answers. Only the answers are made up; the tools read, edit and run real files.
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, realpath, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const PROMPT = "The price test fails. Find out why and fix it.";

/** The only command of the demo, which proves its work. */
export const COMMAND = "node --test";

const CODE = "./price.js";

const files: Readonly<Record<string, string>> = {
  "package.json": `${JSON.stringify({ name: "shop", private: true, type: "module" }, null, 2)}\n`,
  "price.js": `// The price of a cart, with a discount in per cent.
export function total(items, discount = 0) {
  const sum = items.reduce((all, item) => all + item.price * item.count, 0);
  return sum - discount;
}
`,
  "price.test.js": `import assert from "node:assert/strict";
import test from "node:test";
import { total } from "${CODE}";

const cart = [{ price: 20, count: 2 }, { price: 10, count: 1 }];

test("a cart without a discount", () => assert.equal(total(cart), 50));
test("10 per cent off", () => assert.equal(total(cart, 10), 45));
`,
};

const PAUSE_MS = 25;

const answers = [
  {
    text: "I will look at the code and its test first.",
    calls: [
      { tool: "read", input: { path: "price.js" } },
      { tool: "read", input: { path: "price.test.js" } },
    ],
  },
  {
    text: "Now the test, to see it fail before I change anything.",
    calls: [{ tool: "run", input: { command: COMMAND } }],
  },
  {
    expect: { from: "tool", matches: "not ok|fail 1|✖" },
    text: "`total` subtracts the discount as an amount, but the test wants per cent.",
    calls: [
      {
        tool: "edit",
        input: {
          path: "price.js",
          edits: [{ old: "  return sum - discount;", new: "  return sum * (1 - discount / 100);" }],
        },
      },
    ],
  },
  { text: "Once more.", calls: [{ tool: "run", input: { command: COMMAND } }] },
  {
    expect: { from: "tool", matches: "fail 0" },
    text: "Fixed: `total` in price.js:4 now takes the discount in per cent. Both tests pass.",
  },
].map((answer) => ({ delayMs: 300, pauseMs: PAUSE_MS, ...answer }));

export type DemoProject = { path: string; model: string };

/** Makes the project. Unless it is kept, it goes when the process ends, however that comes. */
export async function demoProject({ keep }: { keep: boolean }): Promise<DemoProject> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "aiex-demo-")));
  const remove = () => rmSync(root, { recursive: true, force: true });
  if (!keep) process.once("exit", remove);
  const path = join(root, "shop");
  const script = join(root, "script.json");
  await mkdir(path);
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  await writeFile(script, JSON.stringify({ answers }, null, 2));
  return {
    path,
    model: `scripted/${script}`,
  };
}
