// When a running session is told of instruction files: at the beginning of a turn, when a folder is
// first worked in, again when they changed or were compacted away, and never twice.
import { expect, it } from "vitest";
import type { Instruction } from "#boundary/instructions.ts";
import { begin, newWorld, partsOver, type Say, text } from "#boundary/turn/samples.ts";
import { drive } from "#boundary/turns.ts";
import type { SessionEvent } from "#core/session/events.ts";

const never = new AbortController().signal;
const file = (path: string, hash: string): Instruction => ({
  path,
  hash,
  text: `Instructions from ${path}: ${hash}`,
});

function desk(say: Say = () => ({ parts: [text("ok")] })) {
  const world = newWorld();
  /** The instruction files that there are now, by the folder under which they are looked for. */
  const files = new Map([[".", [file("AGENTS.md", "1")]]]);
  const asked: string[] = [];
  const parts = partsOver(world, say, {
    place: {
      instructions: async (folders) => {
        asked.push(...folders);
        return { isTrusted: true, found: folders.flatMap((folder) => files.get(folder) ?? []) };
      },
    },
  });
  const told = async (): Promise<string[]> => {
    const events: SessionEvent[] = [];
    for await (const page of parts.sessions.read("s", { after: 0 }, never)) {
      if (!page.ok) throw new Error(page.error.say);
      for (const { decoded } of page.value)
        if (decoded.kind === "event") events.push(decoded.event);
    }
    return events.flatMap((e) => (e.type === "ContextAdded" ? [`${e.path} ${e.hash}`] : []));
  };
  const prompt = async (turn: string) => {
    const command = { type: "SubmitPrompt", turn, text: "more", attachments: [] } as const;
    await parts.sessions.command("s", command);
    await drive(parts, "s", never);
  };
  return { world, parts, files, asked, told, prompt };
}

it("tells them before the first request, as messages with their path", async () => {
  const { world, parts, told } = desk();
  await begin(parts);
  await drive(parts, "s", never);
  expect(await told()).toEqual(["AGENTS.md 1"]);
  const [first] = world.requests;
  expect(first?.messages.at(-1)).toMatchObject({
    role: "user",
    origin: "instructions",
    parts: [{ text: "Instructions from AGENTS.md: 1" }],
  });
});

it("tells them again only when they changed, and that they are gone", async () => {
  const { parts, files, told, prompt } = desk();
  await begin(parts);
  await drive(parts, "s", never);
  await prompt("t2");
  expect(await told()).toEqual(["AGENTS.md 1"]);
  files.set(".", [file("AGENTS.md", "2")]);
  await prompt("t3");
  files.delete(".");
  await prompt("t4");
  await prompt("t5");
  files.set(".", [file("AGENTS.md", "2")]);
  await prompt("t6");
  expect(await told()).toEqual(["AGENTS.md 1", "AGENTS.md 2", "AGENTS.md absent", "AGENTS.md 2"]);
});

it("tells those of a folder when a file below it was seen", async () => {
  const { parts, files, asked, told, prompt } = desk();
  files.set("src/app", [file("src/app/AGENTS.md", "a")]);
  await begin(parts);
  await drive(parts, "s", never);
  const s = await parts.sessions.fold("s");
  if (!s.ok) throw new Error(s.error.say);
  const facts = [{ type: "fileSeen", path: "src/app/main.ts", hash: "h" }] as const;
  const seen: SessionEvent = { type: "ToolFinished", callId: "x", end: "ok", parts: [], facts };
  await parts.sessions.append("s", s.value, [seen], { actor: "runner", epoch: 1 });
  asked.length = 0;
  await prompt("t2");
  expect(asked).toEqual([".", "src", "src/app"]);
  expect(await told()).toEqual(["AGENTS.md 1", "src/app/AGENTS.md a"]);
});

it("tells nothing twice after its runner died, and all again after a compaction", async () => {
  const { parts, told, prompt } = desk();
  await begin(parts);
  await drive(parts, "s", never);
  // `drive` makes a new runner each time; the log alone says what was told.
  await prompt("t2");
  expect(await told()).toEqual(["AGENTS.md 1"]);
  const s = await parts.sessions.fold("s");
  if (!s.ok) throw new Error(s.error.say);
  const compacted: SessionEvent = {
    type: "Compacted",
    text: "digest",
    keep: 0,
    droppedMessages: 3,
    why: "full",
  };
  await parts.sessions.append("s", s.value, [compacted], { actor: "runner", epoch: 1 });
  await prompt("t3");
  expect(await told()).toEqual(["AGENTS.md 1", "AGENTS.md 1"]);
});

it("names what is too long to be told at once", async () => {
  const { parts, world, files } = desk();
  const long = Array.from({ length: 4 }, (_, i) => ({
    ...file(`${i}.md`, `${i}`),
    text: `${i}`.repeat(2_400),
  }));
  files.set(".", long);
  await begin(parts);
  await drive(parts, "s", never);
  const said = JSON.stringify(world.requests[0]?.messages);
  // The samples' window has 10,000 tokens: a quarter of it is for instructions.
  expect(said).toContain("2".repeat(2_400));
  expect(said).toContain("Instructions from 3.md: too long here; read it if you need it.");
  expect(said).not.toContain("3".repeat(2_400));
});
