// Forty long sessions whose facts lie outside of all that a compaction keeps, with a summariser that
// drops all, invents and exceeds its limit: what was said can still be found after five compactions,
// the user's words are in every request, nothing that is finished is done again, and nothing loops.
import { beforeAll, describe, expect, it } from "vitest";
import { textOf } from "#core/model/message.ts";
import { COMPACTIONS, CORRECTION, longSession, type Outcome, WISH } from "./long-session.ts";

/** `AIEX_SEED` begins elsewhere: other facts, other noise, other windows. */
const FIRST = Number(process.env.AIEX_SEED ?? 1);
const SESSIONS = 40;
/** Sessions at once. */
const AT_ONCE = 4;
const RECALLED_MIN = 0.95;

let outcomes: Outcome[] = [];

beforeAll(async () => {
  const seeds = Array.from({ length: SESSIONS }, (_, i) => FIRST + i);
  const lane = async () => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      outcomes.push(await longSession(seed));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  outcomes = outcomes.toSorted((a, b) => a.seed - b.seed);
});

const share = (facts: Outcome["facts"]): string => {
  const found = facts.filter((fact) => fact.found !== null).length;
  return `${found} of ${facts.length} (${((found / facts.length) * 100).toFixed(1)} %)`;
};

describe("after five compactions with a summariser that wants no good", () => {
  it("nearly every fact is in the next request or found by its question alone", () => {
    const facts = outcomes.flatMap((outcome) => outcome.facts);
    const places = Map.groupBy(facts, ({ where }) => where);
    for (const [where, some] of places) console.log(`${where}: ${share(some)} found`);
    const seen = facts.filter(({ found }) => found === "request").length;
    console.log(`facts found after ${COMPACTIONS} compactions: ${share(facts)}, ${seen} unasked`);
    for (const { seed, facts: all } of outcomes) {
      const lost = all.filter(({ found }) => found === null);
      for (const { where, fact } of lost) console.log(`lost by seed ${seed} (${where}):`, fact);
    }
    expect(outcomes.filter(({ compactions }) => compactions < COMPACTIONS)).toEqual([]);
    expect(facts.length).toBe(SESSIONS * 6);
    const found = facts.filter((fact) => fact.found !== null).length;
    expect(found / facts.length).toBeGreaterThanOrEqual(RECALLED_MIN);
    // Else the sessions would be too short to show anything.
    expect(seen / facts.length).toBeLessThan(0.2);
  });

  it("what the user asked and corrected is word for word in every request that follows", () => {
    for (const { requests } of outcomes) {
      const texts = requests.map(({ messages }) =>
        messages.map(({ parts }) => textOf(parts)).join("\n"),
      );
      expect(texts.every((text) => text.includes("do it") && text.includes(WISH))).toBe(true);
      const corrected = texts.findIndex((text) => text.includes(CORRECTION));
      expect(corrected).toBeGreaterThan(0);
      expect(texts.slice(corrected).filter((text) => !text.includes(CORRECTION))).toEqual([]);
    }
  });

  it("no finished step is repeated", () => {
    for (const { seed, events } of outcomes) {
      const written = events.flatMap((e) =>
        e.type === "ToolStarted" && e.tool === "write" ? [e.title] : [],
      );
      expect([seed, written.length > 2, new Set(written).size]).toEqual([
        ...[seed, true, written.length],
      ]);
    }
  });

  it("no compaction follows another one without an answer between them", () => {
    const types = outcomes.map(({ events }) =>
      events.flatMap(({ type }) =>
        type === "Compacted" || type === "StepCompleted" ? [type] : [],
      ),
    );
    const loops = types.flatMap((row) =>
      row.filter((type, i) => type === "Compacted" && row[i - 1] === "Compacted"),
    );
    expect(loops).toEqual([]);
    const ends = outcomes.flatMap(({ events }) =>
      events.flatMap((e) => (e.type === "TurnEnded" ? [e.end] : [])),
    );
    expect(new Set(ends)).toEqual(new Set(["done"]));
  });
});
