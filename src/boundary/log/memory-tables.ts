// Tables in maps, with the same meaning as the SQL ones.
import type { RowQuery, SumQuery, Sums, Tables } from "#boundary/log/port.ts";
import { assert, unreachable } from "#core/assert.ts";
import { fail, ok } from "#core/failure.ts";
import type { Row, RowChange, TableShape } from "#core/views/view.ts";

type Table = { shape: TableShape; position: number; rows: Map<string, Row> };

type Feedings = { table: string; changes: readonly RowChange[] };

export type MemoryTables = Omit<Tables, "refill"> & {
  applyNow(feedings: readonly Feedings[]): void;
  sumsNow(table: string, queries: readonly SumQuery[]): Sums[];
  /** Empties a table and feeds it again, at once. */
  fillNow(table: string, position: number, feedings: readonly Feedings[]): void;
};

export function memoryTables(): MemoryTables {
  const tables = new Map<string, Table>();
  const named = (name: string): Table => {
    const table = tables.get(name);
    assert(table, `table ${name} was ensured`);
    return table;
  };
  return {
    async ensure(shape) {
      const old = tables.get(shape.name);
      if (old?.shape.version === shape.version) return ok(old.position);
      tables.set(shape.name, { shape, position: 0, rows: new Map() });
      return ok(0);
    },
    async feed({ table, after, position, changes }) {
      const target = named(table);
      if (target.position !== after) return fail("conflict", `${table} was fed meanwhile`);
      for (const change of changes) apply(target, change);
      target.position = position;
      return ok();
    },
    async clear(name) {
      const table = named(name);
      table.rows.clear();
      table.position = 0;
      return ok();
    },
    async rows(name, query) {
      return ok(select([...named(name).rows.values()], query));
    },
    async sums(name, queries) {
      return ok(this.sumsNow(name, queries));
    },
    sumsNow(name, queries) {
      const rows = [...named(name).rows.values()];
      return queries.map(({ where, columns }) => summed(rows, where, columns));
    },
    fillNow(name, position, feedings) {
      named(name).rows.clear();
      this.applyNow(feedings);
      named(name).position = position;
    },
    applyNow(feedings) {
      for (const { table, changes } of feedings) {
        for (const change of changes) apply(named(table), change);
      }
    },
  };
}

function apply(table: Table, change: RowChange): void {
  const { rows, shape } = table;
  const idOf = (row: Row) => JSON.stringify(shape.key.map((column) => row[column] ?? null));
  switch (change.do) {
    case "put":
      rows.set(idOf(change.row), { ...blank(shape), ...change.row });
      return;
    case "change":
      for (const [id, row] of rows) {
        if (fits(row, change.key)) rows.set(id, plus({ ...row, ...change.set }, change.add ?? {}));
      }
      return;
    case "add": {
      const id = idOf(change.key);
      const row = rows.get(id) ?? { ...blank(shape), ...change.zero, ...change.key };
      rows.set(id, plus(row, change.add));
      return;
    }
    case "drop":
      for (const [id, row] of rows) if (fits(row, change.where)) rows.delete(id);
      return;
    default:
      unreachable(change);
  }
}

const blank = (shape: TableShape): Row =>
  Object.fromEntries(Object.keys(shape.columns).map((column) => [column, null]));

const fits = (row: Row, where: Row): boolean =>
  Object.entries(where).every(([column, value]) => row[column] === value);

function plus(row: Row, add: Record<string, number>): Row {
  const sums = Object.entries(add).map(([column, n]) => [column, Number(row[column] ?? 0) + n]);
  return { ...row, ...Object.fromEntries(sums) };
}

function summed(rows: readonly Row[], where: Row, columns: readonly string[]): Sums {
  const found = rows.filter((row) => fits(row, where));
  const sum = (column: string) => found.reduce((n, row) => n + Number(row[column] ?? 0), 0);
  return Object.fromEntries(columns.map((column) => [column, sum(column)]));
}

function select(rows: Row[], query: RowQuery): Row[] {
  const { where = {}, contains, orderBy, limit, offset = 0 } = query;
  const found = rows.filter((row) => fits(row, where) && (!contains || has(row, contains)));
  if (orderBy) {
    const sign = orderBy.descending ? -1 : 1;
    found.sort((a, b) => sign * compare(a[orderBy.column], b[orderBy.column]));
  }
  return found.slice(offset, offset + limit);
}

const has = (row: Row, { column, text }: { column: string; text: string }): boolean =>
  String(row[column] ?? "")
    .toLowerCase()
    .includes(text.toLowerCase());

function compare(a: Row[string] | undefined, b: Row[string] | undefined): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  const [x, y] = [String(a), String(b)];
  return x < y ? -1 : Number(x > y);
}
