// Masking as it is relied on: what is a secret is gone from a text, whatever stands around it and
// however it comes in pieces; what is none stays; lines stay where they are; nothing takes long.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entropyOf, masker, maskFor } from "#core/security/mask.ts";
import { maskStream } from "#core/security/mask-stream.ts";

const mask = masker();
const hex = "0123456789abcdef";
const github = `ghp_${"aB3dE6gH9j".repeat(3)}kLmN12`;
const key = `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEpAIBAAKCAQEA7Zq5\nabcd=\n-----END RSA PRIVATE KEY-----`;

describe("a secret in a text", () => {
  it.each([
    ["a token", `see ${github}.`, `see ${maskFor("github-token")}.`],
    ["an AWS key", "AKIAIOSFODNN7EXAMPLE", maskFor("aws-access-key")],
    ["a setting", "DB_PASSWORD=hunter2abc", `DB_PASSWORD=${maskFor("assigned")}`],
    ["a JSON field", '{"apiKey": "q8Zr1Lk0Vw2p"}', `{"apiKey": "${maskFor("assigned")}"}`],
    [
      "a header",
      "Authorization: Bearer abc123def456",
      `Authorization: Bearer ${maskFor("authorization")}`,
    ],
    ["a URL", "postgres://me:pa55word@db/x", `postgres://me:${maskFor("password-in-url")}@db/x`],
    ["a key", `a\n${key}\nb`, `a\n${maskFor("private-key")}${"\n".repeat(5)}\nb`],
    [
      "a key without its end",
      "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B",
      `${maskFor("private-key")}\n`,
    ],
  ])("is masked: %s", (_, text, masked) => {
    expect(mask(text)).toBe(masked);
    expect(mask(mask(text))).toBe(masked);
  });

  it("is masked wherever it is known to stand, and is left where the user allowed its file", () => {
    const known = ["correct horse"];
    expect(masker({ known })("a correct horse.")).toBe(`a ${maskFor("secret-file")}.`);
    expect(masker({ allowed: [`X=${github}`] })(github)).toBe(github);
  });

  it("is masked wherever it stands in a word of any length", () => {
    for (const before of [4_990, 9_981, 9_990, 10_000, 15_000]) {
      const masked = mask(`${"a/".repeat(before)}${github}/z`);
      expect(masked).toBe(`${"a/".repeat(before)}${mask(github)}/z`);
    }
    expect(mask("QUJD".repeat(3_000_000))).toHaveLength(12_000_000);
  });

  it("leaves no line in another place", () => {
    const text = `1\n${key}\n${github}\nDB_PASSWORD=hunter2abc\nlast`;
    expect(mask(text).split("\n")).toHaveLength(text.split("\n").length);
    expect(mask(text).split("\n").at(-1)).toBe("last");
  });
});

describe("what is no secret", () => {
  it.each([
    "const token = readToken(file1, 22);",
    "tokenCount: 123456789",
    "key: value1234567890abcd.member22",
    `"integrity": "sha512-${hex}${hex}=="`,
    `commit ${hex}${hex}01234567`,
    "password: process.env.DB_PASSWORD_22",
    `API_KEY=$${"{API_KEY_2}"}`,
    "API_KEY=your-api-key-123",
    "keyboard=layout-1234-abcd",
    "publicKeyToken=b77a5c561934e089",
    "https://example.org:8080/a@b",
    'if (text.includes("-----BEGIN PRIVATE KEY-----")) return;',
  ])("stays: %s", (text) => {
    expect(mask(text)).toBe(text);
  });
});

describe("text that comes in pieces", () => {
  const text = `one\n${key}\nTOKEN=${github} rest\nDB_PASSWORD=hunter2abc`;

  it("is masked as if it came at once, wherever it is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
        const stream = maskStream(mask);
        const at = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const pieces = at.slice(1).map((end, i) => stream.push(text.slice(at[i], end)));
        expect(pieces.join("") + stream.end()).toBe(mask(text));
      }),
    );
  });

  it("waits for no end of a line for ever", () => {
    const stream = maskStream(mask);
    const shown = Array.from({ length: 200 }, () => stream.push("word ".repeat(200))).join("");
    expect(shown.length).toBeGreaterThan(100_000);
  });
});

it("takes no longer for a text that was made to take long", () => {
  const parts = [
    "key=",
    "://",
    "://a:",
    "eyJ-",
    "sk-ant-",
    "a.",
    "-----BEGIN PRIVATE KEY-----",
    "x=",
    "AKIA",
  ];
  for (const part of parts) {
    const long = part.repeat(Math.ceil(400_000 / part.length));
    const began = performance.now();
    mask(long);
    // More than a hundred times what it takes; what is quadratic would take minutes.
    expect({ part, isQuick: performance.now() - began < 10_000 }).toEqual({ part, isQuick: true });
  }
});

it("counts entropy in bits a character", () => {
  expect(entropyOf("aaaa")).toBe(0);
  expect(entropyOf("abcd")).toBe(2);
});

describe("the forms that scanners know", () => {
  const folder = process.env.AIEX_FIXTURES;

  it("are masked: samples of gitleaks' rules that need no name beside them", (ctx) => {
    if (!folder) return ctx.skip("AIEX_FIXTURES names no folder with security/gitleaks.toml");
    const rules = rulesIn(readFileSync(join(folder, "security", "gitleaks.toml"), "utf8"));
    expect(rules.length).toBeGreaterThan(70);
    const missed = rules.filter(({ form }) => {
      const samples = fc.sample(fc.stringMatching(form), { numRuns: 5, seed: 7 });
      return samples.some((sample) => mask(`it is "${sample}" here`).includes(sample));
    });
    const ids = missed.map(({ id }) => id).filter((id) => !notOurs.has(id));
    expect(ids).toEqual([]);
  });
});

/**
 * A key's first line alone, XML and PHP around a value of any form, dots that stand for any character
 * in a host or a prefix, and forty hex digits, which every commit has.
 */
const notOurs = new Set([
  "private-key",
  "nuget-config-password",
  "freemius-secret-key",
  "slack-config-access-token",
  "slack-webhook-url",
  "sourcegraph-access-token",
]);

/** Rules with a form of their own, as far as JavaScript reads them. */
function rulesIn(toml: string): { id: string; form: RegExp }[] {
  return toml.split("[[rules]]").flatMap((block) => {
    const id = /^id = "(.+)"$/m.exec(block)?.[1];
    const source = /^regex = '''(.+)'''$/m.exec(block)?.[1];
    if (!id || !source || source.includes("{0,50}?") || /\.\*|\(\?s/.test(source)) return [];
    const plain = source
      .replace(/\(\?:\[\\x60'"\\s;\]\|\\\\\[nr\]\|\$\)$/, "")
      .replaceAll(/\(\?-?i\)/g, "")
      .replaceAll(/\(\?-?i:/g, "(?:")
      .replaceAll("[[:alnum:]]", "[A-Za-z0-9]")
      .replaceAll("\\b", "");
    try {
      return [{ id, form: new RegExp(`^${plain}$`) }];
    } catch {
      return [];
    }
  });
}
