// Where one sequence of numbers occurs in another, in linear time whatever the input: characters
// by their codes, lines by their ids. (Knuth, Morris and Pratt: `String.indexOf` has inputs of
// 1 MB on which it takes seconds.)

/**
 * The first `max` positions of `needle` in `hay`, ascending. Overlapping ones count, because each
 * is a place somebody may have meant, unless `apart` asks for such as can all be replaced.
 */
export function occurrences(
  hay: ArrayLike<number>,
  needle: ArrayLike<number>,
  { max, apart = false, from = 0 }: { max: number; apart?: boolean; from?: number },
): number[] {
  const found: number[] = [];
  const size = needle.length;
  if (size === 0 || size > hay.length - from) return found;
  const borders = bordersOf(needle);
  let matched = 0;
  for (let i = from; i < hay.length && found.length < max; i += 1) {
    while (matched > 0 && hay[i] !== needle[matched]) matched = borders[matched - 1] ?? 0;
    if (hay[i] === needle[matched]) matched += 1;
    if (matched < size) continue;
    found.push(i - size + 1);
    matched = apart ? 0 : (borders[size - 1] ?? 0);
  }
  return found;
}

/** For each prefix, the length of the longest shorter one that it also ends with. */
function bordersOf(needle: ArrayLike<number>): Int32Array {
  const borders = new Int32Array(needle.length);
  let length = 0;
  for (let i = 1; i < needle.length; i += 1) {
    while (length > 0 && needle[i] !== needle[length]) length = borders[length - 1] ?? 0;
    if (needle[i] === needle[length]) length += 1;
    borders[i] = length;
  }
  return borders;
}

/** The UTF-16 codes of a text. */
export function codesOf(text: string): Uint16Array {
  const codes = new Uint16Array(text.length);
  for (let i = 0; i < text.length; i += 1) codes[i] = text.charCodeAt(i);
  return codes;
}

/** Numbers for lines, the same for those that are equal after `seenAs`. */
export function lineIds(
  seenAs: (line: string) => string,
): (lines: readonly string[]) => Int32Array {
  const ids = new Map<string, number>();
  return (lines) =>
    Int32Array.from(lines, (line) => {
      const key = seenAs(line);
      const known = ids.get(key);
      if (known !== undefined) return known;
      ids.set(key, ids.size);
      return ids.size - 1;
    });
}
