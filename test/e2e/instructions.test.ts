// A project's AGENTS.md, through the real program: told to the model where the user trusts the
// folder, not a word of it where not.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startStrictStub } from "../peers/strict.ts";
import { desk, modelAt } from "./kit.ts";

it("tells a model the instructions of a trusted folder, and only there", async () => {
  const answers = [{ text: "one" }, { text: "two" }];
  const stub = await startStrictStub({ script: { answers } });
  onTestFinished(() => stub.close());
  const { aiex, folder } = desk({ "AGENTS.md": "Use tabs." }, modelAt(stub.url));
  expect((await aiex("ask", "hello")).code).toBe(4);
  expect(stub.requests).toEqual([]);
  expect((await aiex("trust")).code).toBe(0);
  await aiex("ask", "hello");
  expect(stub.requests.at(-1)?.body).toContain("Instructions from AGENTS.md:\\n\\nUse tabs.");
  writeFileSync(join(folder, "AGENTS.md"), "Use spaces.");
  await aiex("ask", "--continue", "again");
  const last = stub.requests.at(-1)?.body ?? "";
  expect(last).toContain("Use tabs.");
  expect(last).toContain("Use spaces.");
  expect(stub.malformed()).toEqual([]);
});
