// What the tests of the tools stand on: a real temporary folder, and a context around it.
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { memoryBlobs } from "#boundary/blobs/memory.ts";
import { sha256 } from "#boundary/digest.ts";
import type { Tool, ToolContext, ToolOutcome } from "#boundary/tools/port.ts";
import { localWorkspace } from "#boundary/workspace/local.ts";
import { fail, ok } from "#core/failure.ts";
import { textOf } from "#core/model/message.ts";
import { plainWords } from "#core/model/surface.ts";

/** A folder of its own that is gone after the test. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "aiex-tools-")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

export const contentOf = (root: string, name: string): string =>
  readFileSync(join(root, name), "utf8");

/** What the log would know after all those files were read. */
export function seenIn(root: string, ...names: string[]): Map<string, string> {
  return new Map(names.map((name) => [name, sha256(readFileSync(join(root, name)))]));
}

export function contextOf(root: string, more: Partial<ToolContext> = {}): ToolContext {
  const workspace = localWorkspace(root);
  if (!workspace.ok) throw new Error(workspace.error.say);
  return {
    callId: "call",
    session: "session",
    mode: "ask",
    seen: new Map(),
    todo: [],
    words: plainWords,
    resultBytesMax: 100_000,
    workspace: workspace.value,
    sandbox: { kind: "none", start: async () => fail("not_supported", "no commands here") },
    blobs: memoryBlobs(),
    readable: async () => () => true,
    history: async () => ok([]),
    // A child that has ended as soon as it is begun.
    child: async ({ role = "general", prompt }) => {
      const took = { steps: 1, tokens: 15, tookMs: 1_000, changed: [] };
      const run = async () => ok({ end: "done" as const, text: `did: ${prompt}`, ...took });
      return ok({ id: "child", role, harmless: role === "explore", run });
    },
    signal: new AbortController().signal,
    ...more,
  };
}

/** Prepares and runs, as the runner does once the call is allowed. */
export async function called(
  tool: Tool,
  input: unknown,
  context: ToolContext,
): Promise<{ refused?: string; outcome?: ToolOutcome; text: string; code?: string }> {
  const raw = typeof input === "string" ? input : JSON.stringify(input);
  const prepared = await tool.prepare(raw, context);
  if (!prepared.ok) {
    const { code, say, fix } = prepared.error;
    return { refused: say, text: `${say}; ${fix ?? ""}`, code };
  }
  const { signal } = context;
  const outcome = await prepared.value.run({
    signal,
    opened: {},
    progress: () => {},
    mask: (text: string) => text,
  });
  return { outcome, text: textOf(outcome.parts) };
}
