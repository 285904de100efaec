// The two ways to say "this cannot happen". What they throw is a bug, never a failure.

/** Ends a `switch` over a closed union: a member nobody handled is a bug, found by the compiler. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}

/** States what must hold at this point; throws where the program is wrong. */
export function assert(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${claim}`);
}
