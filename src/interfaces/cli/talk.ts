// What `ask` and `chat` have in common: which session in which folder, with which model and mode.
import { type Strictness, strictness } from "#core/evidence/standing.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import { readAmount } from "#core/ledger/amount.ts";
import type { Amount } from "#core/ledger/budget.ts";
import type { Session } from "#core/session/state.ts";
import { type Mode, modes } from "#core/session/tool-facts.ts";
import type { Cli } from "#interfaces/cli/cli.ts";
import type { Options, Values } from "#interfaces/cli/command.ts";
import type { Opened } from "#interfaces/cli/open.ts";
import { ensureTrusted } from "#interfaces/cli/trusting.ts";
import { confirmVerify } from "#interfaces/cli/verifying.ts";

export const talkOptions = {
  model: { about: "The model that answers.", short: "m", value: "provider/name" },
  session: { about: "Go on with this session (a beginning of its id is enough).", value: "id" },
  continue: { about: "Go on with the newest session of this folder.", short: "c" },
  cwd: { about: "Work in this folder.", short: "C", value: "folder" },
  mode: { about: "How much is done without asking.", value: "mode", choices: modes },
  yes: {
    about: `Do not ask for what stays in the sandbox, nor before files are edited that make other
      programs run things (package.json, Makefile, AGENTS.md, CI workflows). What leaves the
      sandbox, and what your rules ask for, is asked all the same.`.replaceAll(/\s+/g, " "),
    short: "y",
  },
  plan: { about: "Look and plan, change nothing." },
  "read-only": { about: "Only read." },
  sandbox: {
    about: "none: you accept that commands run without a sandbox.",
    value: "kind",
    choices: ["auto", "none"],
  },
  trust: { about: "Trust this folder as it is now, then go on." },
  budget: {
    about: "What it may spend from here on: dollars (2.50) or tokens (200k tokens).",
    value: "amount",
  },
  "max-steps": { about: "Model calls of a turn, at most.", value: "n", number: true },
} as const satisfies Options;

type TalkOptions = Values<typeof talkOptions>;

/** A conversation that may not have begun yet. */
export type Talk = Opened & {
  folder: string;
  session: string | null;
  state: Session | null;
  model?: string;
  mode?: Mode;
  /** What the session is given to spend, once it is spoken in. */
  budget?: Amount;
};

/** The mode that the flags name; more than one is a contradiction. */
export function modeOf(options: TalkOptions): Result<Mode | undefined> {
  const named = new Set<Mode>();
  if (options.mode) named.add(options.mode);
  if (options.yes) named.add("yes");
  if (options.plan) named.add("plan");
  if (options["read-only"]) named.add("read-only");
  return named.size > 1
    ? fail("bad_input", `the modes ${[...named].join(" and ")} exclude each other`)
    : ok([...named][0]);
}

/** What a prompt of this talk says of evidence: nothing, where it is only shown. */
export function strictIn({ config }: Pick<Talk, "config">): { evidence?: Strictness } {
  const set = config.settings.get("evidence")?.value;
  const evidence = strictness.find((one) => one === set);
  return evidence ? { evidence } : {};
}

