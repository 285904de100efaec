// Who writes beside whom: also where nothing is another afterwards, since a file that was swapped and
// swapped back was seen by whoever ran meanwhile.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folderWith, freshFolder, never, put, treesOf, valued } from "#boundary/trees/samples.ts";
import { writersIn } from "#boundary/trees/writers.ts";

const any = (title: string) => ({ title, paths: null });
const times = { from: 0, to: Number.MAX_SAFE_INTEGER };

describe("a command", () => {
  it("is told of a job that swapped a file while it ran, and back", async () => {
    const root = folderWith({ "a.js": "broken" });
    const trees = await treesOf(root);
    const ended = trees.writing(any("./swap.sh"));
    const { tree: before, writer } = valued(await trees.before(any("npm test"), never));
    trees.began(writer);
    put(root, "a.js", "mended");
    put(root, "a.js", "broken");
    const after = valued(await trees.after(writer, { before, ...times }, never));
    expect(after).toMatchObject({ changes: [], besides: ["./swap.sh"] });
    expect(ended()).toEqual(["npm test"]);
  });

  it("is told of another process's edit that was taken back", async () => {
    const root = folderWith({ "a.js": "broken" });
    const store = join(freshFolder(), "store");
    const [ours, others] = [await treesOf(root, store), await treesOf(root, store)];
    const { tree: before, writer } = valued(await ours.before(any("npm test"), never));
    ours.began(writer);
    const ended = others.writing({ title: "edit a.js", paths: ["a.js"] });
    put(root, "a.js", "mended");
    put(root, "a.js", "broken");
    ended();
    const after = valued(await ours.after(writer, { before, ...times }, never));
    expect(after).toMatchObject({ changes: [], besides: [], theirs: ["a.js"] });
  });

  it("is not told of what ended before it, nor of what began after it", async () => {
    const trees = await treesOf(folderWith({ "a.js": "1" }));
    trees.writing(any("before"))();
    const { tree: before, writer } = valued(await trees.before(any("npm test"), never));
    trees.began(writer);
    const after = valued(await trees.after(writer, { before, ...times }, never));
    trees.writing(any("after"))();
    expect(after.besides).toEqual([]);
  });

  it("is not told of a call that was dropped before it acted, or that was lost", async () => {
    const trees = await treesOf(folderWith({ "a.js": "1" }));
    valued(await trees.before(any("never run"), never));
    const lost = valued(await trees.before(any("lost"), never));
    trees.began(lost.writer);
    trees.dropped(lost.writer);
    const { tree: before, writer } = valued(await trees.before(any("npm test"), never));
    trees.began(writer);
    const after = valued(await trees.after(writer, { before, ...times }, never));
    expect(after.besides).toEqual([]);
  });
});

describe("a job", () => {
  it("is not told of the call that began it, but of what ran until its end", async () => {
    const trees = await treesOf(folderWith({ "a.js": "1" }));
    const begun = valued(await trees.before({ ...any("npm test"), call: "c1" }, never));
    trees.began(begun.writer);
    const ended = trees.writing({ ...any("npm test"), call: "c1" });
    await trees.after(begun.writer, { before: begun.tree, ...times }, never);
    const other = valued(await trees.before({ ...any("./swap.sh"), call: "c2" }, never));
    trees.began(other.writer);
    await trees.after(other.writer, { before: other.tree, ...times }, never);
    expect(ended()).toEqual(["./swap.sh"]);
  });
});

describe("a writer of another process", () => {
  const folder = freshFolder();
  const kept = (name: string, change: object) => {
    mkdirSync(join(folder, "writers"), { recursive: true });
    const writers = writersIn(folder);
    const id = writers.begin(any(name));
    writers.write(id);
    const file = join(folder, "writers", id);
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), ...change }));
  };
  const besides = () => {
    const writers = writersIn(folder);
    return writers.end(writers.begin(any("npm test"))).map(({ title }) => title);
  };

  it("counts as long as that process is there, and not when its id is another's", () => {
    kept("there", {});
    kept("gone", { process: 2 ** 22 + 1 });
    // The system says when a process began on Linux alone; elsewhere the id has to do.
    if (process.platform === "linux") kept("used again", { born: "1" });
    expect(besides()).toEqual(["there"]);
  });
});
