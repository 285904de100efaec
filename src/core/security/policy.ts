// Whether something may be done, must be asked, or is refused: from the mode, the trust of the
// location, the sandbox, the user's rules and what was granted. Pure; the last word is always the
// sandbox's, because only it sees what a command really does.
//
// Two choices that are not obvious:
// - Editing an ordinary file of a trusted location is allowed without asking, in mode `ask` too. A
//   command in the sandbox can write the same file unasked, every write is shown and can be undone
//   path by path, and a question that is always answered yes teaches people not to read questions.
// - Mode `yes` answers only the questions that a mode asks (paths of the class `ask`). It opens
//   nothing: whatever leaves the sandbox is still the user's to allow, and so is a user's `ask`
// rule.
import type { Access, Escalation, Opened, SandboxKind } from "#core/security/access.ts";
import { wantedHosts } from "#core/security/hosts.ts";
import { isInside, quoted, relativeTo } from "#core/security/paths.ts";
import { type Grant, hostOf, isGranted, isSecretRead } from "#core/security/permission.ts";
import { onlyReads } from "#core/security/programs.ts";
import { protectionOf } from "#core/security/protected.ts";
import { isAllowedByAll, matches, partsOf, type Rules, titleOf } from "#core/security/rules.ts";
import type { Mode } from "#core/session/tool-facts.ts";

export type PolicyState = {
  mode: Mode;
  trusted: boolean;
  sandbox: SandboxKind;
  /** The user, and never a project, said `--sandbox=none`. */
  sandboxWaived: boolean;
  rules: Rules;
  granted: readonly Grant[];
  /** The absolute root of the workspace. */
  root: string;
  sha256: (text: string) => string;
};

/**
 * `opens` is what the call may use beyond the plain sandbox: at once when allowed, after leave when
 * asked. `code` tells the edges apart: `untrusted` is settled by trusting, `denied` is not.
 */
export type Decision =
  | { do: "allow"; opens: Opened }
  | { do: "ask"; why: string; opens: Opened }
  | { do: "deny"; code: "denied" | "untrusted" | "permission_needed"; why: string; fix: string };

/** Decides about one access of a call; `decideAll` about a call. */
export function decideAccess(state: PolicyState, access: Access): Decision {
  const plain = decideByMode(state, access);
  if (plain.do === "deny") return plain;
  const ruled = decideByRules(state, access, plain);
  if (ruled.do !== "ask") return ruled;
  const { granted, sha256 } = state;
  return isGranted(granted, access, ruled.opens, sha256)
    ? { do: "allow", opens: ruled.opens }
    : ruled;
}

/** A call is as strict as the strictest of its accesses, and opens what they all open. */
export function decideAll(state: PolicyState, accesses: readonly Access[]): Decision {
  const decisions = accesses.map((access) => decideAccess(state, access));
  const denied = decisions.find((one) => one.do === "deny");
  if (denied) return denied;
  const opens = decisions.reduce<Opened>(
    (all, one) => (one.do === "deny" ? all : join(all, one.opens)),
    {},
  );
  const asked = decisions.filter((one) => one.do === "ask");
  if (asked.length === 0) return { do: "allow", opens };
  return { do: "ask", why: asked.map(({ why }) => why).join("; "), opens };
}

function join(a: Opened, b: Opened): Opened {
  const write = [...new Set([...(a.write ?? []), ...(b.write ?? [])])];
  const hosts = [...new Set([...(a.hosts ?? []), ...(b.hosts ?? [])])].sort();
  const secrets = [...new Set([...(a.secrets ?? []), ...(b.secrets ?? [])])].sort();
  return {
    ...a,
    ...b,
    ...(write.length > 0 && { write }),
    ...(hosts.length > 0 && { hosts }),
    ...(secrets.length > 0 && { secrets }),
  };
}

const allow = (opens: Opened = {}): Decision => ({ do: "allow", opens });
const ask = (why: string, opens: Opened = {}): Decision => ({ do: "ask", why, opens });
const deny = (why: string, fix: string): Decision => ({ do: "deny", code: "denied", why, fix });

function decideByMode(state: PolicyState, access: Access): Decision {
  if (access.kind === "read") return decideRead(state, access);
  if (!state.trusted) {
    return {
      do: "deny",
      code: "untrusted",
      why: "this location is not trusted, so nothing in it is changed or run",
      fix: "the user can look at it and then run `aiex trust`",
    };
  }
  switch (access.kind) {
    case "write":
      return decideWrite(state, access.path);
    case "run":
      return decideRun(state, access);
    case "fetch":
      return decideFetch(access.url);
  }
}

function decideRead({ root }: PolicyState, access: Access & { kind: "read" }): Decision {
  const name = relativeTo(root, access.path);
  if (name.ok && isSecretRead({ ...access, path: name.value })) {
    return ask(`it would see the secrets in ${quoted(name.value)}`, { secrets: [name.value] });
  }
  if (name.ok) return allow();
  return deny(name.error.say, name.error.fix ?? "name a file inside the workspace");
}

function decideWrite({ root, mode }: PolicyState, path: string): Decision {
  const name = relativeTo(root, path);
  if (!name.ok) return deny(name.error.say, name.error.fix ?? "name a file inside the workspace");
  const shown = quoted(name.value);
  if (isReading(mode))
    return deny(`mode ${mode} changes no file`, "say what you would change instead");
  const protection = protectionOf(name.value);
  if (protection === "deny") {
    return deny(
      `${shown} is obeyed by another program, so only the user changes it`,
      "tell the user what to put there, and why",
    );
  }
  if (protection === "ask" && mode !== "yes")
    return ask(`${shown} can make other programs run things`);
  return allow();
}

