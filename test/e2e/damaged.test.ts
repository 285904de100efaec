// A log that was damaged or changed from outside: every command says so or goes on with what can be
// read, none fails as if Aiex were at fault.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { linesOf, Machine } from "./aiex.ts";

let machine: Machine;
beforeEach(async () => {
  machine = new Machine();
  const model = machine.model("m", [{ text: "Hello." }]);
  expect((await machine.run(["ask", "--trust", "-m", model, "hi"])).code).toBe(0);
});
afterEach(() => machine.remove());

it("a body that is no JSON is shown as it can be, and found by `audit verify`", async () => {
  const [row] = linesOf((await machine.run(["session", "list", "--json"])).out);
  const db = new DatabaseSync(join(machine.home, "log.db"));
  db.exec("UPDATE records SET body = CAST('no json' AS BLOB) WHERE version = 2");
  db.close();
  const session = String(row?.session);
  const verified = await machine.run(["audit", "verify"]);
  expect(verified).toMatchObject({
    code: 74,
    err: expect.stringContaining("its body was changed"),
  });
  const commands = [
    ["audit"],
    ["audit", "--json"],
    ["session", "show", session],
    ["session", "list"],
  ];
  for (const command of [...commands, ["views", "rebuild"]]) {
    const { code, err } = await machine.run(command);
    expect({ command, code, err }).toMatchObject({ command, code: 0 });
  }
  // The trust was in a record that cannot be read now.
  expect(await machine.run(["ask", "hi"])).toMatchObject({ code: 4 });
});

it("a file that is no database is named, and nothing is written to it", async () => {
  const file = join(machine.home, "log.db");
  for (const end of ["-wal", "-shm"]) writeFileSync(file + end, "");
  const junk = "no database ".repeat(1_000);
  writeFileSync(file, junk);
  for (const command of [["audit"], ["session", "list"], ["ask", "hi"]]) {
    const { code, err } = await machine.run(command);
    expect({ code, err }).toMatchObject({ code: 74, err: expect.stringContaining("is damaged") });
  }
  expect(readFileSync(file, "utf8")).toBe(junk);
});
