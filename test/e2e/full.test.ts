// A disk that is full: at the start, in the middle of a turn, at a blob; and folders that cannot be
// written. The home lies on a small file system of its own that only the tested processes see.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type StrictStub, startStrictStub } from "../peers/strict.ts";
import { linesOf, Machine, main } from "./aiex.ts";
import { modelAt } from "./kit.ts";

const DISK_BYTES = 4 << 20;

let machine: Machine;
let stub: StrictStub | undefined;

beforeEach(() => {
  machine = new Machine();
});
afterEach(async () => {
  await stub?.close();
  stub = undefined;
  machine.remove();
});

/** Runs a shell script on a machine whose disk at `$DISK` is small; answers what it printed. */
async function onSmallDisk(
  script: string,
  env: Record<string, string>,
  more: readonly string[] = [],
): Promise<string> {
  const disk = join(machine.root, "disk");
  mkdirSync(disk);
  const box = ["--dev-bind", "/", "/", "--size", String(DISK_BYTES), "--tmpfs", disk];
  const aiex = `aiex() { "${process.execPath}" "${main}" "$@"; echo "code $?"; }`;
  const fill = 'fill() { head -c 8M /dev/zero > "$DISK/fill" 2>/dev/null; true; }';
  const child = spawn("bwrap", [...box, ...more, "bash", "-c", `${aiex}\n${fill}\n${script}`], {
    cwd: machine.folder,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: machine.root,
      DISK: disk,
      AIEX_HOME: join(disk, "home"),
      XDG_CONFIG_HOME: join(machine.root, "config"),
      LANG: "C.UTF-8",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  await new Promise((resolve) => child.on("close", resolve));
  return said;
}

const hello = { answers: [{ text: "Hello." }] };
const scripted = () => ({ AIEX_MODEL: machine.model("m", hello.answers) });

describe("a disk that is full", () => {
  it("at the start is said with what to do, and all works once there is room", async () => {
    const script = `
      fill; aiex ask --trust hi </dev/null
      rm "$DISK/fill"; aiex ask --trust hi; aiex audit verify`;
    const said = await onSmallDisk(script, scripted());
    expect(said.match(/code \d+/g), said).toEqual(["code 74", "code 0", "code 0"]);
    expect(said).toMatch(/^aiex: .*(full|ENOSPC|no space|disk I\/O).*(free|room|is not full)/m);
    expect(said).toContain("Hello.");
    expect(said).toContain("every chain holds");
  });

  it("in the middle of a turn ends it with 74, and the turn is gone on with later", async () => {
    const [go, filled] = [join(machine.root, "go"), join(machine.root, "filled")];
    execFileSync("mkfifo", [go, filled]);
    // Pipes: each waits for its other end, so the answer comes once the disk is full.
    const full = async () => {
      await writeFile(go, "go\n");
      await readFile(filled);
    };
    stub = await startStrictStub({
      script: hello,
      fault: (index) => (index === 0 ? { do: "hold", until: full() } : undefined),
    });
    const script = `
      aiex ask --trust --json hi > "${machine.root}/out" 2> "${machine.root}/err" &
      read -r _ < "${go}"; fill; echo full > "${filled}"; wait
      cat "${machine.root}/err"; rm "$DISK/fill"; aiex ask --continue; aiex audit verify`;
    const said = await onSmallDisk(script, modelAt(stub.url));
    const first = readFileSync(join(machine.root, "out"), "utf8");
    expect(first).toContain("code 74");
    expect(linesOf(first.replace("code 74\n", "")).at(-1)).toMatchObject({
      type: "result",
      exit: 74,
      failure: { code: "storage", fix: expect.stringContaining("free disk space") },
    });
    expect(said.match(/code \d+/g), said).toEqual(["code 0", "code 0"]);
    expect(said).toContain("Hello.");
    expect(said).toContain("every chain holds");
    expect(stub.malformed()).toEqual([]);
  });

  it("at a blob leaves nothing half-written, and the same prompt works later", async () => {
    const png = Buffer.alloc(3 << 20, 1);
    png.set(Buffer.from("89504e470d0a1a0a", "hex"));
    writeFileSync(join(machine.folder, "a.png"), png);
    const drafts = 'find "$DISK/home/blobs" -name ".*" -type f | sed "s/^/draft: /"';
    const script = `
      aiex trust; head -c 2M /dev/zero > "$DISK/fill"
      aiex ask -i a.png hi; ${drafts}
      rm "$DISK/fill"; aiex ask -i a.png hi; aiex audit verify`;
    const said = await onSmallDisk(script, scripted());
    expect(said.match(/code \d+/g), said).toEqual(["code 0", "code 74", "code 0", "code 0"]);
    expect(said).toMatch(/^aiex: blobs cannot be written .*ENOSPC.*free disk space/m);
    expect(said).not.toContain("draft: ");
    expect(said).toContain("every chain holds");
  });
});

describe("an export", () => {
  it("that does not fit leaves nothing that could be taken for the whole", async () => {
    const script = `
      export AIEX_HOME="$HOME/home"; aiex ask --trust hi; fill
      aiex session export "" -o "$DISK/s.jsonl"; ls "$DISK"; rm "$DISK/fill"
      aiex session export "" -o "$DISK/s.jsonl"; ls "$DISK"`;
    const said = await onSmallDisk(script, scripted());
    expect(said.match(/code \d+/g), said).toEqual(["code 0", "code 74", "code 0"]);
    expect(said).toContain("s.jsonl cannot be written: ENOSPC");
    expect(said.match(/^s\.jsonl$/gm)).toHaveLength(1);
  });
});

describe("a folder that cannot be written", () => {
  it("ends no turn: each tool says so, reports nothing as done, and nothing is changed", async () => {
    machine.write("a.txt", "text\n");
    const patch = "*** Begin Patch\n*** Add File: p.txt\n+p\n*** End Patch";
    const calls = [
      { tool: "read", input: { path: "a.txt" } },
      { tool: "write", input: { path: "new.txt", content: "x" } },
      { tool: "edit", input: { path: "a.txt", edits: [{ old: "text", new: "other" }] } },
      { tool: "apply_patch", input: { patch } },
    ];
    const model = machine.model("m", [
      { calls },
      {
        text: "It cannot be written.",
        expect: { from: "tool", contains: "read-only", lacks: "added p.txt" },
      },
    ]);
    const bind = ["--ro-bind", machine.folder, machine.folder];
    const said = await onSmallDisk("aiex ask --trust hi", { AIEX_MODEL: model }, bind);
    expect(said).toContain("It cannot be written.\n");
    expect(said.match(/code \d+/)?.[0], said).toBe("code 0");
    expect(said.match(/mounted read-only \(EROFS\)/g), said).toHaveLength(3);
    expect(readdirSync(machine.folder)).toEqual(["a.txt"]);
    expect(readFileSync(join(machine.folder, "a.txt"), "utf8")).toBe("text\n");
  });

  it("is said at the start where it is the home", async () => {
    const bind = ["--ro-bind", machine.root, machine.root];
    const said = await onSmallDisk('AIEX_HOME="$HOME/home" aiex session list', {}, bind);
    expect(said).toMatch(/cannot be used: EROFS.*; set AIEX_HOME to a folder/);
    expect(said).toContain("code 74");
  });
});
