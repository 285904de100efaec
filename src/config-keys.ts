// Every key of the configuration: what it is for, its kind, its default, the variables that set it,
// and whether a project may narrow it.
import { type Mode, modes } from "#core/session/tool-facts.ts";

type Kind = "text" | "number" | "list";

export type Key = {
  about: string;
  kind: Kind;
  fallback: unknown;
  env?: readonly string[];
  choices?: readonly string[];
  /** Whether a project's value may replace the user's: only where it is narrower. */
  narrower?: (project: unknown, user: unknown) => boolean;
  /** Shown as set or not set, never its value. */
  secret?: boolean;
};

const lower = (a: unknown, b: unknown): boolean => Number(a) < Number(b);
const modePower: Record<Mode, number> = { "read-only": 0, plan: 1, ask: 2, yes: 3 };
const strictPower = ["shown", "strict_tests_may_change", "strict"];
const stricter = (a: unknown, b: unknown): boolean =>
  strictPower.indexOf(String(a)) > strictPower.indexOf(String(b));
/** From the narrowest to the widest. */
const serverUses = ["off", "asked", "auto"];
/** Some of what the user named, and at least one. */
const fewer = (a: unknown, b: unknown): boolean => {
  const [some, all] = [a, b].map((list) => (Array.isArray(list) ? list : []).map(toJson));
  return Boolean(some?.length) && some?.length !== all?.length && some?.every(isIn(all)) === true;
};
const toJson = (value: unknown): string => JSON.stringify(value);
const isIn =
  (all: readonly string[] = []) =>
  (one: string): boolean =>
    all.includes(one);
const narrowerMode = (a: unknown, b: unknown): boolean =>
  modePower[a as Mode] < modePower[b as Mode];

/** A budget that nobody set is 0; a project's may only be a smaller one. */
const budget = (about: string): Key => ({
  about,
  kind: "number",
  fallback: 0,
  narrower: (a, b) => Number(a) > 0 && Number(a) < (Number(b) || Number.POSITIVE_INFINITY),
});

