// The table that the contract of logs feeds at once: it counts the records of each stream.
import type { AtOnce } from "#boundary/log/port.ts";

export const countAtOnce: AtOnce = (records) => [
  {
    table: "counts",
    changes: records.map((r) => ({
      do: "add" as const,
      key: { stream: r.stream },
      zero: { n: 0 },
      add: { n: 1 },
    })),
  },
];
