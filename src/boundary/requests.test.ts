// Requests kept by what they have in common with the one before: the exact text comes back, and n
// steps take the room of n steps.
import fc from "fast-check";
import { expect, it } from "vitest";
import { memoryBlobs } from "#boundary/blobs/memory.ts";
import { requestsIn } from "#boundary/requests.ts";

it("whatever the texts are, each comes back exactly, also by a process that did not keep it", async () => {
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 60 }), { maxLength: 80 });
  await fc.assert(
    fc.asyncProperty(texts, fc.boolean(), async (given, grow) => {
      const blobs = memoryBlobs();
      const requests = requestsIn(blobs);
      let text = "";
      const kept: { hash: string; text: string }[] = [];
      for (const piece of given) {
        text = grow ? text + piece : piece;
        const put = await requests.put("s", text);
        if (put.ok) kept.push({ hash: put.value.hash, text });
      }
      expect(kept).toHaveLength(given.length);
      const reader = requestsIn(blobs);
      for (const { hash, text: exact } of kept) {
        expect(await reader.get(hash)).toEqual({ ok: true, value: exact });
      }
    }),
    { numRuns: 60 },
  );
});

it("a request that grows by one message takes the room of that message, most times", async () => {
  const requests = requestsIn(memoryBlobs());
  let text = "x".repeat(10_000);
  const sizes: number[] = [];
  for (let step = 0; step < 70; step += 1) {
    text += `message ${step}`;
    const put = await requests.put("s", text);
    if (put.ok) sizes.push(put.value.bytes);
  }
  expect(sizes.filter((bytes) => bytes > 1_000)).toHaveLength(3);
});

it("leans on no other stream's request", async () => {
  const blobs = memoryBlobs();
  const requests = requestsIn(blobs);
  await requests.put("a", "the same beginning, then a");
  const put = await requests.put("b", "the same beginning, then b");
  const bytes = put.ok ? await blobs.get(put.value.hash) : put;
  expect(bytes.ok && JSON.parse(Buffer.from(bytes.value).toString())).toMatchObject({ base: null });
});

it("a request whose beginning is gone fails, it is not answered in part", async () => {
  const blobs = memoryBlobs();
  const requests = requestsIn(blobs);
  const first = await requests.put("s", "beginning");
  const second = await requests.put("s", "beginning and more");
  if (!first.ok || !second.ok) throw new Error("not kept");
  const { signal } = new AbortController();
  await blobs.sweep((hash) => hash !== first.value.hash, { graceMs: -1_000, signal });
  expect(await requests.get(second.value.hash)).toMatchObject({ error: { code: "not_found" } });
});