/** Opens the door in the right folder, finds the session, and sees to the trust. */
export async function beginTalk(
  options: TalkOptions,
  cli: Cli,
  { ask, screen = false }: { ask: boolean; screen?: boolean },
): Promise<Result<Talk>> {
  const mode = modeOf(options);
  if (!mode.ok) return mode;
  if (options.session && options.continue) {
    return fail("bad_input", "--session and --continue exclude each other");
  }
  if (options["max-steps"] === 0) return fail("bad_input", "--max-steps must be above 0");
  const budget = options.budget === undefined ? ok(undefined) : readAmount(options.budget);
  if (!budget.ok) return budget;
  const { flags, ...where } = openingOf(options, mode.value);
  const opened = await cli.open({ ...where, flags, screen });
  if (!opened.ok) return opened;
  const found = await sessionOf(options, opened.value);
  if (!found.ok) return found;
  const folder = found.value?.state.start?.location.path ?? opened.value.location.path;
  const elsewhere = folder !== opened.value.location.path;
  let there = elsewhere ? await cli.open({ folder, flags, screen }) : opened;
  if (!there.ok) return there;
  const trusted = await ensureTrusted(there.value, cli, { trust: options.trust, ask });
  if (!trusted.ok) return trusted;
  if (trusted.value.isNew && !options.trust) {
    // Whoever was just asked about the folder is here to be asked about its tests.
    const confirmed = await confirmVerify(there.value.app, folder, cli);
    if (!confirmed.ok) return confirmed;
  }
  // What the project configures counts from now on.
  if (trusted.value.isNew) there = await cli.open({ folder, flags, screen });
  if (!there.ok) return there;
  const { session = null, state = null } = found.value ?? {};
  return ok({
    ...there.value,
    folder,
    session,
    state,
    model: options.model,
    mode: narrowed(mode.value, there.value),
    ...(budget.value ? { budget: budget.value } : {}),
  });
}

/** A mode flag asks for at most what the project allows here. */
function narrowed(mode: Mode | undefined, { config }: Opened): Mode | undefined {
  const setting = config.settings.get("mode");
  return setting?.from === "project" ? (setting.value as Mode) : mode;
}

/** How the door is opened for a talk with these options. */
export const openingOf = (options: TalkOptions, mode: Mode | undefined) => ({
  folder: options.cwd,
  flags: flagsOf(options, mode),
});

function flagsOf(options: TalkOptions, mode: Mode | undefined) {
  const { model, sandbox } = options;
  const stepsMax = options["max-steps"];
  return {
    ...(model ? { model } : {}),
    ...(mode ? { mode } : {}),
    ...(sandbox ? { sandbox } : {}),
    ...(stepsMax ? { "limits.stepsPerTurn": stepsMax } : {}),
  };
}

type Found = { session: string; state: Session };

async function sessionOf(
  options: TalkOptions,
  { app, location }: Opened,
): Promise<Result<Found | null>> {
  if (options.session) return await app.read({ type: "Session", session: options.session });
  if (!options.continue) return ok(null);
  const where = { path: location.path, child: 0 };
  const rows = await app.read({ type: "View", view: "sessions", where, limit: 1 });
  if (!rows.ok) return rows;
  const [row] = rows.value;
  if (!row) {
    return fail("not_found", `there is no session in ${location.path} to go on with`, {
      fix: 'begin one: aiex ask "…"',
    });
  }
  return await app.read({ type: "Session", session: String(row.session) });
}

/** The session to speak in: begun now if there is none, switched to what the flags say. */
export async function speakingIn(talk: Talk): Promise<Result<string>> {
  const session = await switched(talk);
  if (!session.ok || !talk.budget) return session;
  const given = { type: "SetBudget", session: session.value, amount: talk.budget } as const;
  const set = await talk.app.send(given);
  return set.ok ? session : set;
}

/** The same talk once its budget was given: it counts from that moment, and not again from later ones. */
export function budgetGiven({ budget: _, ...talk }: Talk): Talk {
  return talk;
}

async function switched(talk: Talk): Promise<Result<string>> {
  const { app, folder, session, state, model, mode } = talk;
  if (session === null) {
    const begun = await app.send({ type: "StartSession", cwd: folder, model, mode });
    return begun.ok ? ok(begun.value.stream) : begun;
  }
  if (model && model !== state?.model) {
    const switched = await app.send({ type: "SwitchModel", session, model });
    if (!switched.ok) return switched;
  }
  if (mode && mode !== state?.mode) {
    const switched = await app.send({ type: "SwitchMode", session, mode });
    if (!switched.ok) return switched;
  }
  return ok(session);
}
