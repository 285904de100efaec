// Who should run a session. A lease is only a hint: the log's epoch is what decides. Promises:
// - at most one holder of a name at a time, over all processes of the machine;
// - a lease is free again the moment its holder releases it or its process is gone, however it
//   died, without anybody's clean-up and without waiting for a clock.
import type { Result } from "#core/failure.ts";

export type Lease = { release(): void };

export type Leases = {
  /** Takes the lease at once, or fails as `busy`. */
  take(name: string): Result<Lease>;
  close(): void;
};
