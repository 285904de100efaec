// The policy as a table: mode, trust, sandbox and rules against what is wanted.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Access, Escalation } from "#core/security/access.ts";
import { type Grant, hostOf, permissionKey, type Scope } from "#core/security/permission.ts";
import { decideAccess, decideAll, type PolicyState } from "#core/security/policy.ts";
import { loadRules, noRules, type Rules } from "#core/security/rules.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const base: PolicyState = {
  mode: "ask",
  trusted: true,
  sandbox: "bubblewrap",
  sandboxWaived: false,
  rules: noRules,
  granted: [],
  root: "/srv/app",
  sha256,
};
const read = (path: string): Access => ({ kind: "read", path });
const write = (path: string, diff = "+x"): Access => ({ kind: "write", path, diff });
const run = (command: string | string[], escalate?: Escalation): Access & { kind: "run" } => ({
  kind: "run",
  command,
  cwd: ".",
  env: {},
  sandboxed: true,
  ...(escalate && { escalate }),
});
const fetched = (url: string): Access => ({ kind: "fetch", url });
const wants = (kind: Escalation["kind"], path?: string): Escalation => ({
  kind,
  path,
  why: "because",
  ...(kind === "network" && { hosts: ["*"] }),
});

function rules(...list: unknown[]): Rules {
  const loaded = loadRules(list, "user");
  if (!loaded.ok) throw new Error(loaded.error.say);
  return loaded.value;
}

type Row = [string, Access, ...("allow" | "ask" | "deny")[]];

describe("in a trusted location with a sandbox", () => {
  const modes = ["ask", "yes", "plan", "read-only"] as const;
  it.each<Row>([
    ["a file is read", read("a"), "allow", "allow", "allow", "allow"],
    ["a file outside is read", read("/etc/passwd"), "deny", "deny", "deny", "deny"],
    ["a file is edited", write("src/a.ts"), "allow", "allow", "deny", "deny"],
    ["a file outside is written", write("../a"), "deny", "deny", "deny", "deny"],
    ["package.json is edited", write("package.json"), "ask", "allow", "deny", "deny"],
    ["AGENTS.md is edited", write("docs/AGENTS.md"), "ask", "allow", "deny", "deny"],
    ["a hook is written", write(".git/hooks/pre-commit"), "deny", "deny", "deny", "deny"],
    ["an editor is configured", write("x/.VSCode/tasks.json"), "deny", "deny", "deny", "deny"],
    ["our own rules are written", write(".aiex/rules.json"), "deny", "deny", "deny", "deny"],
    ["any command runs", run("rm -rf build && make $X"), "allow", "allow", "deny", "deny"],
    [
      "a reading command runs",
      run("git log --oneline | head -5"),
      "allow",
      "allow",
      "allow",
      "allow",
    ],
    ["a reading argv runs", run(["git", "status"]), "allow", "allow", "allow", "allow"],
    ["something opaque runs", run("cat $(ls)"), "allow", "allow", "deny", "deny"],
    ["reading hides writing", run("git diff --output=x"), "allow", "allow", "deny", "deny"],
    ["the network is wanted", run("npm i", wants("network")), "ask", "ask", "deny", "deny"],
    ["a path is wanted", run("x", wants("path", "/opt/x")), "ask", "ask", "deny", "deny"],
    [
      "a protected path is wanted",
      run("x", wants("protected", "/srv/app/.vscode")),
      "ask",
      "ask",
      "deny",
      "deny",
    ],
    ["no sandbox is wanted", run("x", wants("unsandboxed")), "ask", "ask", "deny", "deny"],
    ["reading wants no sandbox", run("ls", wants("unsandboxed")), "ask", "ask", "deny", "deny"],
    ["no path is named", run("x", wants("path")), "deny", "deny", "deny", "deny"],
    ["everything is wanted", run("x", wants("path", "/")), "deny", "deny", "deny", "deny"],
    [
      "what holds the workspace is wanted",
      run("x", wants("path", "/srv/../srv")),
      "deny",
      "deny",
      "deny",
      "deny",
    ],
    ["a page is fetched", fetched("https://docs.rs/x"), "ask", "ask", "ask", "ask"],
    ["no page is fetched", fetched("file:///etc/passwd"), "deny", "deny", "deny", "deny"],
  ])("%s", (_, access, ...expected) => {
    const found = modes.map((mode) => decideAccess({ ...base, mode }, access).do);
    expect(found).toEqual(expected);
  });

  it("is no way out that the folder of a command lies outside", () => {
    expect(decideAccess(base, { ...run("ls"), cwd: "../x" }).do).toBe("deny");
    const env = { ...run("ls"), env: { GIT_PAGER: "x" } };
    expect(decideAccess({ ...base, mode: "plan" }, env).do).toBe("deny");
  });

  it("is asked for exactly what was wanted", () => {
    const opens = (escalate: Escalation) => decideAccess(base, run("x", escalate));
    expect(opens(wants("network"))).toMatchObject({ do: "ask", opens: { network: true } });
    expect(opens(wants("path", "/opt/a/../x"))).toMatchObject({ opens: { write: ["/opt/x"] } });
    expect(opens(wants("unsandboxed"))).toMatchObject({ opens: { unsandboxed: true } });
  });
});

