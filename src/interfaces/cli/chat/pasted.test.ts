// What a clipboard gives to a prompt.
import { describe, expect, it } from "vitest";
import { type Clipboard, PastedImages } from "#interfaces/cli/chat/pasted.ts";

const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
const holding = (
  image: Uint8Array | null | undefined,
  text: string | null | undefined,
): Clipboard => ({ getImage: async () => image, getText: async () => text });

describe("a paste", () => {
  it("puts a name for an image into the prompt, and the image goes with it while it stands there", async () => {
    const images = new PastedImages(() => holding(png, null));
    expect(await images.paste()).toEqual({ insert: "[image 1] " });
    expect(await images.paste()).toEqual({ insert: "[image 2] " });
    expect(images.namedIn("what is [image 2]?")).toEqual([
      { name: "image 2", media: "image/png", base64: png.toString("base64") },
    ]);
    images.sent("what is [image 2]?");
    expect(images.namedIn("[image 2]")).toEqual([]);
    expect(images.namedIn("[image 1]")).toHaveLength(1);
  });

  it("is the text where there is no image", async () => {
    expect(await new PastedImages(() => holding(null, "words")).paste()).toEqual({
      insert: "words",
    });
  });

  it("says why nothing came", async () => {
    const said = async (clipboard: Clipboard | undefined) => {
      const pasted = await new PastedImages(() => clipboard).paste();
      return "say" in pasted ? pasted.say : "";
    };
    expect(await said(undefined)).toContain("by its path");
    expect(await said(holding(undefined, undefined))).toContain("by its path");
    expect(await said(holding(null, null))).toBe("the clipboard is empty");
    expect(await said(holding(Buffer.from("BM"), null))).toContain("of a kind");
    const broken = { ...holding(null, null), getImage: () => Promise.reject(new Error("gone")) };
    expect(await said(broken)).toContain("by its path");
  });
});
