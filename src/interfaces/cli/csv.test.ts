// Tables as text for other programs, with whatever names a provider or a model gave.
import { expect, it } from "vitest";
import { csvText } from "#interfaces/cli/csv.ts";

it("writes out what a terminal or a spreadsheet would obey", () => {
  const rows = [
    { model: "\u001b[31mhi\u001b]0;x\u0007", note: "=1+1" },
    { model: 'a,"b"', note: -5 },
  ];
  expect(csvText(rows, ["model", "note"])).toBe(
    'model,note\n\\x1b[31mhi\\x1b]0;x\\x07,\'=1+1\n"a,""b""",-5\n',
  );
});
