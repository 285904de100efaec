// What is known of a model before it is asked anything: its window, what it can do, which family it
// belongs to. Three sources say it, each over the one before: the table below, the server that runs
// the model, the user's configuration. What none of them says stays unknown and is not guessed.

/** Which surface of tools and which prompt a model was trained on; `other` gets the plain ones. */
export const families = ["gpt", "claude", "gemini", "local", "other"] as const;
export type Family = (typeof families)[number];

/** Everything that may be known; a missing member is not known. Token counts are the model's own. */
export type ModelFacts = {
  family?: Family;
  /** Tokens of request and answer together, as the model will really be run. */
  windowTokens?: number;
  /** The window it is loaded with now, or is loaded with by default: asking for less unloads it. */
  loadedTokens?: number;
  /** Tokens of the longest answer it can give. */
  outputTokensMax?: number;
  /** Whether it sees images. */
  images?: boolean;
  /** Whether it can think before it answers, and how much can be asked for. */
  thinking?: boolean;
  /** `native`: the server takes and returns tool calls · `text`: calls must go through the text. */
  calls?: "native" | "text";
  /** Tells this build of the model from another of the same name, where the server says it. */
  digest?: string;
};