describe("a program that can only read, as a language server", () => {
  const plain = run(["/usr/bin/gopls", "serve"]);
  const server: Access = { ...plain, env: { GOFLAGS: "-mod=mod" }, onlyReads: true };
  it.each(["ask", "yes", "plan", "read-only"] as const)("runs in mode %s", (mode) => {
    expect(decideAccess({ ...base, mode }, server)).toEqual({ do: "allow", opens: {} });
  });

  it("runs nowhere without trust, by no sandbox only with leave, and against no rule", () => {
    const untrusted = decideAccess({ ...base, trusted: false }, server);
    expect(untrusted).toMatchObject({ do: "deny", code: "untrusted" });
    expect(decideAccess({ ...base, sandbox: "none" }, server)).toMatchObject({
      do: "ask",
      opens: { unsandboxed: true },
    });
    const rule = { do: "deny", kind: "run", program: "gopls", examples: { match: ["gopls x"] } };
    expect(decideAccess({ ...base, rules: rules(rule) }, server)).toMatchObject({ do: "deny" });
  });
});

describe("elsewhere", () => {
  it("mode yes edits what other programs run, opens nothing, and leaves refusals", () => {
    const yes = { ...base, mode: "yes" as const };
    for (const path of ["package.json", "Makefile", "AGENTS.md", ".github/workflows/ci.yml"]) {
      expect([decideAccess(base, write(path)).do, decideAccess(yes, write(path)).do]).toEqual([
        "ask",
        "allow",
      ]);
    }
    expect(decideAccess(yes, write(".git/config")).do).toBe("deny");
    expect(decideAccess(yes, run("x", wants("network"))).do).toBe("ask");
  });

  it("an untrusted location is read and nothing else, in every mode", () => {
    for (const mode of ["ask", "yes", "plan", "read-only"] as const) {
      const state = { ...base, mode, trusted: false };
      expect(decideAccess(state, read("a")).do).toBe("allow");
      for (const access of [write("a"), run("ls"), run(["ls"]), fetched("https://docs.rs/")]) {
        expect(decideAccess(state, access)).toMatchObject({ do: "deny", code: "untrusted" });
      }
    }
  });

  it("without a sandbox every command asks, and yes is refused unless the user waived it", () => {
    const none = { ...base, sandbox: "none" as const };
    expect(decideAccess(none, run("ls"))).toMatchObject({
      do: "ask",
      opens: { unsandboxed: true },
    });
    expect(decideAccess({ ...none, mode: "plan" }, run("ls")).do).toBe("ask");
    expect(decideAccess({ ...none, mode: "plan" }, run("rm a")).do).toBe("deny");
    expect(decideAccess({ ...none, mode: "yes" }, run("ls"))).toMatchObject({
      do: "deny",
      code: "permission_needed",
    });
    const waived = { ...none, mode: "yes" as const, sandboxWaived: true };
    expect(decideAccess(waived, run("ls"))).toEqual({ do: "allow", opens: { unsandboxed: true } });
    expect(decideAccess({ ...none, sandboxWaived: true }, run("ls")).do).toBe("ask");
  });
});

