// The chat in a real terminal: what a person types, sees and gets.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { ScriptedAnswer } from "#boundary/models/script.ts";
import { type Desk, desk } from "./kit.ts";
import { ENTER, type Screen, screenOf } from "./screen.ts";

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const SHIFT_TAB = "\x1b[Z";
const UP = "\x1b[A";

/** A chat with a model that gives these answers, ready to be typed into. */
async function chatWith(
  answers: ScriptedAnswer[],
  files: Record<string, string> = {},
): Promise<{ screen: Screen; at: Desk; again: (...args: string[]) => Promise<Screen> }> {
  const at = desk(files);
  const script = join(at.home, "script.json");
  writeFileSync(script, JSON.stringify({ answers }));
  const args = ["--trust", "--model", `scripted/${script}`];
  const again = async (...more: string[]) => {
    const screen = screenOf(at, [...args, ...more]);
    await screen.shows("mode ask · ");
    return screen;
  };
  return { screen: await again(), at, again };
}

const run = (command: string, more: Record<string, unknown> = {}) => ({
  tool: "run",
  input: { command, ...more },
});
const turnsEnded = (text: string): number => text.split("  done · ").length - 1;
const rows = (text: string): string[] => text.split("\n");

describe("the chat", () => {
  it("tells a turn from its prompt to its end, and leaves the terminal as it was", async () => {
    const { screen } = await chatWith(
      [
        {
          text: "I **look** first.\n\n- one\n- two\n",
          calls: [{ tool: "read", input: { path: "a.txt" } }],
        },
        {
          text: "",
          calls: [{ tool: "edit", input: { path: "a.txt", edits: [{ old: "old", new: "new" }] } }],
        },
        { text: "```js\nconst a = 1;\n```\nDone in `a.txt:1`." },
      ],
      { "a.txt": "old\n" },
    );
    screen.type(`fix it${ENTER}`);
    const text = await screen.shows("changed a.txt");
    const story = ["> fix it", "I look first.", "- one", "· read a.txt", "· edit a.txt (+1 −1)"];
    const more = ["1 - old", "1 + new", "const a = 1;", "Done in a.txt:1."];
    const places = [...story, ...more].map((part) => text.indexOf(part));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    await screen.shows("done · 3 steps");
    screen.type(CTRL_D);
    expect(await screen.ended).toBe(0);
    // The editor and the lines around it are gone; what was said stays.
    expect(rows(screen.text()).at(-1)).toContain("done · 3 steps");
  });

  it("shows what runs and the end of its output while it runs, and cancels it by Ctrl-C", async () => {
    const command = "for i in $(seq 1 50); do echo line $i; done; sleep 60";
    const { screen } = await chatWith([{ calls: [run(command)] }, { text: "never" }]);
    screen.type(`go${ENTER}`);
    await screen.until((text) => text.includes("line 50") && text.includes("running"));
    expect(screen.text()).not.toContain("line 40\n");
    screen.type(CTRL_C);
    const text = await screen.shows("cancelled · ");
    expect(text).toContain("called off");
    expect(text).not.toContain("never");
  });

  it("steers the running turn with what is typed into it", async () => {
    const { screen, at } = await chatWith([
      { calls: [run("until [ -e go ]; do sleep 0.05; done")] },
      { expect: { from: "user", contains: "rather blue" }, text: "Blue it is." },
    ]);
    screen.type(`paint${ENTER}`);
    await screen.shows("running");
    screen.type(`rather blue${ENTER}`);
    await screen.shows("> rather blue");
    writeFileSync(join(at.folder, "go"), "");
    await screen.shows("Blue it is.");
  });

  it("runs what was queued when the turn has ended", async () => {
    const { screen, at } = await chatWith([
      { calls: [run("until [ -e go ]; do sleep 0.05; done")] },
      { text: "First." },
      { expect: { from: "user", contains: "and then this" }, text: "Second." },
    ]);
    screen.type(`one${ENTER}`);
    await screen.shows("running");
    screen.type(`/queue and then this${ENTER}`);
    await screen.shows("queued: and then this");
    writeFileSync(join(at.folder, "go"), "");
    const text = await screen.until((all) => turnsEnded(all) === 2);
    expect(text.indexOf("First.")).toBeLessThan(text.indexOf("> and then this"));
  });

  it("asks for leave, takes no typed-ahead key as an answer, and brings the draft back", async () => {
    const escalate = { kind: "unsandboxed", why: "to look around" };
    const { screen } = await chatWith([
      { delayMs: 1_500, calls: [run("true", { escalate })] },
      { expect: { from: "tool", contains: "use the local docs" }, text: "Fine, not then." },
    ]);
    screen.type(`go${ENTER}`);
    await screen.shows("asking");
    screen.type("y");
    screen.type("es, half a thought");
    await screen.shows("half a thought");
    await screen.shows("Aiex asks for your leave");
    // A hand that is still typing: these keys come right behind the question.
    screen.type(`y${ENTER}`);
    await screen.until((text) => (rows(text).at(-5) ?? "").includes("[y] once"));
    expect(screen.text()).not.toContain("allowed");
    await answerUntil(screen, "use the local docs", "not allowed");
    await screen.shows("Fine, not then.");
    await screen.until((text) => rows(text).slice(-4).join().includes("yes, half a thought"));
  });

  it("knows its slash commands, and names what is none", async () => {
    const { screen } = await chatWith([{ text: "Hi." }]);
    const order = async (typed: string, shows: string) => {
      screen.type(typed + ENTER);
      await screen.shows(shows);
    };
    await order("/help ", "Shift-Enter or Ctrl-J");
    await order("/nonsense", "there is no /nonsense");
    await order("/mode plan", "mode plan ·");
    await order("hello", "Hi.");
    await screen.shows("done · 1 step");
    await order("/effort high", "effort high ·");
    await order("/context ", "since the last compaction");
    await order("/cost ", "at most");
    await order("/diff ", "nothing was changed");
    await order("/permissions ", "this folder is trusted");
    await order("/compact ", "nothing old enough");
    await order("/undo ", "undone; /redo brings the turn back");
    await order("/redo ", "the turn is back");
    screen.type(SHIFT_TAB);
    await screen.shows("mode read-only ·");
    screen.type(`/quit ${ENTER}`);
    expect(await screen.ended).toBe(0);
  });

  it("has several lines, earlier prompts and pasted text in its editor", async () => {
    const answers = [
      { expect: { from: "user" as const, contains: "one\ntwo" }, text: "Two lines." },
      { expect: { from: "user" as const, contains: "pasted 1\npasted 2" }, text: "Pasted." },
      { expect: { from: "user" as const, contains: "one\ntwo" }, text: "Again." },
    ];
    const { screen } = await chatWith(answers);
    screen.type(`one\ntwo${ENTER}`);
    await screen.shows("Two lines.");
    await screen.until((text) => turnsEnded(text) === 1);
    screen.type("\x1b[200~pasted 1\npasted 2\x1b[201~");
    await screen.shows("pasted 2");
    screen.type(ENTER);
    await screen.shows("Pasted.");
    await screen.until((text) => turnsEnded(text) === 2);
    screen.type(UP + UP);
    screen.type(ENTER);
    await screen.shows("Again.");
  });

  it("loses nothing that is sent while the session is only just beginning", async () => {
    const { screen } = await chatWith([
      { text: "First." },
      { expect: { from: "user", contains: "two too fast" }, text: "Second." },
    ]);
    screen.type(`one${ENTER}two too fast${ENTER}`);
    await screen.shows("> two too fast");
    await screen.shows("Second.");
  });

  it("takes an order at a question for an order, and gives the terminal back when it is ended", async () => {
    const escalate = { kind: "unsandboxed", why: "to look around" };
    const { screen } = await chatWith([{ calls: [run("true", { escalate })] }]);
    screen.type(`go${ENTER}`);
    await screen.shows("Aiex asks for your leave");
    await answerUntil(screen, "/help ", "Shift-Enter or Ctrl-J");
    expect(screen.text()).not.toContain("not allowed");
    screen.end();
    await screen.ended;
    expect(screen.written()).toContain("\x1b[?2004l");
  });

  it("leaves at the second Ctrl-C in a row, and says so at the first", async () => {
    const { screen } = await chatWith([]);
    screen.type(`half a thought${CTRL_C}`);
    await screen.until((text) => !text.includes("half a thought"));
    screen.type(CTRL_C);
    await screen.shows("Ctrl-C again or Ctrl-D leaves");
    screen.type(CTRL_C);
    expect(await screen.ended).toBe(0);
  });

  it("attaches an image that is named by its path", async () => {
    const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex").toString("latin1");
    const { screen, at } = await chatWith([{ text: "A picture." }]);
    writeFileSync(join(at.folder, "a b.png"), Buffer.from(png, "latin1"));
    screen.type(`what is in 'a b.png'?${ENTER}`);
    const text = await screen.shows("A picture.");
    expect(text).toContain("(with a b.png)");
  });

  it("goes on with the newest session, in its turn where that was left open", async () => {
    const { screen, at, again } = await chatWith([
      { calls: [run("echo begun; until [ -e go ]; do sleep 0.05; done")] },
      { text: "All is well." },
    ]);
    screen.type(`go${ENTER}`);
    await screen.until((text) => / running · /.test(text));
    screen.kill();
    await screen.ended;
    writeFileSync(join(at.folder, "go"), "");
    const next = await again("--continue");
    await next.shows("going on with the open turn");
    await next.shows("how far it came is not known");
    await next.shows("All is well.");
  });

  it("shows the answer again of which only the turn's end was missing", async () => {
    const { screen, at, again } = await chatWith([{ text: "All is well." }]);
    screen.type(`go${ENTER}`);
    await screen.shows("done · 1 step");
    screen.kill();
    await screen.ended;
    // As a process leaves it that is killed between the answer and the end.
    const db = new DatabaseSync(join(at.home, ".local", "state", "aiex", "log.db"));
    expect(db.prepare("DELETE FROM records WHERE type = 'TurnEnded'").run().changes).toBe(1);
    db.close();
    const next = await again("--continue");
    await next.shows("going on with the open turn");
    await next.shows("All is well.");
    await next.shows("done · 1 step");
  });

  it("keeps what was said when the terminal changes its size in the middle of an answer", async () => {
    const text = Array.from({ length: 30 }, (_, i) => `Sentence number ${i} of this answer.`).join(
      "\n\n",
    );
    const { screen } = await chatWith([{ text, pauseMs: 10 }]);
    screen.type(`tell${ENTER}`);
    await screen.shows("number 5 ");
    screen.resize(50, 20);
    await screen.shows("number 15 ");
    screen.resize(100, 30);
    const shown = await screen.shows("done · 1 step");
    const told = [...shown.matchAll(/number (\d+) of this answer/g)].map(([, n]) => Number(n));
    // What was drawn while the size changed, before the program knew, may stand there once more.
    const once = told.filter((n, i) => n !== told[i - 1]);
    expect(once).toEqual(Array.from({ length: 30 }, (_, i) => i));
  });
});

/** So long a person lets the keys rest before answering, in milliseconds. */
const REST_MS = 1_000;

/** Types an answer after a rest, again until it is taken: keys right behind a question are a draft's. */
async function answerUntil(screen: Screen, answer: string, shows: string): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    await new Promise((pass) => setTimeout(pass, REST_MS));
    screen.type(answer + ENTER);
    const seen = screen.until((text) => text.includes(shows)).then(() => true);
    const soon = new Promise<false>((pass) => setTimeout(() => pass(false), REST_MS));
    if (await Promise.race([seen, soon])) return;
  }
}