const isReading = (mode: Mode): boolean => mode === "plan" || mode === "read-only";

type Run = Access & { kind: "run" };

function decideRun(state: PolicyState, access: Run): Decision {
  const { mode, sandbox, root } = state;
  const cwd = relativeTo(root, access.cwd);
  if (!cwd.ok) return deny(cwd.error.say, "run it from a folder of the workspace");
  const isKnown = isEmpty(access.env) && (partsOf(access.command)?.every(onlyReads) ?? false);
  if (isReading(mode) && (access.escalate || !(access.onlyReads || isKnown))) {
    return deny(
      `mode ${mode} runs only commands that are known to read, in the sandbox`,
      "use the read, list, glob and search tools, or plain commands as `git log` or `ls`",
    );
  }
  if (sandbox === "none") return decideWithout(state);
  const escalation = access.escalate ?? (access.sandboxed ? undefined : UNSANDBOXED);
  return escalation ? decideEscalation(state, escalation) : allow();
}

const UNSANDBOXED: Escalation = { kind: "unsandboxed", why: "the tool needs it" };
const isEmpty = (env: Readonly<Record<string, string>>): boolean => Object.keys(env).length === 0;

function decideWithout({ mode, sandboxWaived }: PolicyState): Decision {
  const opens = { unsandboxed: true };
  if (mode !== "yes")
    return ask("there is no sandbox here, so each command needs your leave", opens);
  if (sandboxWaived) return allow(opens);
  return {
    do: "deny",
    code: "permission_needed",
    why: "there is no sandbox here, and mode yes is never wider than the sandbox",
    fix: "the user can install one (`aiex doctor` says how), or say --sandbox=none",
  };
}

function decideEscalation({ root }: PolicyState, escalation: Escalation): Decision {
  const { kind, path, why, hosts } = escalation;
  const because = `the model says: ${quoted(why)}`;
  switch (kind) {
    case "network": {
      const wanted = wantedHosts(hosts ?? []);
      if (!wanted.ok) return deny(wanted.error.say, wanted.error.fix ?? "name the hosts");
      if ("network" in wanted.value) {
        return ask(`it wants the whole network, every host and protocol; ${because}`, wanted.value);
      }
      return ask(`it wants to reach ${wanted.value.hosts.join(", ")}; ${because}`, wanted.value);
    }
    case "unsandboxed":
      return ask(`it wants to run without the sandbox; ${because}`, { unsandboxed: true });
    case "path":
    case "protected": {
      const full = absolute(root, path);
      if (full === null)
        return deny("it does not say which path it wants", "give its absolute path");
      const what = isInside(root, full) ? "a protected path" : "a path outside the workspace";
      return ask(`it wants to write ${what}, ${quoted(full)}; ${because}`, { write: [full] });
    }
  }
}

/** The absolute path with `..` worked out; what holds the workspace is no path to open. */
function absolute(root: string, path: string | undefined): string | null {
  if (!path?.startsWith("/")) return null;
  const name = relativeTo("/", path);
  if (!name.ok || name.value === ".") return null;
  const full = `/${name.value}`;
  return isInside(full, root) ? null : full;
}

function decideFetch(url: string): Decision {
  const host = hostOf(url);
  if (host === null) {
    return deny(
      `${quoted(url)} is not a plain http or https URL`,
      "give a URL without user, spaces or odd hosts",
    );
  }
  return ask(`it wants to fetch from ${host}`);
}

/** The strictest rule that matches counts; `allow` answers a question and lifts no refusal. */
function decideByRules(state: PolicyState, access: Access, plain: Decision): Decision {
  if (plain.do === "deny") return plain;
  const { rules } = state.rules;
  const matching = rules.filter((rule) => rule.do !== "allow" && matches(rule, access, state.root));
  const denied = matching.find((rule) => rule.do === "deny");
  if (denied) {
    const isJudged = access.kind !== "run" || partsOf(access.command) !== null;
    const why = denied.why ?? `a rule says: ${titleOf(denied)}`;
    // What cannot be read is only suspected of being what the rule forbids.
    return isJudged ? deny(why, "do without it, or ask the user") : ask(`${why}?`, plain.opens);
  }
  const [asked] = matching;
  if (asked) return ask(asked.why ?? `a rule says: ${titleOf(asked)}`, plain.opens);
  if (plain.do === "allow") return plain;
  const allowing = rules.filter((rule) => rule.do === "allow" && opensEnough(rule, plain.opens));
  const allowed =
    isAllowedByAll(allowing, access) ||
    allowing.some((rule) => rule.kind !== "run" && matches(rule, access, state.root));
  return allowed ? allow(plain.opens) : plain;
}

/** A rule for a program allows it in the plain sandbox, unless it names what it opens. */
function opensEnough(rule: Rules["rules"][number], opens: Opened): boolean {
  if (rule.kind !== "run") return true;
  if (opens.write && opens.write.length > 0) return false;
  if (opens.unsandboxed) return rule.opens === "unsandboxed";
  return (!opens.network && !opens.hosts?.length) || rule.opens === "network";
}