describe("a permission", () => {
  const access = run("npm i", wants("network"));
  const opens = { network: true };
  const grant = (scope: Scope, of: Access = access, opened = opens): Grant => ({
    scope,
    key: permissionKey(of, opened, scope, sha256),
  });

  it("covers what was shown, and opens it", () => {
    for (const scope of ["once", "session", "workspace", "always"] as const) {
      const state = { ...base, granted: [grant(scope)] };
      expect(decideAccess(state, access)).toEqual({ do: "allow", opens });
    }
  });

  it.each<[string, Access]>([
    ["another word", run("npm i x", wants("network"))],
    ["an argv of the same words", run(["npm", "i"], wants("network"))],
    ["another folder", { ...access, cwd: "sub" }],
    ["another environment", { ...access, env: { npm_config_registry: "https://x" } }],
    ["more that is opened", run("npm i", wants("unsandboxed"))],
    ["a path that is opened", run("npm i", wants("path", "/opt/x"))],
  ])("does not cover %s", (_, other) => {
    expect(decideAccess({ ...base, granted: [grant("always")] }, other).do).toBe("ask");
  });

  it("covers one diff when given once, and the path when given for longer", () => {
    const edit = write("package.json", "+a");
    const other = write("package.json", "+b");
    const once = { ...base, granted: [grant("once", edit, {} as never)] };
    expect(decideAccess(once, edit).do).toBe("allow");
    expect(decideAccess(once, other).do).toBe("ask");
    const session = { ...base, granted: [grant("session", edit, {} as never)] };
    expect(decideAccess(session, other).do).toBe("allow");
    expect(decideAccess(session, write("Makefile")).do).toBe("ask");
  });

  it("covers a host when given for longer than once", () => {
    const page = fetched("https://docs.rs/a");
    const once = { ...base, granted: [grant("once", page, {} as never)] };
    expect(decideAccess(once, page).do).toBe("allow");
    expect(decideAccess(once, fetched("https://docs.rs/b")).do).toBe("ask");
    const session = { ...base, granted: [grant("session", page, {} as never)] };
    expect(decideAccess(session, fetched("https://DOCS.rs:443/b")).do).toBe("allow");
    expect(decideAccess(session, fetched("https://docs.rs.evil.org/b")).do).toBe("ask");
    expect(decideAccess(session, fetched("https://docs.rs:8443/b")).do).toBe("ask");
  });

  it("never lifts a refusal", () => {
    const edit = write(".git/config");
    expect(decideAccess({ ...base, granted: [grant("always", edit, {} as never)] }, edit).do).toBe(
      "deny",
    );
  });

  it.each([
    "http://a b",
    "https://user@host/",
    "https://host\\@evil/",
    "//x",
    "ftp://x",
    "https://",
    "https://x:y/",
    "https://x\0.y/",
    "https://x\n.y/",
    "https://-x/",
    "https://x..y/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://1.2.3/",
    "https://256.1.1.1/",
    "https://ｘ.org/",
    "javascript:x",
    "HTTPS://x",
    "https://x /",
    "https://a_b.c/",
  ])("is not asked for the odd URL %j", (url) => {
    expect(hostOf(url)).toBe(null);
  });
});

