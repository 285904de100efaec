// Leave for hosts: bound to the command and to each host, and good for fewer of them.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Access } from "#core/security/access.ts";
import { isGranted, lastingKeys, permissionKey } from "#core/security/permission.ts";
import { decideAccess, decideAll, type PolicyState } from "#core/security/policy.ts";
import { loadRules, noRules } from "#core/security/rules.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const state: PolicyState = {
  mode: "ask",
  trusted: true,
  sandbox: "bubblewrap",
  sandboxWaived: false,
  rules: noRules,
  granted: [],
  root: "/srv/app",
  sha256,
};
const wants = (hosts: string[] | undefined, command = "npm i"): Access & { kind: "run" } => ({
  kind: "run",
  command,
  cwd: ".",
  env: {},
  sandboxed: true,
  escalate: { kind: "network", why: "because", ...(hosts && { hosts }) },
});

describe("a command that wants hosts", () => {
  it("is asked for exactly these, and told plainly when it is all of them", () => {
    const some = decideAccess(state, wants(["b.org", "A.org"]));
    expect(some).toMatchObject({ do: "ask", opens: { hosts: ["a.org", "b.org"] } });
    expect(some).toMatchObject({ why: expect.stringContaining("reach a.org, b.org") });
    expect(some).not.toHaveProperty("opens.network");
    const all = decideAccess(state, wants(["*"]));
    expect(all).toMatchObject({ do: "ask", opens: { network: true } });
    expect(all).toMatchObject({ why: expect.stringContaining("whole network") });
  });

  it("is refused, with what to do, where it names none or something else", () => {
    for (const hosts of [undefined, [], ["https://a.org/"], ["a.org", "0x7f.1"]]) {
      expect(decideAccess(state, wants(hosts))).toMatchObject({ do: "deny" });
    }
  });

  it("opens together what several accesses open", () => {
    const two = decideAll(state, [wants(["b.org"], "a"), wants(["a.org"], "b")]);
    expect(two).toMatchObject({ opens: { hosts: ["a.org", "b.org"] } });
  });

  it("is refused a host that a rule denies, also inside a wider wish", () => {
    const examples = { match: ["https://evil.org/x"] };
    const rule = { do: "deny", kind: "fetch", host: "evil.org", examples };
    const rules = loadRules([rule], "user");
    if (!rules.ok) throw new Error(rules.error.say);
    const denied = (...hosts: string[]) =>
      decideAccess({ ...state, rules: rules.value }, wants(hosts)).do;
    expect(denied("evil.org")).toBe("deny");
    expect(denied("a.org", "evil.org:8443")).toBe("deny");
    expect(denied("*")).toBe("deny");
    expect(denied("a.org")).toBe("ask");
    expect(denied("notevil.org")).toBe("ask");
  });
});

describe("leave that lasts", () => {
  const given = (hosts: string[], command?: string) =>
    lastingKeys(wants(hosts, command), { hosts }, sha256).map((key) => ({
      scope: "session" as const,
      key,
    }));
  const asks = (granted: PolicyState["granted"], hosts: string[], command?: string) =>
    decideAccess({ ...state, granted }, wants(hosts, command)).do;

  it.each([
    [["a.org", "b.org"], ["a.org"], "allow"],
    [["a.org", "b.org"], ["b.org", "a.org"], "allow"],
    [["a.org"], ["a.org:443"], "allow"],
    [["*.a.org"], ["x.a.org", "y.x.a.org"], "allow"],
    [["a.org:443"], ["a.org"], "ask"],
    [["a.org"], ["a.org", "b.org"], "ask"],
    [["a.org"], ["*.a.org"], "ask"],
    [["*.a.org"], ["a.org"], "ask"],
    [["a.org"], ["*"], "ask"],
  ])("for %j answers for %j: %s", (granted, wanted, answer) => {
    expect(asks(given(granted), wanted)).toBe(answer);
  });

  it("adds up, and belongs to its command", () => {
    expect(asks([...given(["a.org"]), ...given(["b.org"])], ["a.org", "b.org"])).toBe("allow");
    expect(asks(given(["a.org"]), ["a.org"], "npm i evil")).toBe("ask");
  });

  it("is not what `once` means, which is exactly this", () => {
    const opens = { hosts: ["a.org", "b.org"] };
    const access = wants(["a.org", "b.org"]);
    const once = [{ scope: "once" as const, key: permissionKey(access, opens, "once", sha256) }];
    expect(isGranted(once, access, opens, sha256)).toBe(true);
    expect(isGranted(once, access, { hosts: ["a.org"] }, sha256)).toBe(false);
  });
});
