// Asks the policy about a prepared call, with what is known of the place: its trust, its sandbox,
// the user's rules, and what the user allowed before.
import { sha256 } from "#boundary/digest.ts";
import type { Locations } from "#boundary/locations.ts";
import type { Judge, Place } from "#boundary/turn/parts.ts";
import type { Sandbox } from "#boundary/workspace/sandbox-port.ts";
import { unreachable } from "#core/assert.ts";
import type { Access } from "#core/security/access.ts";
import { type Grant, isSecretRead, lastingKeys } from "#core/security/permission.ts";
import { decideAccess, decideAll, type PolicyState } from "#core/security/policy.ts";
import type { Rules } from "#core/security/rules.ts";
import type { Session } from "#core/session/state.ts";

export type JudgeParts = {
  locations: Locations;
  path: string;
  sandbox: Sandbox;
  /** The user, never a project, said `--sandbox=none`. */
  sandboxWaived: boolean;
  rules: Rules;
};

export function judgeOver(parts: JudgeParts): Judge {
  return async ({ access, title }, session) => {
    const state = await policyState(parts, session);
    if (!state) return { do: "deny", say: "the folder of this session cannot be looked at" };
    const decision = decideAll(state, access);
    switch (decision.do) {
      case "allow":
        return decision;
      case "deny":
        return { do: "deny", say: `${decision.why}; ${decision.fix}` };
      case "ask": {
        const { why, opens } = decision;
        // The answer is bound to exactly this; what it may cover later is named by the keys.
        const hash = sha256(JSON.stringify([access, opens]));
        const what = access.map(exactly).join("\n");
        return { do: "ask", title, why, what, opens, hash, keys: keysOf(state, access) };
      }
      default:
        return unreachable(decision);
    }
  };
}

/** Which files a session may read without a question; none where the place cannot be looked at. */
export function readableOver(parts: JudgeParts): Place["readable"] {
  return async (session) => {
    const state = await policyState(parts, session);
    return (path, secret) => {
      const access: Access = secret ? { kind: "read", path, secret } : { kind: "read", path };
      return state !== null && decideAccess(state, access).do === "allow";
    };
  };
}

/** What the policy lets a session have without a question, and what that opens. */
export function allowsOver(parts: JudgeParts): NonNullable<Place["allows"]> {
  return async (session, access) => {
    const state = await policyState(parts, session);
    const decision = state && decideAccess(state, access);
    return decision?.do === "allow" ? decision.opens : null;
  };
}

async function policyState(parts: JudgeParts, session: Session): Promise<PolicyState | null> {
  const located = await parts.locations.find(parts.path);
  if (!located.ok) return null;
  const granted: Grant[] = [
    ...session.grants.map((key) => ({ scope: "session" as const, key })),
    ...located.value.grants.map((key) => ({ scope: "workspace" as const, key })),
  ];
  return {
    mode: session.mode,
    trusted: located.value.isTrusted,
    sandbox: parts.sandbox.kind,
    sandboxWaived: parts.sandboxWaived,
    rules: parts.rules,
    granted,
    root: parts.path,
    sha256,
  };
}

/** What a lasting answer would cover: each access that is asked about, by its lasting key. */
function keysOf(state: PolicyState, accesses: readonly Access[]): string[] {
  return accesses.flatMap((access) => {
    const decision = decideAccess(state, access);
    return decision.do === "ask" ? lastingKeys(access, decision.opens, sha256) : [];
  });
}

/** What would happen, word for word. */
function exactly(access: Access): string {
  switch (access.kind) {
    case "read":
      return isSecretRead(access) ? `read ${access.path} and its secrets` : `read ${access.path}`;
    case "write":
      return access.diff;
    case "fetch":
      return `GET ${access.url}`;
    case "run": {
      const { command, cwd, env } = access;
      const words = typeof command === "string" ? command : JSON.stringify(command);
      const set = Object.entries(env).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
      const where = cwd === "." ? [] : [`in ${cwd}`];
      return [words, ...where, ...set].join("\n");
    }
    default:
      return unreachable(access);
  }
}
