// Old records are read by every later version; what a newer one wrote is never guessed.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answered, asked, finished, prompted, started } from "#core/session/samples.ts";
import { decode, encodeBody, encodeFar, schemaOf, type Upcasters } from "#core/session/upcast.ts";

const record = (type: string, body: unknown, schema = 1) => ({
  type,
  schema,
  body: body === null ? null : JSON.stringify(body),
});

/** As if the shape of a rename had changed twice: a word, then a title, then one without spaces. */
const changed: Upcasters = {
  SessionRenamed: [
    ({ word }) => ({ title: word }),
    ({ title }) => ({ title: String(title).trim() }),
  ],
};

describe("a record", () => {
  it("means the event it was made from", () => {
    for (const event of [started, prompted(), answered("x"), asked("c1"), finished("c1")]) {
      const { type } = event;
      const kept = { type, schema: schemaOf(type), body: encodeBody(event) };
      expect(decode(kept)).toEqual({ kind: "event", event });
    }
  });

  it("of an old shape is raised step by step to the present one", () => {
    const renamed = { kind: "event", event: { type: "SessionRenamed", title: "a b" } };
    expect(schemaOf("SessionRenamed", changed)).toBe(3);
    expect(decode(record("SessionRenamed", { word: " a b " }, 1), changed)).toEqual(renamed);
    expect(decode(record("SessionRenamed", { title: " a b " }, 2), changed)).toEqual(renamed);
    expect(decode(record("SessionRenamed", { title: "a b" }, 3), changed)).toEqual(renamed);
  });

  it("of a newer shape, or of a type nobody knows here, is unknown", () => {
    const unknown = { kind: "unknown", type: "SessionRenamed" };
    expect(decode(record("SessionRenamed", { title: "x" }, 4), changed)).toEqual(unknown);
    expect(decode(record("SessionRenamed", { title: "x" }, 2))).toEqual(unknown);
    for (const type of ["Teleported", "__proto__", "constructor", ""]) {
      expect(decode(record(type, {}))).toEqual({ kind: "unknown", type });
    }
  });

  it("without its body is erased, and one whose body lies in a blob says where", () => {
    expect(decode(record("TurnStarted", null))).toEqual({ kind: "erased", type: "TurnStarted" });
    const far = record("TurnStarted", { $blob: "f".repeat(64) });
    expect(decode(far)).toEqual({ kind: "far", type: "TurnStarted", blob: "f".repeat(64) });
    const end = answered("done");
    const settled = { model: end.model, usage: end.usage };
    const body = JSON.parse(encodeFar(end, "f".repeat(64)));
    expect(decode(record("StepCompleted", body))).toMatchObject({ kind: "far", settled });
  });

  it("never throws for any JSON object and any type", () => {
    fc.assert(
      fc.property(fc.string(), fc.dictionary(fc.string(), fc.jsonValue()), (type, body) => {
        expect(decode(record(type, body)).kind).toMatch(/event|unknown|far/);
      }),
    );
  });
});
