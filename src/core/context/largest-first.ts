// Takes things in the order of a worth that falls while others are taken (a lazy greedy choice, as
// Minoux gave it in 1978): what is on top is looked at again, and goes down if it is worth less by
// now. What may have come to be worth more is told by who takes.

type Item = { i: number; value: number };

export function largestFirst(
  candidates: Iterable<number>,
  {
    value,
    take,
    isDone,
  }: {
    value(i: number): number;
    /** Gives those that may be worth more by it. */
    take(i: number): Iterable<number>;
    isDone(i: number): boolean;
  },
): void {
  const heap: Item[] = [];
  for (const i of candidates) push(heap, { i, value: value(i) });
  for (let top = pop(heap); top; top = pop(heap)) {
    if (isDone(top.i)) continue;
    const now = value(top.i);
    if (now < top.value) push(heap, { i: top.i, value: now });
    else for (const i of take(top.i)) push(heap, { i, value: value(i) });
  }
}

/** Of equal ones the first: the order is the same on every machine. */
const isBefore = (a: Item, b: Item): boolean =>
  a.value > b.value || (a.value === b.value && a.i < b.i);

function push(heap: Item[], item: Item): void {
  let at = heap.push(item) - 1;
  while (at > 0) {
    const up = (at - 1) >> 1;
    const above = heap[up];
    if (!above || isBefore(above, item)) break;
    heap[at] = above;
    at = up;
  }
  heap[at] = item;
}

function pop(heap: Item[]): Item | undefined {
  const [top] = heap;
  const last = heap.pop();
  if (!last || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
    if (!left) break;
    const isRight = right !== undefined && isBefore(right, left);
    const larger = isRight ? right : left;
    if (!isBefore(larger, last)) break;
    heap[at] = larger;
    at = 2 * at + (isRight ? 2 : 1);
  }
  heap[at] = last;
  return top;
}
