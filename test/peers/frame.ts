// One piece of a streamed answer.

/** One streamed event and the characters of the answer that it carries. */
export type Frame = { text: string; chars: number };
