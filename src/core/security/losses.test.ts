// What a command is about to delete, by its text.
import { describe, expect, it } from "vitest";
import { isLost, lossesIn } from "#core/security/losses.ts";

const plain = (...paths: string[]) => paths.map((path) => ({ path, glob: false }));

describe("what a command deletes", () => {
  it.each([
    ["rm -rf data", ".", plain("data")],
    ["rm -rf ./data/ other", ".", plain("data", "other")],
    ["cd sub && rm -r x", ".", plain("sub/x")],
    ["rm x", "sub", plain("sub/x")],
    ["sudo rm -rf /w/data", ".", plain("data")],
    ["rm -rf /elsewhere", ".", []],
    ["find . -name '*.bin' -delete", ".", plain(".")],
    ["find data logs -delete", ".", plain("data", "logs")],
    ["git clean -fdx", ".", [{ path: ".", glob: false, byGit: true }]],
    ["git clean -n", ".", []],
    ["git reset --hard", ".", [{ path: ".", glob: false, byGit: true }]],
    ["git reset HEAD a", ".", []],
    ["git checkout -- .", "sub", [{ path: "sub", glob: false, byGit: true }]],
    ["git checkout main", ".", []],
    ["rsync -a --delete from/ to/", ".", plain("to")],
    ["rm -rf data/*", ".", [{ path: "data", glob: true }]],
    ["rm -rf *", ".", [{ path: ".", glob: true }]],
    ["for f in a b; do rm -f big.bin; done", ".", plain("big.bin")],
    ["echo rm", ".", []],
    ["ls -la && npm test", ".", []],
  ])("%s", (command, cwd, losses) => {
    expect(lossesIn(command, cwd, "/w")).toEqual(losses);
  });

  it("is everything below a folder, and of a glob what a shell would match", () => {
    expect(isLost({ path: "data", glob: false }, "data/x/big.bin", "large")).toBe(true);
    expect(isLost({ path: "data", glob: false }, "data2", "large")).toBe(false);
    expect(isLost({ path: ".", glob: true }, ".git", "large")).toBe(false);
    expect(isLost({ path: ".", glob: true }, "big.bin", "large")).toBe(true);
  });

  it("is not the repository where git itself throws files away", () => {
    const loss = { path: ".", glob: false } as const;
    expect(isLost({ ...loss, byGit: true }, ".git", "repository data")).toBe(false);
    expect(isLost({ ...loss, byGit: true }, "big.bin", "large")).toBe(true);
    expect(isLost(loss, ".git", "repository data")).toBe(true);
  });
});
