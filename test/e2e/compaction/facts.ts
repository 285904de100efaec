// Facts for long sessions, made by seed: sentences with a name and a value, a question for each as
// somebody asks who forgot it, and noise in which the same names and the same kinds of things occur.

/** Numbers from 0 up to 1, the same for the same seed (Tommy Ettinger's mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export type Random = () => number;
const pick = <T>(random: Random, all: readonly T[]): T =>
  all[Math.floor(random() * all.length)] as T;
export const number = (random: Random, from: number, to: number): number =>
  from + Math.floor(random() * (to - from));

export type Fact = { name: string; sentence: string; question: string };

const services = [
  "billing",
  "gateway",
  "ledger",
  "mailer",
  "search",
  "scheduler",
  "uploads",
  "auth",
];
const customers = ["Norwind", "Halvorsen", "Pacifica", "Okafor Ltd", "Brightwater", "Sabine & Co"];
const modules = ["pricing", "parser", "importer", "renderer", "session store", "permissions"];
const people = ["Amara", "Jonas", "Priya", "Mateo", "Ingrid", "Tomasz"];
const reports = ["quarterly", "inventory", "churn", "audit"];
const tables = ["orders", "invoices", "shipments", "accounts"];
const columns = ["discount_code", "shipped_at", "vat_number", "parent_id", "legacy_ref"];
const flags = ["fast_checkout", "new_editor", "bulk_import", "dark_sidebar"];
const hosts = ["builder-3", "builder-7", "runner-12", "edge-2"];
const libraries = ["tinycsv", "fastxml", "quickhash", "webpipe"];
const files = ["seed.tar", "fixtures.db", "schema.sql", "translations.json"];
const tests = ["round_trip_dates", "parallel_upload", "retry_after_reset", "locale_sorting"];
const errors = ["E4012", "E5107", "E2290", "E3345"];

const currencies = ["Swiss francs", "Danish crowns", "yen"];
const months = ["March", "June", "October"];
const causes = ["the clock jumps back", "two ports collide", "a lock is taken twice"];
const quotas = ["image", "export", "seat"];

/** A kind of fact: the names it may be about, what is said, and how it is asked for. */
type Kind = {
  names: readonly string[];
  said(name: string, random: Random): string;
  asked(name: string): string;
};

const kinds: readonly Kind[] = [
  {
    names: services,
    said: (n, r) => `The staging database of ${n} listens on port ${number(r, 3_000, 9_999)}.`,
    asked: (n) => `On what port can I reach the ${n} database in staging?`,
  },
  {
    names: customers,
    said: (n, r) => `${n} pays invoices in ${pick(r, currencies)}, never in euros.`,
    asked: (n) => `Which currency do we put on an invoice for ${n}?`,
  },
  {
    names: libraries,
    said: (n, r) => `${n} stays at ${version(r)}, because later releases lose the byte order mark.`,
    asked: (n) => `Which release of ${n} are we held at, and what do others lose?`,
  },
  {
    names: modules,
    said: (n, r) => `${pick(r, people)} has to see every change to the ${n} before it is merged.`,
    asked: (n) => `Who approves changes of the ${n} for merging?`,
  },
  {
    names: customers,
    said: (n, r) =>
      `The nightly export for ${n} starts at ${number(r, 1, 5)}:${number(r, 10, 59)} UTC.`,
    asked: (n) => `When is the data of ${n} exported each night?`,
  },
  {
    names: flags,
    said: (n, r) =>
      `The flag ${n} is off in production since ${pick(r, people)} saw double charges.`,
    asked: (n) => `Why did we take the ${n} flag out of production?`,
  },
  {
    names: services,
    said: (n, r) => `The sandbox token of ${n} expires on ${number(r, 1, 28)} ${pick(r, months)}.`,
    asked: (n) => `Until when is our token for the ${n} sandbox valid?`,
  },
  {
    names: services,
    said: (n, r) =>
      `Calls to ${n} are given up after ${number(r, 11, 95)} seconds without an answer.`,
    asked: (n) => `How many seconds may a call of ${n} take before it times out?`,
  },
  {
    names: tests,
    said: (n, r) => `${n} fails now and then because ${pick(r, causes)}.`,
    asked: (n) => `What makes ${n} fail?`,
  },
  {
    names: errors,
    said: (n, r) => `${n} means that the ${pick(r, quotas)} quota of the account is used up.`,
    asked: (n) => `Which quota do we run into with ${n}?`,
  },
  {
    names: files,
    said: (n, r) => `The checksum of ${n} begins with ${Math.floor(r() * 0xfffffff).toString(16)}.`,
    asked: (n) => `What are the first digits of the checksum for ${n}?`,
  },
  {
    names: reports,
    said: (n, r) => `The ${n} report wants ${number(r, 3, 9)} decimal places for every amount.`,
    asked: (n) => `To how many places are amounts rounded in the ${n} report?`,
  },
  {
    names: hosts,
    said: (n, r) =>
      `${n} has only ${number(r, 2, 30)} gigabytes of memory, so the linker dies there.`,
    asked: (n) => `How much memory is in ${n}?`,
  },
  {
    names: columns,
    said: (n, r) =>
      `${n} may be null since release ${number(r, 10, 99)}, before it was an empty string.`,
    asked: (n) => `From which release on do we have to expect null in ${n}?`,
  },
  {
    names: services,
    said: (n, r) =>
      `The credentials of ${n} are in the vault at team/${pick(r, people).toLowerCase()}/${number(r, 10, 99)}.`,
    asked: (n) => `Where does the vault keep the password of ${n}?`,
  },
  {
    names: services,
    said: (n, r) => `Files of more than ${number(r, 12, 900)} megabytes are refused by ${n}.`,
    asked: (n) => `What is the largest file that ${n} accepts, in megabytes?`,
  },
  {
    names: services,
    said: (n, r) => `Legal wants the logs of ${n} deleted after ${number(r, 14, 400)} days.`,
    asked: (n) => `How many days may ${n} keep its logs?`,
  },
  {
    names: tables,
    said: (n, r) =>
      `An index on ${n} was dropped because inserts were ${number(r, 12, 80)} % slower.`,
    asked: (n) => `What became of the index of the ${n} table?`,
  },
  {
    names: modules,
    said: (n, r) =>
      `The rewrite of the ${n} is on the branch ${pick(r, people).toLowerCase()}/try-${number(r, 2, 40)}.`,
    asked: (n) => `On which branch do I find the new ${n} that was begun?`,
  },
  {
    names: customers,
    said: (n, r) =>
      `${n} must not be phoned before ${number(r, 9, 12)} o'clock, the office is in Lima.`,
    asked: (n) => `In which city is the office of ${n}, and when do we phone them?`,
  },
];

