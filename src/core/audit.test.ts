// What the audit takes for an erased body, and what for one that somebody took away.
import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { auditOf, type FarBody } from "#core/audit.ts";
import { chain, type Draft, emptyHead, type LogRecord } from "#core/record.ts";

const sha256 = (text: string) => hash("sha256", text, "hex");

type Made = { stream?: string; type?: string; gone?: true; far?: FarBody };

/** Records in the order of a log, each bound to the one before it in its stream. */
function recordsOf(made: readonly Made[]): LogRecord[] {
  const heads = new Map<string, { version: number; hash: string }>();
  return made.map(({ stream = "s", type = "Steered", gone }, i) => {
    const draft: Draft = { type, schema: 1, body: "{}", actor: "user", epoch: 0 };
    const stamp = { at: 1, node: "n", newId: () => `id${i}`, newSalt: () => `salt${i}` };
    const [record] = chain([draft], stream, heads.get(stream) ?? emptyHead, stamp, sha256);
    if (!record) throw new Error("no record");
    heads.set(stream, record);
    return { ...record, position: i + 1, ...(gone ? { body: null, salt: null } : {}) };
  });
}

function badIn(made: readonly Made[], { isBare = false } = {}) {
  const audit = auditOf({ sha256, isSigned: () => true, anchors: [] });
  for (const [i, record] of recordsOf(made).entries()) {
    if (audit.take(record, made[i]?.far ?? null)) break;
  }
  const { bad } = audit.end({ isBare });
  return bad && { position: bad.position, fault: bad.fault };
}

const gone: Made = { gone: true };
const said: Made = { type: "SessionErased" };
const fault = "its body is gone, and nothing says that it was erased";

describe("a body that is gone", () => {
  it.each<[string, Made[], number | null]>([
    ["whose session was erased after it is no fault", [gone, {}, gone, said], null],
    ["is one where nothing was erased, and the first is named", [{}, gone, gone], 2],
    ["is one behind the event that erases", [said, gone], 2],
    ["is one where another session was erased", [gone, { ...said, stream: "t" }], 1],
    ["is one where the event that says it is gone, too", [gone, { ...said, ...gone }], 1],
    [
      "is one in a stream that is no session's",
      [
        { gone: true, stream: "location:n/w" },
        { ...said, stream: "location:n/w" },
      ],
      1,
    ],
    ["is named though others were erased", [{ ...gone, stream: "t" }, gone, said], 1],
  ])("%s", (_, made, position) => {
    expect(badIn(made)).toEqual(position === null ? null : { position, fault });
  });

  it("is none in a copy that was made without bodies", () => {
    expect(badIn([gone, gone], { isBare: true })).toBeNull();
  });
});

describe("a body in a blob", () => {
  it.each<[FarBody, string | null]>([
    ["whole", null],
    ["elsewhere", null],
    ["changed", "the blob with its body was changed"],
    ["missing", "the blob with its body is gone, and nothing says that it was erased"],
  ])("that is %s: %s", (far, why) => {
    expect(badIn([{}, { far }, {}])).toEqual(why && { position: 2, fault: why });
  });

  it("may be missing where the session is being erased while it is read", () => {
    expect(badIn([{ far: "missing" }, said])).toBeNull();
  });
});
