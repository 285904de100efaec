// Images from the clipboard: each stands in the prompt as `[image 1]` and goes with it as long as
// that stands there. They are in memory only until the prompt is sent.

import type { Attachment } from "#interfaces/cli/attach.ts";
import { mediaOf } from "#interfaces/cli/attach.ts";

/** What a system's clipboard gives; undefined: it cannot be reached, null: there is none. */
export type Clipboard = {
  getImage(): Promise<Uint8Array | null | undefined>;
  getText(): Promise<string | null | undefined>;
};

/** Bytes of an image that is pasted. */
const IMAGE_BYTES_MAX = 20_971_520;

/** What came of a paste: text for the editor, or why there is none. */
export type Pasted = { insert: string } | { say: string };

const UNREACHABLE =
  "the clipboard cannot be reached from here; name an image by its path to attach it";

export class PastedImages {
  readonly #clipboard: () => Clipboard | undefined;
  readonly #images: Attachment[] = [];
  #count = 0;

  constructor(clipboard: () => Clipboard | undefined) {
    this.#clipboard = clipboard;
  }

  /** Takes the image in the clipboard, or else its text. */
  async paste(): Promise<Pasted> {
    const clipboard = this.#clipboard();
    if (!clipboard) return { say: UNREACHABLE };
    try {
      const image = await clipboard.getImage();
      if (image) return this.#taken(image);
      const text = await clipboard.getText();
      if (text) return { insert: text };
      const isReached = image === null || text === null;
      return { say: isReached ? "the clipboard is empty" : UNREACHABLE };
    } catch {
      return { say: UNREACHABLE };
    }
  }

  #taken(image: Uint8Array): Pasted {
    const media = mediaOf(image);
    if (!media) return { say: "the image in the clipboard is of a kind that models do not take" };
    if (image.length > IMAGE_BYTES_MAX) {
      return { say: `the image in the clipboard has more than ${IMAGE_BYTES_MAX} bytes` };
    }
    this.#count += 1;
    const name = `image ${this.#count}`;
    this.#images.push({ name, media, base64: Buffer.from(image).toString("base64") });
    return { insert: `[${name}] ` };
  }

  /** The images that a prompt still names. */
  namedIn(text: string): Attachment[] {
    return this.#images.filter(({ name }) => text.includes(`[${name}]`));
  }

  /** Forgets those that went with a prompt. */
  sent(text: string): void {
    for (const { name } of this.namedIn(text)) {
      this.#images.splice(
        this.#images.findIndex((image) => image.name === name),
        1,
      );
    }
  }
}
