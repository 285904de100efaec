// What is said, as the model that is asked can take it, for every dialect: what is known of a model
// may say that it sees no images or does not think, above all of one that a fallback brought. What
// is not known changes nothing.
import type { ModelFacts } from "#core/model/catalog.ts";
import { aboutBlob, type Effort, type Message } from "#core/model/message.ts";

type Said = { messages: readonly Message[]; effort?: Effort | undefined };

/** Images become a text that names them where the model sees none; who cannot think has no effort. */
export const withinFacts = (
  { messages, effort }: Said,
  { images, thinking }: ModelFacts,
): Said => ({
  messages: images === false ? messages.map(withoutImages) : messages,
  effort: thinking === false ? undefined : effort,
});

function withoutImages(message: Message): Message {
  if (message.role === "assistant") return message;
  const parts = message.parts.map((part) =>
    part.type === "blob" && part.blob.media.startsWith("image/")
      ? { type: "text" as const, text: `[${aboutBlob(part.blob)} cannot be shown: ${BLIND}]` }
      : part,
  );
  return { ...message, parts };
}

const BLIND = "this model does not see images";
