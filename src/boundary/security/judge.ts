// Asks the policy about a prepared call, with what is known of the place: its trust, its sandbox,
// and what the user allowed before.
import { sha256 } from "#boundary/digest.ts";
import type { Locations } from "#boundary/locations.ts";
import type { Judge, Verdict } from "#boundary/turn/parts.ts";
import type { Sandbox } from "#boundary/workspace/sandbox-port.ts";
import type { Access, Opened } from "#core/security/access.ts";
import { protectionOf } from "#core/security/protected.ts";
import type { Session } from "#core/session/state.ts";

export function judgeOver(parts: { locations: Locations; path: string; sandbox: Sandbox }): Judge {
  return async ({ access, title }, session) => {
    const located = await parts.locations.find(parts.path);
    if (!located.ok) return { do: "deny", say: located.error.say };
    const trusted = located.value.isTrusted;
    const hash = sha256(JSON.stringify(access));
    const granted = [...session.grants.map((grant) => grant.hash), ...located.value.grants];
    const verdicts = access.map((one) =>
      judgeOne(one, { trusted, session, sandbox: parts.sandbox }),
    );
    const denied = verdicts.find((verdict) => verdict.do === "deny");
    if (denied) return denied;
    const asks = verdicts.flatMap((verdict) => (verdict.do === "ask" ? [verdict] : []));
    if (asks.length === 0) return { do: "allow", opens: {} };
    const opens = Object.assign({}, ...asks.map((one) => one.opens)) as Opened;
    if (granted.includes(hash)) return { do: "allow", opens };
    const why = asks.map((one) => one.why).join("; ");
    return { do: "ask", title, why, what: access.map(exact).join("\n"), opens, hash };
  };
}

type Known = { trusted: boolean; session: Session; sandbox: Sandbox };
type One = Extract<Verdict, { do: "allow" | "deny" }> | { do: "ask"; why: string; opens: Opened };

function judgeOne(access: Access, { trusted, session, sandbox }: Known): One {
  if (access.kind === "read") return { do: "allow", opens: {} };
  if (!trusted)
    return { do: "deny", say: "This folder is not trusted by the user; only reading is allowed." };
  if (access.kind === "fetch")
    return { do: "ask", why: "it reaches the network", opens: { network: true } };
  const readOnly = session.mode === "plan" || session.mode === "read-only";
  if (readOnly)
    return { do: "deny", say: `The mode is ${session.mode}: nothing may be changed or run.` };
  if (access.kind === "write") {
    const protection = protectionOf(access.path);
    if (protection === "deny")
      return { do: "deny", say: `${access.path} is protected: other programs obey it.` };
    if (protection === "ask")
      return { do: "ask", why: `other programs obey ${access.path}`, opens: {} };
    return { do: "allow", opens: {} };
  }
  if (sandbox.kind === "none")
    return { do: "ask", why: "there is no sandbox", opens: { unsandboxed: true } };
  const { escalate } = access;
  if (!escalate) return { do: "allow", opens: {} };
  const opens: Opened =
    escalate.kind === "network"
      ? { network: true }
      : escalate.kind === "unsandboxed"
        ? { unsandboxed: true }
        : { write: escalate.path ? [escalate.path] : [] };
  return { do: "ask", why: escalate.why, opens };
}

function exact(access: Access): string {
  switch (access.kind) {
    case "read":
      return `read ${access.path}`;
    case "write":
      return access.diff;
    case "run":
      return typeof access.command === "string" ? access.command : access.command.join(" ");
    case "fetch":
      return access.url;
  }
}
