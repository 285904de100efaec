// Ids for the calls of an answer in the dialects whose servers may leave them out, repeat them or use
// one that the session already has. The same answer to the same request always gets the same ids.
import { fieldsOf, listOf, parsed } from "#core/model/json.ts";
import { wireCallId } from "#core/model/pairing.ts";

/** `body` is the request, with the conversation in `messages`; it knows the ids that are taken. */
export function callIds(body: string): (wireId: string) => string {
  const given: string[] = [];

  /** An id in the request stands between quotes of its own; inside a text those are escaped. */
  const isTaken = (id: string): boolean =>
    given.includes(id) || body.includes(JSON.stringify(wireCallId(id)));

  /** The server's id, or one from the call's position where that is missing or taken. */
  function fresh(wireId: string): string {
    if (wireId !== "" && !isTaken(wireId)) return wireId;
    const messages = listOf(fieldsOf(parsed(body)).messages).length;
    const base = `${wireId || "call"}_${messages}_${given.length}`;
    let id = base;
    // A session that was compacted may come by the same number of messages twice.
    for (let n = 2; isTaken(id) && n < 1_000; n += 1) id = `${base}_${n}`;
    return id;
  }

  return (wireId) => {
    const id = fresh(wireId);
    given.push(id);
    return id;
  };
}
