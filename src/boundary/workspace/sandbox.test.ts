// The adapters of the sandbox port side by side, and the choice between them.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { theOutside } from "#boundary/outside.ts";
import { type Boxed, boxed, missing } from "#boundary/workspace/boxed.ts";
import { looksDenied } from "#boundary/workspace/denial.ts";
import { searchPath } from "#boundary/workspace/environment.ts";
import { findSandbox } from "#boundary/workspace/index.ts";
import { usualLimits } from "#boundary/workspace/limits.ts";
import { sandboxContract } from "#boundary/workspace/sandbox-contract.ts";
import { noSandbox } from "#boundary/workspace/unsandboxed.ts";

const boxes: Boxed[] = [];
afterAll(() => {
  for (const box of boxes) box.close();
});
async function open(): Promise<Boxed> {
  const box = await boxed();
  boxes.push(box);
  return box;
}
const none = (box: Boxed) =>
  noSandbox(
    { workspace: box.root, scratch: join(box.top, "s"), home: box.home, host: process.env },
    "none here",
  );

sandboxContract("bubblewrap", async () => {
  const box = await open();
  return { sandbox: box.sandbox, root: box.root, opened: {}, missing: missing(box) };
});

sandboxContract("none, with leave", async () => {
  const box = await open();
  return { sandbox: none(box), root: box.root, opened: { unsandboxed: true }, missing: null };
});

describe("without a sandbox", () => {
  it("nothing runs that was not allowed, and it says why", async () => {
    const sandbox = none(await open());
    expect(sandbox).toMatchObject({ kind: "none", missing: "none here" });
    for (const opened of [{}, { network: true }, { write: ["/opt"] }]) {
      const spec = { command: "true", cwd: ".", timeoutMs: 1_000, opened };
      const started = await sandbox.start(spec, AbortSignal.timeout(1_000));
      expect(started).toMatchObject({ ok: false, error: { code: "permission_needed" } });
    }
  });
});

describe("the choice of a sandbox", () => {
  it("is refused where the workspace holds the home or Aiex itself", async () => {
    const box = await open();
    const options = {
      workspace: box.root,
      scratch: join(box.top, "scratch"),
      quarantine: box.quarantine,
      home: box.home,
      hidden: [box.hidden],
      shown: [],
      host: {},
      outside: theOutside,
      limits: usualLimits(),
    };
    mkdirSync(join(box.hidden, "ws"));
    for (const change of [
      { workspace: box.home },
      { workspace: box.top },
      { workspace: "/" },
      { workspace: join(box.hidden, "ws") },
      { scratch: join(box.root, "scratch") },
      { quarantine: box.root },
    ]) {
      const found = await findSandbox({ ...options, ...change });
      expect(found.kind).toBe("none");
      expect(found.missing).toBeTruthy();
    }
  });

  it("searches programs nowhere in the workspace, and nowhere relative", async () => {
    const box = await open();
    mkdirSync(join(box.root, "bin"));
    const path = `.:bin::${box.root}/bin:${box.root}:/usr/bin:/no/such/folder:relative/x`;
    expect(searchPath(path, box.root)).toEqual([
      "/usr/bin",
      "/usr/local/sbin",
      "/usr/local/bin",
      "/usr/sbin",
      "/sbin",
      "/bin",
    ]);
  });
});

describe("a refusal of the sandbox", () => {
  const bytes = (text: string) => new TextEncoder().encode(text);
  it.each([
    "touch: cannot touch '/etc/x': Read-only file system",
    "OSError: [Errno 30] Read-only file system: '/x'",
    "Error: EROFS: read-only file system, open '/x'",
    "curl: (6) Could not resolve host: example.com",
    "npm error code EAI_AGAIN",
    "getaddrinfo ENOTFOUND example.org",
    "connect: Network is unreachable",
    "dial tcp: lookup proxy.golang.org: no such host",
    "fatal: unable to access 'https://x/': Could not resolve host: x",
    "error: could not write config file .git/config: Device or resource busy",
    "mount: /mnt: Operation not permitted",
  ])("is recognised in %j", (text) => {
    expect(looksDenied(1, bytes(text))).toBe(true);
    expect(looksDenied(0, bytes(text))).toBe(false);
  });

  it.each(["FAIL a.test.ts", "error TS2304: Cannot find name 'x'.", "", "Segmentation fault"])(
    "is not seen in %j",
    (text) => expect(looksDenied(1, bytes(text))).toBe(false),
  );
});
