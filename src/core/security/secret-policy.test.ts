// The policy about secret files: who may see them, and for what the user's leave is.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Access } from "#core/security/access.ts";
import { lastingKeys, permissionKey } from "#core/security/permission.ts";
import { decideAccess, type PolicyState } from "#core/security/policy.ts";
import { noRules } from "#core/security/rules.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const stateOf = (more: Partial<PolicyState>): PolicyState => ({
  mode: "ask",
  trusted: true,
  sandbox: "bubblewrap",
  sandboxWaived: false,
  rules: noRules,
  granted: [],
  root: "/srv/app",
  sha256,
  ...more,
});

describe("a secret file", () => {
  const wanted: Access[] = [
    { kind: "read", path: ".env" },
    { kind: "read", path: "config/.env.local" },
    { kind: "read", path: "src/config.ts", secret: true },
  ];

  it.each(wanted)("is asked about in every mode: $path", (access) => {
    for (const mode of ["ask", "plan", "read-only", "yes"] as const) {
      const opens = { secrets: ["path" in access ? access.path : ""] };
      expect(decideAccess(stateOf({ mode }), access)).toMatchObject({ do: "ask", opens });
    }
  });

  it("is seen with leave for that very file, which is none for another or for ordinary reading", () => {
    const opens = { secrets: [".env"] };
    const access: Access = { kind: "read", path: ".env" };
    const [key = ""] = lastingKeys(access, opens, sha256);
    const state = stateOf({ granted: [{ scope: "session", key }] });
    expect(decideAccess(state, access)).toEqual({ do: "allow", opens });
    expect(decideAccess(state, { kind: "read", path: ".env.local" })).toMatchObject({ do: "ask" });
    const plain = permissionKey({ kind: "read", path: "a.ts" }, {}, "session", sha256);
    const other = stateOf({ granted: [{ scope: "session", key: plain }] });
    const secret: Access = { kind: "read", path: "a.ts", secret: true };
    expect(decideAccess(other, secret)).toMatchObject({ do: "ask" });
  });

  it("asks for nothing where it is a template", () => {
    const access: Access = { kind: "read", path: ".env.example" };
    expect(decideAccess(stateOf({}), access)).toEqual({ do: "allow", opens: {} });
  });
});
