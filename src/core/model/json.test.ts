// The exact text of a value inside JSON, and fields of anything.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementTexts, fieldsOf, parsed, valueText } from "#core/model/json.ts";

describe("the text of a value", () => {
  it("is the exact text, spaces and escapes and number forms included", () => {
    const json = '{ "a" : 1.0e0 , "item":{"t":"\\u0041\\\\\\"}", "n":[1, 2 ]} ,"z":null}';
    expect(valueText(json, "item")).toBe('{"t":"\\u0041\\\\\\"}", "n":[1, 2 ]}');
    expect(valueText(json, "a")).toBe("1.0e0");
    expect(valueText(json, "z")).toBe("null");
    expect(valueText(json, "n")).toBeUndefined();
  });

  it("finds a key by its meaning, and takes the last of repeated ones, as a parser does", () => {
    expect(valueText('{"\\u0061":1,"a":2}', "a")).toBe("2");
    expect(valueText('{"a":1,"\\u0061":2}', "a")).toBe("2");
  });

  it("agrees with the parser on every document", () => {
    const space = fc.constantFrom(undefined, 1, "\t");
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), space, (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        const again = JSON.parse(json) as Record<string, unknown>;
        for (const key of Object.keys(again)) {
          expect(parsed(valueText(json, key) ?? "")).toEqual(again[key]);
        }
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), space, (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        expect(elementTexts(json).map(parsed)).toEqual(JSON.parse(json));
      }),
    );
  });

  it("ends on any text at all", () => {
    const soup = fc.string({ unit: fc.constantFrom(...'{}[]",:\\ 1a\n') });
    fc.assert(
      fc.property(soup, (text) => {
        valueText(text, "a");
        elementTexts(text);
      }),
      { numRuns: 5_000 },
    );
  });
});

it("anything but an object has no fields", () => {
  for (const value of [null, 1, "x", [1], undefined]) expect(fieldsOf(value)).toEqual({});
});
