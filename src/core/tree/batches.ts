// Work in batches that fit the memory, whatever there is of it.

/**
 * Items in their order, in batches that have at most `bytesMax` together and `countMax` items; an
 * item that is larger than that comes alone.
 */
export function batches<T>(
  items: readonly T[],
  bytesOf: (item: T) => number,
  { bytesMax, countMax }: { bytesMax: number; countMax: number },
): T[][] {
  const all: T[][] = [];
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const own = bytesOf(item);
    if (batch.length > 0 && (bytes + own > bytesMax || batch.length === countMax)) {
      all.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += own;
  }
  return batch.length > 0 ? [...all, batch] : all;
}