/** What is not here is an error that names the nearest key. */
export const keyTable = {
  model: {
    about: "The model that answers, as provider/name; `aiex doctor` shows what is in reach.",
    kind: "text",
    fallback: "",
    env: ["AIEX_MODEL"],
  },
  mode: {
    about: "How much is done without asking: ask, plan, read-only, yes.",
    kind: "text",
    fallback: "ask",
    env: ["AIEX_MODE"],
    choices: modes,
    narrower: narrowerMode,
  },
  sandbox: {
    about: "auto: commands run in the system's sandbox. none: the user accepts to run without one.",
    kind: "text",
    fallback: "auto",
    env: ["AIEX_SANDBOX"],
    choices: ["auto", "none"],
  },
  languageServers: {
    about:
      "auto: language servers that are installed answer the model, and tell the errors behind each " +
      "edit. asked: only when it asks. off: none is run.",
    kind: "text",
    fallback: "auto",
    env: ["AIEX_LANGUAGE_SERVERS"],
    choices: serverUses,
    narrower: (a, b) => serverUses.indexOf(String(a)) < serverUses.indexOf(String(b)),
  },
  "openai.baseUrl": {
    about: "Where OpenAI's API or a compatible one answers.",
    kind: "text",
    fallback: "https://api.openai.com/v1",
    env: ["OPENAI_BASE_URL"],
  },
  "openai.apiKey": {
    about: "The key for that API. Better kept in the environment than in a file.",
    kind: "text",
    fallback: "",
    env: ["OPENAI_API_KEY"],
    secret: true,
  },
  "openai.dialect": {
    about: "auto: responses for OpenAI itself, chat for others. Or responses, or chat.",
    kind: "text",
    fallback: "auto",
    env: ["AIEX_OPENAI_DIALECT"],
    choices: ["auto", "responses", "chat"],
  },
  "anthropic.baseUrl": {
    about: "Where Anthropic's API or a compatible one answers, before /v1/messages.",
    kind: "text",
    fallback: "https://api.anthropic.com",
    env: ["ANTHROPIC_BASE_URL"],
  },
  "anthropic.apiKey": {
    about: "The key for that API; ANTHROPIC_AUTH_TOKEN, where it is set, counts more.",
    kind: "text",
    fallback: "",
    env: ["ANTHROPIC_API_KEY"],
    secret: true,
  },
  probe: {
    about:
      "first_use: a model of this machine of which nothing says whether it calls tools is asked to, once. Or never.",
    kind: "text",
    fallback: "first_use",
    env: ["AIEX_PROBE"],
    choices: ["first_use", "never"],
  },
  "limits.contextTokens": {
    about: "Tokens of a request at which old messages are compacted.",
    kind: "number",
    fallback: 128_000,
    env: ["AIEX_MAX_CONTEXT_TOKENS"],
    narrower: lower,
  },
  "context.codeTokens": {
    about: "Tokens of code found for a prompt that go with it by themselves. 0: the model asks.",
    kind: "number",
    fallback: 0,
    env: ["AIEX_CODE_TOKENS"],
  },
  "limits.stepsPerTurn": {
    about: "Model calls of one turn, at most.",
    kind: "number",
    fallback: 100,
    env: ["AIEX_MAX_STEPS"],
    narrower: lower,
  },
  "budget.userDollars": budget("Dollars that this home may spend in all. 0: no limit, as below."),
  "budget.userTokens": budget("Tokens that this home may use in all."),
  "budget.dayDollars": budget("Dollars that this home may spend in a day (UTC)."),
  "budget.dayTokens": budget("Tokens that this home may use in a day (UTC)."),
  "budget.sessionDollars": budget("Dollars that a session with its children may spend."),
  "budget.sessionTokens": budget("Tokens that a session with its children may use."),
  "budget.childDollars": budget("Dollars that one child of a session may spend."),
  "budget.childTokens": budget("Tokens that one child of a session may use."),
  "trees.keepDays": {
    about: "Days for which a turn can be undone, compared and restored.",
    kind: "number",
    fallback: 90,
  },
  "trees.bytesMax": {
    about: "Bytes of a folder's trees on disk; beyond them the oldest go first, checkpoints never.",
    kind: "number",
    fallback: 4_294_967_296,
  },
  "deadlines.connectMs": {
    about: "Until a model's headers arrive.",
    kind: "number",
    fallback: 10_000,
  },
  "deadlines.firstTokenMs": {
    about: "From the headers to a model's first event.",
    kind: "number",
    fallback: 300_000,
  },
  "deadlines.silenceMs": {
    about: "Between two chunks of bytes from a model, pings included.",
    kind: "number",
    fallback: 120_000,
  },
  "deadlines.idleMs": {
    about: "Between two meaningful events of a model.",
    kind: "number",
    fallback: 300_000,
  },
  "deadlines.childMs": {
    about: "The whole of a child's work, at most.",
    kind: "number",
    fallback: 1_200_000,
    narrower: lower,
  },
  "deadlines.totalMs": { about: "One whole model call.", kind: "number", fallback: 1_800_000 },
  models: {
    about:
      "What you know better of models: name (`*` is any text), windowTokens, outputTokensMax, " +
      "images, thinking, calls, caching, parallelCalls, family, price in dollars a million tokens.",
    kind: "list",
    fallback: [],
  },
  routes: {
    about:
      "Names for several models, used like a model: name, models, strategy (local_affinity, " +
      "load_balanced, round_robin, random, or the model to prefer).",
    kind: "list",
    fallback: [],
  },
  fallback: {
    about: "Models that are asked in turn for a step whose model cannot answer.",
    kind: "list",
    fallback: [],
  },
  rates: {
    about:
      "Rates to keep to, for each key: models (`*` is any text), requestsPerMinute, " +
      'tokensPerMinute; "documented" stands for careful ones for OpenAI and Anthropic.',
    kind: "list",
    fallback: [],
  },
  providers: {
    about:
      "More providers: name, and url for a server that speaks OpenAI's API, or package and " +
      "options for one of the AI SDK; key names the variable that holds the key.",
    kind: "list",
    fallback: [],
  },
  keychain: {
    about: "auto: the kept keys are sealed with the system's keychain. none: with a file.",
    kind: "text",
    fallback: "auto",
    env: ["AIEX_KEYCHAIN"],
    choices: ["auto", "none"],
  },
  verify: {
    about:
      "Commands whose success proves that the work holds: texts, or command with folder (in the " +
      "workspace) and location (an absolute path: only there). `aiex verify` shows what was found.",
    kind: "list",
    fallback: [],
    narrower: fewer,
  },
  evidence: {
    about:
      "shown: the end of a turn says whether it is proven. strict: a turn that changed files ends " +
      "as done only with evidence. strict_tests_may_change: also where it changed tests.",
    kind: "text",
    fallback: "shown",
    env: ["AIEX_EVIDENCE"],
    choices: strictPower,
    narrower: stricter,
  },
  "compaction.summary": {
    about:
      "Who summarises old messages when they are shortened: off (no model), session (the model that answers), or a model as provider/name.",
    kind: "text",
    fallback: "off",
    env: ["AIEX_COMPACTION_SUMMARY"],
  },
  "audit.anchor": {
    about: "A file elsewhere, by its absolute path, that gets a copy of the audit's anchor.",
    kind: "text",
    fallback: "",
    env: ["AIEX_AUDIT_ANCHOR"],
  },
  rules: {
    about: "Rules of the policy, each with examples that are tested when it is loaded.",
    kind: "list",
    fallback: [],
  },
} as const satisfies Record<string, Key>;