const version = (r: Random): string => `${number(r, 1, 9)}.${number(r, 0, 20)}.${number(r, 0, 9)}`;

/** So many facts of different kinds, no two of the same name, and decoys: such facts of other names. */
export function factsBy(random: Random, count: number): { facts: Fact[]; decoys: string[] } {
  const left = [...kinds];
  const facts: Fact[] = [];
  const decoys: string[] = [];
  while (facts.length < count && left.length > 0) {
    const [kind] = left.splice(Math.floor(random() * left.length), 1);
    const free = kind?.names.filter((one) => !facts.some(({ name }) => name === one)) ?? [];
    const name = pick(random, free);
    if (!kind || name === undefined) continue;
    facts.push({ name, sentence: kind.said(name, random), question: kind.asked(name) });
    const others = kind.names.filter((other) => other !== name).slice(0, DECOYS);
    decoys.push(...others.map((other) => kind.said(other, random)));
  }
  return { facts, decoys };
}

const DECOYS = 2;

const named: readonly ((name: string, r: Random) => string)[] = [
  (n, r) => `checked ${n}: ${number(r, 2, 90)} cases, no change needed`,
  (n, r) => `${n} was restarted after ${number(r, 2, 90)} seconds, memory was fine`,
  (n, r) => `the job for ${n} logs ${number(r, 100, 9_000)} lines a day`,
  (n) => `the review of ${n} found a missing test and two long names`,
  (n, r) => `upgrade of ${n} done by ${pick(r, people)}, report follows`,
  (n, r) => `port of ${n} to the new build took ${number(r, 2, 9)} days`,
  (n) => `who owns ${n} in the long run is an open question`,
  (n, r) => `timeout while loading ${n}, tried again at ${number(r, 1, 12)} o'clock`,
  (n) => `the error in ${n} was a typing mistake and is gone`,
];

const unnamed: readonly ((r: Random) => string)[] = [
  (r) => `  const row${number(r, 1, 99)} = rows.filter((row) => row.id > ${number(r, 1, 999)});`,
  (r) => `  if (state.count > ${number(r, 1, 99)}) return fail("too many files");`,
  (r) =>
    `[info] ${number(r, 10, 23)}:${number(r, 10, 59)} worker ${number(r, 1, 9)} done in ${number(r, 2, 900)} ms`,
  (r) => `export function step${number(r, 1, 999)}(input: string): number {`,
  (r) => `ok ${number(r, 1, 999)} - keeps the order of ${number(r, 2, 99)} changes in the branch`,
  (r) => `  assert.equal(total(${number(r, 1, 99)}), ${number(r, 1, 999)});`,
  (r) => `npm warn deprecated package-${number(r, 1, 99)}@${version(r)}: use a newer release`,
  (r) => `-- migration ${number(r, 100, 999)}: add a column, keep the index, null is allowed`,
  (r) => `GET /api/items?page=${number(r, 1, 99)} 200 in ${number(r, 2, 900)} ms`,
  () => "      return { ...previous, retries: previous.retries + 1 };",
  (r) => `the database had ${number(r, 2, 99)} open calls, the memory of the server was enough`,
  (r) => `${pick(r, people)} said in the meeting that the report can wait until ${pick(r, months)}`,
];

const names = [
  ...[services, customers, modules, reports, tables, columns, flags, hosts],
  ...[libraries, files, tests, errors],
].flat();

/** Share of the lines that name something. */
const NAMED_SHARE = 0.3;

/** Lines of code, logs and notes, in which the names and the words of the questions occur, too. */
export const noiseBy = (random: Random, lines: number): string[] =>
  Array.from({ length: lines }, () =>
    random() < NAMED_SHARE
      ? pick(random, named)(pick(random, names), random)
      : pick(random, unnamed)(random),
  );
