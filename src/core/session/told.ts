// What is said to the model besides its own answers: words of the user, and of Aiex.
import type { BlobRef, Message, Origin } from "#core/model/message.ts";
import { messagesOf, type Session } from "#core/session/state.ts";

/** How the result of a call begins that the user refused; what they said to it follows. */
export const REFUSED = "The user did not allow this";

/** Said to the model outside a step: at once between turns, with the next step within one. */
export function told(s: Session, said: Message): Session {
  const message = { ...said, at: s.version + 1 };
  return s.step || s.calls.length > 0
    ? { ...s, steers: [...s.steers, message] }
    : { ...s, messages: [...messagesOf(s), message], steers: [] };
}

export function user(origin: Origin, text: string, attachments: readonly BlobRef[] = []): Message {
  const blobs = attachments.map((blob) => ({ type: "blob" as const, blob }));
  return { role: "user", origin, parts: [{ type: "text", text }, ...blobs] };
}
