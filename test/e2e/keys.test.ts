// Keys as a user keeps them: typed without being shown or piped, used by the next call, found in no
// file, no output and no failure.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { type StrictStub, startStrictStub } from "../peers/strict.ts";
import { linesOf, Machine } from "./aiex.ts";
import { desk } from "./kit.ts";

const KEY = "sk-canary-0815-nobody-may-see-this";

const stubs: StrictStub[] = [];
afterEach(async () => {
  for (const stub of stubs.splice(0)) await stub.close();
});

/** Everything that lies under a folder, as one text. */
function bytesUnder(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), "latin1"))
    .join("\n");
}

it("a kept key opens the model and is nowhere to be read afterwards", async () => {
  const stub = await startStrictStub({
    script: { answers: [{ text: "All is well." }] },
    fault: (i) => (i === 1 ? { do: "answer", status: 401, body: `bad key ${KEY}` } : undefined),
  });
  stubs.push(stub);
  const at = desk(
    {},
    {
      OPENAI_BASE_URL: stub.url,
      AIEX_MODEL: "openai/stub",
      AIEX_OPENAI_DIALECT: "chat",
      AIEX_KEYCHAIN: "none",
    },
  );
  let said = "";
  const run = async (args: string[], stdin?: string) => {
    const ran = await at.run(args, stdin === undefined ? {} : { stdin });
    said += ran.out + ran.err;
    return ran;
  };
  const set = await run(["auth", "set", "openai"], `${KEY}\n`);
  expect([set.code, set.out]).toEqual([0, "1 key of openai kept\n"]);
  expect(set.err).toContain("there is no keychain here");
  expect((await run(["trust"])).code).toBe(0);
  expect((await run(["ask", "hello"])).out).toContain("All is well.");
  expect(stub.requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
  // The server repeats the key in its refusal: it is not passed on.
  expect((await run(["ask", "--json", "again"])).code).not.toBe(0);
  for (const args of [
    ["auth", "list"],
    ["auth", "list", "--json"],
    ["config", "list"],
    ["config", "explain", "openai.apiKey"],
    ["models", "--json"],
    ["models", "probe", "--json"],
    ["doctor", "--json"],
    ["usage", "--csv"],
    ["audit", "--json"],
    ["auth", "rotate"],
  ]) {
    await run(args);
  }
  expect(said).toContain("openai  1 key, set");
  expect(said).not.toContain("canary");
  const bytes = bytesUnder(at.home);
  for (const form of ["utf8", "base64", "hex"] as const) {
    const text = form === "utf8" ? KEY : Buffer.from(KEY).toString(form);
    expect(bytes).not.toContain(text);
  }
  expect((await run(["auth", "rm", "openai"])).code).toBe(0);
  expect((await run(["auth", "list", "--json"])).out).toBe("");
});

it("the environment's key counts more than a kept one", async () => {
  const stub = await startStrictStub({ script: { answers: [{ text: "Fine." }] } });
  stubs.push(stub);
  const more = { OPENAI_BASE_URL: stub.url, AIEX_MODEL: "openai/stub", AIEX_KEYCHAIN: "none" };
  const at = desk({}, more);
  await at.run(["auth", "set", "openai"], { stdin: "sk-kept-1,sk-kept-2" });
  await at.run(["trust"]);
  await at.run(["ask", "hello"]);
  await at.run(["ask", "hello"], { env: { OPENAI_API_KEY: "sk-near" } });
  const keys = stub.requests.map(({ headers }) => headers.authorization);
  expect(keys).toEqual(["Bearer sk-kept-1", "Bearer sk-near"]);
});

it("keys that are typed or pasted are not shown, and Ctrl-C changes nothing", async () => {
  const machine = new Machine();
  try {
    const typed = await machine.type(
      ["auth", "set", "openai"],
      [["Key of openai", `${KEY}x\u007f\r`]],
    );
    expect(typed.code).toBe(0);
    expect(typed.screen).toContain("1 key of openai kept");
    expect(typed.screen).not.toContain("canary");
    const file = join(machine.home, "keys", "keys.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const pasted = await machine.type(
      ["auth", "set", "anthropic"],
      [["Key of anthropic", "sk-first\r\nsk-second\rsk-third\r"]],
    );
    expect(pasted.screen).toContain("3 keys of anthropic kept");
    expect(pasted.screen).not.toContain("sk-");
    const unknown = await machine.type(["auth", "set", "opnai"], []);
    expect(unknown.code).toBe(2);
    expect(unknown.screen).toContain('there is no provider "opnai"');
    expect(unknown.screen).not.toContain("Key of");
    const left = await machine.type(
      ["auth", "set", "lmstudio"],
      [["Key of lmstudio", "sk-x\u0003"]],
    );
    expect(left.code).not.toBe(0);
    const listed = await machine.run(["auth", "list", "--json"]);
    expect(linesOf(listed.out)).toMatchObject([
      { provider: "openai", keys: 1 },
      { provider: "anthropic", keys: 3 },
    ]);
  } finally {
    machine.remove();
  }
});

it("keys of several providers that are set at once are all kept", async () => {
  const at = desk({}, { AIEX_KEYCHAIN: "none" });
  const names = ["openai", "anthropic", "lmstudio"];
  const set = async (name: string) =>
    await at.run(["auth", "set", name], { stdin: `sk-${name}\n` });
  const all = await Promise.all(names.map(set));
  expect(all.map(({ code }) => code)).toEqual([0, 0, 0]);
  const listed = linesOf((await at.run(["auth", "list", "--json"])).out);
  expect(listed.map(({ provider }) => String(provider)).sort()).toEqual(names.sort());
});

it("a wrong argument, a wrong provider and an empty key are refused in words", async () => {
  const at = desk({}, { AIEX_KEYCHAIN: "none" });
  const argument = await at.run(["auth", "set", "openai", KEY]);
  expect(argument.code).toBe(2);
  expect(argument.out + argument.err).not.toContain("canary");
  const empty = await at.run(["auth", "set", "openai"], { stdin: "\n" });
  expect([empty.code, empty.err]).toEqual([2, expect.stringContaining("no key was given")]);
  const odd = await at.run(["auth", "set", "../../evil"], { stdin: KEY });
  expect([odd.code, odd.err]).toEqual([2, expect.stringContaining("there is no provider")]);
  const none = await at.run(["auth", "rm", "openai"]);
  expect(none.err).toContain("no key of openai is kept");
});
