// Which files are secret by their names, and what of their text is masked elsewhere.
import { describe, expect, it } from "vitest";
import { secrecyOf, valuesIn } from "#core/security/secret-files.ts";

describe("a file's name", () => {
  it.each([
    ".env",
    ".ENV",
    "a/b/.env.local",
    ".env.production",
    "prod.env",
    ".envrc",
    ".dev.vars",
    "id_rsa",
    "keys/id_ed25519",
    "store.p12",
    "android/app.keystore",
    ".netrc",
    ".pgpass",
    ".git-credentials",
    "credentials.json",
    "service-account-x.json",
    "config/master.key",
    "secrets.yaml",
    "terraform.tfstate",
    ".aws/credentials",
    ".docker/config.json",
    ".kube/config",
  ])("says that it holds secrets: %s", (path) => {
    expect(secrecyOf(path)).toBe("always");
  });

  it.each(["server.pem", "tls.key", ".npmrc", "prod.auto.tfvars", "auth.json"])(
    "says that it may: %s",
    (path) => {
      expect(secrecyOf(path)).toBe("perhaps");
    },
  );

  it.each([
    ".env.example",
    ".env.sample",
    ".env.template",
    "example.env",
    ".env.local.example",
    "id_rsa.pub",
    "environment.ts",
    "src/env.ts",
    "config.json",
    "credentials.ts",
    "secrets.test.ts",
    "keyboard.key.ts",
  ])("says nothing of secrets: %s", (path) => {
    expect(secrecyOf(path)).toBeNull();
  });
});

it("the values of a secret file are known, ordinary words in it are not", () => {
  const text = [
    "# comment",
    "NODE_ENV=development",
    "HOST=localhost:3000",
    'TOKEN="abc123def456"',
    "DATABASE_URL=postgres://u:pa55word!x@db.internal/app",
    "PORT=8080",
  ].join("\n");
  const values = valuesIn(text);
  expect(values).toContain("abc123def456");
  expect(values).toContain("pa55word!x");
  for (const word of ["development", "8080", "localhost:3000", "localhost"]) {
    expect(values).not.toContain(word);
  }
});
