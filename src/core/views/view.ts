// A view: a read model as a table. `apply` says as data which rows a record changes; boundary/log
// turns that into SQL or into maps. Views are fed by position and can be rebuilt from nothing:
// fed equals rebuilt, for every prefix of the log.
import type { LogRecord } from "#core/record.ts";
import type { Decoded } from "#core/session/upcast.ts";

/** The actors of records that a fork copied and an import brought. */
export const FORKED = "fork";
export const IMPORTED = "import";

/** Whether a record is a copy: what it cost is counted where it was made. */
export const isCopied = ({ actor }: Pick<LogRecord, "actor">): boolean =>
  actor === FORKED || actor === IMPORTED;

export type Cell = string | number | null;
export type Row = Record<string, Cell>;

export type ColumnType = "text" | "integer" | "real";

export type TableShape = {
  name: string;
  /** Raised when columns or `apply` change; the table is then rebuilt. */
  version: number;
  columns: Readonly<Record<string, ColumnType>>;
  key: readonly string[];
  /** Column lists that are asked for in order; each becomes an index. */
  indexes?: readonly (readonly string[])[];
};

/**
 * `put` writes a whole row · `change` sets and adds to columns of the rows with these values, if
 * there are any · `add` adds to the row with that key, begun as `zero` where there is none ·
 * `drop` removes the rows whose columns have these values.
 */
export type RowChange =
  | { do: "put"; row: Row }
  | { do: "change"; key: Row; set?: Row; add?: Record<string, number> }
  | { do: "add"; key: Row; zero: Row; add: Record<string, number> }
  | { do: "drop"; where: Row };

export type View = TableShape & {
  /** The types of records that can change it; no other is shown to `apply`. */
  types: ReadonlySet<string>;
  /** A stream that is no session and is shown to `apply` all the same. */
  beside?: string;
  /** True where the rows must agree with the log at once: fed in the append's transaction. */
  atOnce: boolean;
  apply(record: LogRecord, decoded: Decoded): RowChange[];
};
