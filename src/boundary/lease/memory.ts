// Leases within one process: for tests, and for `aiex --ephemeral`.
import type { Leases } from "#boundary/lease/port.ts";
import { fail, ok } from "#core/failure.ts";

/** Leases over a set of held names; stores that share the set exclude each other. */
export function memoryLeases(held: Set<string> = new Set()): Leases {
  const own = new Set<string>();
  const release = (name: string) => {
    if (own.delete(name)) held.delete(name);
  };
  return {
    take(name) {
      if (held.has(name)) return fail("busy", `${name} is being run already`);
      held.add(name);
      own.add(name);
      return ok({ release: () => release(name) });
    },
    close() {
      for (const name of [...own]) release(name);
    },
  };
}
