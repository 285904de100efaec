// Views as SQL tables beside the log, in the same database.
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { newId } from "#boundary/digest.ts";
import type { RowQuery, SumQuery, Sums } from "#boundary/log/port.ts";
import { assert, unreachable } from "#core/assert.ts";
import type { Row, RowChange, TableShape } from "#core/views/view.ts";

/** The statements that a change becomes; kept prepared, since few shapes recur very often. */
export type SqlTables = {
  /** How far the table is fed; null where it is missing or of another version. */
  fed(shape: TableShape): number | null;
  /** Makes the table, unless another process just did; answers how far it is fed. */
  make(shape: TableShape): number;
  /** How far a table is fed. */
  position(table: string): number;
  feed(table: string, position: number, changes: readonly RowChange[]): void;
  apply(table: string, changes: readonly RowChange[]): void;
  /** Puts an empty table in its place; the old rows are left to `dropOld`. */
  clear(table: string): void;
  /** Makes the table that is to take another's place, unless it is there. */
  beginNext(table: string): void;
  /** How far that table is fed; null where there is none. */
  nextPosition(table: string): number | null;
  feedNext(table: string, position: number, changes: readonly RowChange[]): void;
  /** It takes the other's place; the old rows are left to `dropOld`. */
  swap(table: string): void;
  hasOld(table: string): boolean;
  /** Removes at most so many old rows; answers how many were removed. */
  dropOld(table: string, rowsMax: number): number;
  rows(table: string, query: RowQuery): Row[];
  sums(table: string, queries: readonly SumQuery[]): Sums[];
};

const tableOf = (name: string): string => quoted(`view_${name}`);
/** The table that will take a view's place, and what was in its place before. */
const nextOf = (table: string): string => `${table}.next`;
const oldOf = (table: string, id: string): string => `${table}.old.${id}`;

/** An identifier in SQL. Names come from our own views, never from users; quoting is for form. */
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export function sqlTables(db: DatabaseSync): SqlTables {
  const prepared = new Map<string, StatementSync>();
  const shapes = new Map<string, TableShape>();
  const statement = (sql: string): StatementSync => {
    const known = prepared.get(sql);
    if (known) return known;
    const made = db.prepare(sql);
    prepared.set(sql, made);
    return made;
  };
  const run = (sql: string, values: SQLInputValue[]) => statement(sql).run(...values);
  const shapeOf = (table: string): TableShape => {
    const shape = shapes.get(table);
    assert(shape, `table ${table} was ensured`);
    return shape;
  };
  const positionOf = (name: string): number | null => {
    const found = statement("SELECT position FROM views WHERE name = ?").get(name);
    return found ? Number(found.position) : null;
  };
  const oneOld = (table: string) => {
    const sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB ? LIMIT 1";
    return statement(sql).get(`view_${oldOf(table, "*")}`);
  };
  const setAside = (table: string): void => {
    db.exec(`ALTER TABLE ${tableOf(table)} RENAME TO ${tableOf(oldOf(table, newId()))}`);
  };
  /** Index names are one set for the whole database, and stay with a table that is renamed. */
  const create = (shape: TableShape, name: string): void => {
    db.exec(createTable(shape, name));
    for (const columns of shape.indexes ?? []) {
      const index = quoted(`view_${shape.name}_${newId()}`);
      db.exec(`CREATE INDEX ${index} ON ${tableOf(name)} (${columns.map(quoted)})`);
    }
    const sql = "INSERT OR REPLACE INTO views (name, version, position) VALUES (?, ?, 0)";
    run(sql, [name, shape.version]);
  };

  return {
    fed(shape) {
      shapes.set(shape.name, shape);
      const known = statement("SELECT version, position FROM views WHERE name = ?").get(shape.name);
      return known?.version === shape.version ? Number(known.position) : null;
    },
    make(shape) {
      const fed = this.fed(shape);
      if (fed !== null) return fed;
      db.exec(`DROP TABLE IF EXISTS ${tableOf(shape.name)}`);
      create(shape, shape.name);
      return 0;
    },
    position: (table) => Number(positionOf(table)),
    feed(table, position, changes) {
      this.apply(table, changes);
      run("UPDATE views SET position = ? WHERE name = ?", [position, table]);
    },
    apply(table, changes) {
      const key = shapes.get(table)?.key ?? [];
      for (const change of changes) {
        const { sql, values } = sqlOf(tableOf(table), key, change);
        run(sql, values);
      }
    },
    clear(table) {
      setAside(table);
      create(shapeOf(table), table);
    },
    beginNext(table) {
      const shape = shapeOf(table);
      const next = nextOf(table);
      shapes.set(next, shape);
      const known = statement("SELECT version FROM views WHERE name = ?").get(next);
      if (known?.version === shape.version) return;
      db.exec(`DROP TABLE IF EXISTS ${tableOf(next)}`);
      create(shape, next);
    },
    nextPosition: (table) => positionOf(nextOf(table)),
    feedNext(table, position, changes) {
      this.feed(nextOf(table), position, changes);
    },
    swap(table) {
      const next = nextOf(table);
      const position = positionOf(next);
      setAside(table);
      db.exec(`ALTER TABLE ${tableOf(next)} RENAME TO ${tableOf(table)}`);
      run("UPDATE views SET position = ? WHERE name = ?", [position, table]);
      run("DELETE FROM views WHERE name = ?", [next]);
    },
    hasOld: (table) => oneOld(table) !== undefined,
    dropOld(table, rowsMax) {
      const oldest = oneOld(table);
      if (!oldest) return 0;
      const old = quoted(String(oldest.name));
      const rows = `SELECT rowid FROM ${old} LIMIT ${rowsMax}`;
      const { changes } = db.prepare(`DELETE FROM ${old} WHERE rowid IN (${rows})`).run();
      if (changes === 0) db.exec(`DROP TABLE ${old}`);
      return Math.max(1, Number(changes));
    },
    rows(table, query) {
      const { sql, values } = selectOf(tableOf(table), query);
      return statement(sql).all(...values) as Row[];
    },
    sums: (table, queries) =>
      queries.map(({ where, columns }) => {
        const sums = columns.map((name) => `coalesce(sum(${quoted(name)}), 0) AS ${quoted(name)}`);
        const filter = Object.keys(where).length > 0 ? ` WHERE ${conditions(where)}` : "";
        const sql = `SELECT ${sums} FROM ${tableOf(table)}${filter}`;
        return statement(sql).get(...Object.values(where)) as Sums;
      }),
  };
}