describe("a user's rule", () => {
  const push = {
    kind: "run",
    program: "git",
    args: ["push"],
    do: "deny",
    examples: { match: ["git push"], not: ["git pull"] },
  };
  const install = {
    kind: "run",
    program: "npm",
    args: ["ci"],
    flags: ["--ignore-scripts"],
    opens: "network",
    do: "allow",
    examples: {
      match: ["npm ci", "npm ci --ignore-scripts"],
      not: ["npm ci --scripts-prepend-node-path", "npm i"],
    },
  };
  const docs = {
    kind: "fetch",
    host: "*.docs.rs",
    do: "allow",
    examples: {
      match: ["https://a.docs.rs/"],
      not: ["https://docs.rs/", "https://docs.rs.x.org/"],
    },
  };
  const lock = {
    kind: "write",
    path: "**/*.lock",
    do: "ask",
    examples: { match: ["a.lock", "x/y/b.LOCK"], not: ["a.lock/x"] },
  };
  const secret = {
    kind: "read",
    path: ".env*",
    do: "deny",
    examples: { match: [".env", ".env.local"], not: ["x/.env"] },
  };
  const make = {
    kind: "run",
    program: "make",
    do: "ask",
    examples: { match: ["make", "a && make x"] },
  };

  it.each<[string, Access, "allow" | "ask" | "deny"]>([
    ["the command itself", run("git push"), "deny"],
    ["a path to it", run("/usr/bin/git push origin"), "deny"],
    ["a flag before", run("git -C x --no-pager push"), "deny"],
    ["a part among others", run("ls && git push || true"), "deny"],
    ["a wrapper", run("env A=b nice -n 5 git push"), "deny"],
    ["a shell", run(["bash", "-c", "git push"]), "deny"],
    ["xargs and find", run("find . -name x -exec git push"), "deny"],
    ["something opaque that names it", run('git "$(echo push)"'), "ask"],
    ["something opaque that does not", run("echo $X"), "allow"],
    ["another command", run("git pull"), "allow"],
    ["a word in a text", run("echo git push"), "allow"],
  ])("to deny sees %s", (_, access, expected) => {
    for (const mode of ["ask", "yes"] as const) {
      expect(decideAccess({ ...base, mode, rules: rules(push) }, access).do).toBe(expected);
    }
  });

  it("to allow answers the question it names, for exactly the flags it lists", () => {
    const state = { ...base, rules: rules(install, docs) };
    const network = (text: string) => decideAccess(state, run(text, wants("network"))).do;
    expect(network("npm ci")).toBe("allow");
    expect(network("npm ci --ignore-scripts && npm ci")).toBe("allow");
    expect(network("npm ci --registry=https://x")).toBe("ask");
    expect(network("npm ci && curl x")).toBe("ask");
    expect(network("npm ci $X")).toBe("ask");
    expect(network("env npm ci")).toBe("ask");
    expect(network("./npm ci")).toBe("ask");
    expect(decideAccess(state, run("npm ci", wants("unsandboxed"))).do).toBe("ask");
    expect(decideAccess(state, run("npm ci", wants("path", "/opt/x"))).do).toBe("ask");
    expect(decideAccess(state, fetched("https://x.docs.rs/a")).do).toBe("allow");
    expect(decideAccess(state, fetched("https://docs.rs/a")).do).toBe("ask");
    const plan = { ...state, mode: "plan" as const };
    expect(decideAccess(plan, run("npm ci", wants("network"))).do).toBe("deny");
  });

  it("counts by the strictest, in any order, and mode yes does not overrule it", () => {
    const both = rules(
      install,
      {
        ...install,
        do: "deny",
        flags: undefined,
        opens: undefined,
        examples: { match: ["npm ci"] },
      },
      make,
      lock,
      secret,
    );
    const state = { ...base, mode: "yes" as const, rules: both };
    expect(decideAccess(state, run("npm ci", wants("network"))).do).toBe("deny");
    expect(decideAccess(state, run("make")).do).toBe("ask");
    expect(decideAccess(state, write("x/Cargo.lock")).do).toBe("ask");
    expect(decideAccess(state, read(".ENV")).do).toBe("deny");
    expect(decideAccess(state, read("/srv/app/a/../.env")).do).toBe("deny");
  });

  it.each<[string, unknown, RegExp]>([
    ["it is no list", {}, /list/],
    [
      "an example does not match",
      [{ ...push, examples: { match: ["git pull"] } }],
      /rule 1 .*git push.*"git pull"/,
    ],
    [
      "a counter-example matches",
      [push, { ...make, examples: { match: ["make"], not: ["make"] } }],
      /rule 2 .*should not match/,
    ],
    [
      "it has no example",
      [{ ...push, examples: { match: [] } }],
      /rule 1 is malformed: examples.match/,
    ],
    ["it has a word too many", [{ ...push, comand: "x" }], /rule 1 is malformed/],
    ["it is of no kind", [{ ...push, kind: "x" }], /rule 1 is malformed/],
    ["its program is a path", [{ ...push, program: "/bin/git" }], /program/],
    ["it is null", [null], /rule 1 is malformed/],
  ])("is refused when %s", (_, json, say) => {
    const loaded = loadRules(json, "user");
    expect(loaded.ok).toBe(false);
    if (!loaded.ok) expect(loaded.error.say).toMatch(say);
  });

  it("of a project can only narrow", () => {
    const loaded = loadRules([install, push], "project");
    expect(loaded).toMatchObject({ ok: true, value: { ignored: ["allow run npm ci"] } });
    if (loaded.ok) expect(loaded.value.rules).toHaveLength(1);
  });
});

describe("a call with several accesses", () => {
  it("is as strict as the strictest of them, and opens what they all open", () => {
    expect(decideAll(base, [])).toEqual({ do: "allow", opens: {} });
    expect(decideAll(base, [read("a"), write("b")])).toEqual({ do: "allow", opens: {} });
    expect(decideAll(base, [write("package.json"), write("Makefile")]).do).toBe("ask");
    expect(decideAll(base, [write("package.json"), write(".npmrc")]).do).toBe("deny");
    const two = [run("a", wants("network")), run("a", wants("path", "/opt/x"))];
    expect(decideAll(base, two)).toMatchObject({ opens: { network: true, write: ["/opt/x"] } });
  });
});