function createTable(shape: TableShape, name: string): string {
  const columns = Object.entries(shape.columns).map(([name, type]) => `${quoted(name)} ${type}`);
  const key = `PRIMARY KEY (${shape.key.map(quoted)})`;
  return `CREATE TABLE ${tableOf(name)} (${[...columns, key].join(", ")}) STRICT`;
}

type Sql = { sql: string; values: SQLInputValue[] };

function sqlOf(table: string, key: readonly string[], change: RowChange): Sql {
  switch (change.do) {
    case "put": {
      const columns = Object.keys(change.row);
      const sql = `INSERT OR REPLACE INTO ${table} (${columns.map(quoted)}) VALUES (${holes(columns)})`;
      return { sql, values: Object.values(change.row) };
    }
    case "change": {
      const { set = {}, add = {} } = change;
      const sets = [...Object.keys(set).map(equals), ...Object.keys(add).map(grows)];
      // A row that holds the values already is not written: its pages would be synced for nothing.
      const fresh = Object.keys(add).length > 0 ? {} : set;
      const differs = Object.keys(fresh).length > 0 ? ` AND NOT (${conditions(fresh)})` : "";
      const sql = `UPDATE ${table} SET ${sets} WHERE ${conditions(change.key)}${differs}`;
      const { values } = Object;
      return {
        sql,
        values: [...values(set), ...values(add), ...values(change.key), ...values(fresh)],
      };
    }
    case "add": {
      const sums = Object.fromEntries(
        Object.entries(change.add).map(([column, n]) => [
          column,
          Number(change.zero[column] ?? 0) + n,
        ]),
      );
      const row = { ...change.zero, ...change.key, ...sums };
      const columns = Object.keys(row);
      const sql =
        `INSERT INTO ${table} (${columns.map(quoted)}) VALUES (${holes(columns)}) ` +
        `ON CONFLICT (${key.map(quoted)}) DO UPDATE SET ${Object.keys(change.add).map(grows)}`;
      return { sql, values: [...Object.values(row), ...Object.values(change.add)] };
    }
    case "drop":
      return {
        sql: `DELETE FROM ${table} WHERE ${conditions(change.where)}`,
        values: Object.values(change.where),
      };
    default:
      return unreachable(change);
  }
}

function selectOf(table: string, query: RowQuery): Sql {
  const { where = {}, contains, orderBy, limit, offset = 0 } = query;
  const tests = Object.keys(where).length > 0 ? [conditions(where)] : [];
  const values: SQLInputValue[] = Object.values(where);
  if (contains) {
    tests.push(`instr(lower(${quoted(contains.column)}), lower(?)) > 0`);
    values.push(contains.text);
  }
  // Rows that are equal in it keep one order, or pages would repeat some and leave others out.
  const way = orderBy?.descending ? " DESC" : "";
  const order = orderBy ? ` ORDER BY ${quoted(orderBy.column)}${way}, rowid${way}` : "";
  const filter = tests.length > 0 ? ` WHERE ${tests.join(" AND ")}` : "";
  return {
    sql: `SELECT * FROM ${table}${filter}${order} LIMIT ? OFFSET ?`,
    values: [...values, limit, offset],
  };
}

const holes = (columns: readonly string[]): string => columns.map(() => "?").join(", ");
const equals = (column: string): string => `${quoted(column)} = ?`;
const grows = (column: string): string => `${quoted(column)} = ${quoted(column)} + ?`;
const conditions = (row: Row): string =>
  Object.keys(row)
    .map((column) => `${quoted(column)} IS ?`)
    .join(" AND ");
