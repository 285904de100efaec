// The boundaries of a turn (30 of them, by number) at which the program is killed, and how it dies.
// The names are what moments.ts calls them while the turn runs.

/** How recovery must treat the call that a case is about. */
export const effects = ["pure", "verifiable", "keyed", "opaque"] as const;
export type Effect = (typeof effects)[number];

/** The program alone; it and everything it started; only what it started, and it goes on. */
export const deaths = ["program", "both", "tools"] as const;
export type Death = (typeof deaths)[number];

export type Boundary = {
  number: number;
  say: string;
  /** The moment, and the how-manieth of its name. */
  moment: string;
  nth?: number;
  /** A death before it: only a program that finds a session gets there. */
  after?: string;
};

/** The call that a case is about, by its effect; every turn has an edit beside it. */
export const callOf: Readonly<Record<Effect, { tool: string; input: object }>> = {
  pure: { tool: "read", input: { path: "b.txt" } },
  verifiable: { tool: "write", input: { path: "c.txt", content: "new\n" } },
  keyed: { tool: "pay", input: { key: "k1" } },
  // The gate is a file or, where the command is to be killed while it runs, a pipe.
  opaque: { tool: "run", input: { command: "echo ran >> ran.txt; echo begun; cat gate" } },
};

/** A turn: a look and a job first, then the call under test beside an edit, then the end. */
export function scriptOf(effect: Effect) {
  const job = { tool: "run", input: { command: "sleep 1000", background: true } };
  const edit = { path: "a.txt", edits: [{ old: "before", new: "after" }] };
  return {
    answers: [
      { text: "I look.", calls: [{ tool: "read", input: { path: "a.txt" } }, job] },
      { text: "Now I do it.", calls: [callOf[effect], { tool: "edit", input: edit }] },
      { text: "Done." },
      { text: "Still here." },
    ],
  };
}

/** Each call asks for leave, so that the moments of a question are there for every effect. */
const examples = (path: string) => ({ match: [path] });
export const rules = [
  { kind: "read", do: "ask", path: "b.txt", examples: examples("b.txt") },
  { kind: "write", do: "ask", path: "c.txt", examples: examples("c.txt") },
  { kind: "run", do: "ask", program: "cat", examples: examples("cat gate") },
];

export function boundariesOf(effect: Effect): Boundary[] {
  const { tool } = callOf[effect];
  const names: [say: string, moment: string, nth?: number][] = [
    ["turn requested, not appended", "before TurnStarted"],
    ["turn appended", "acked TurnStarted"],
    ["session adopted", "acked SessionAdopted"],
    ["snapshot read", "snapshot read"],
    ["request kept, step not appended", "before StepStarted", 2],
    ["step appended", "acked StepStarted", 2],
    ["first byte of the answer", "item first", 2],
    ["in the answer's text", "item text", 2],
    ["in the JSON of a call", "item input", 2],
    ["answer ended, not appended", "before StepCompleted", 2],
    ["answer appended", "acked StepCompleted", 2],
    ["permission asked", "acked PermissionAsked"],
    ["permission answered, not appended", "before PermissionAnswered"],
    ["permission appended", "acked PermissionAnswered"],
    ["intent not appended", `before ToolStarted ${tool}`],
    ["intent appended, word of it lost", `lost ToolStarted ${tool}`],
    ["intent appended, tool not started", `starting ${tool}`],
    ["tool runs", `running ${tool}`],
    ["tool done, result not appended", `done ${tool}`],
    ["result appended, word of it lost", `lost ToolFinished ${tool}`],
    ["result appended", `acked ToolFinished ${tool}`],
    ["edit: draft written", "file written"],
    ["edit: draft renamed", "file renamed"],
    ["edit: folder not synced", "folder to sync"],
    ["tree half written", "tree half"],
    ["tree whole, not named yet", "tree whole"],
    ["seal not appended", "before seal"],
    ["seal appended", "acked seal"],
    ["turn ended", "acked TurnEnded"],
    ["lease released", "lease released"],
  ];
  return names.map(([say, moment, nth = 1], i) => ({
    number: i + 1,
    say,
    moment,
    nth,
    ...(moment === "snapshot read" ? { after: "acked SessionAdopted" } : {}),
  }));
}

/** A turn with a call of each effect at the same time. */
export const mixedScript = {
  answers: [
    { text: "I look.", calls: [{ tool: "read", input: { path: "a.txt" } }] },
    {
      calls: [
        { tool: "edit", input: { path: "a.txt", edits: [{ old: "before", new: "after" }] } },
        ...effects.map((effect) => callOf[effect]),
      ],
    },
    { text: "Done." },
    { text: "Still here." },
  ],
};

/** A turn whose every change is provably its own, to be taken back. */
export const undoScript = {
  answers: [
    { text: "I look.", calls: [{ tool: "read", input: { path: "a.txt" } }] },
    {
      calls: [
        { tool: "edit", input: { path: "a.txt", edits: [{ old: "before", new: "after" }] } },
        { tool: "write", input: { path: "c.txt", content: "new\n" } },
        { tool: "run", input: { command: "rm b.txt" } },
      ],
    },
    { text: "Done." },
    { text: "Still here." },
  ],
};

/** The moments of an undo, with the turn behind it. */
export const undoMoments: readonly { moment: string; nth?: number }[] = [
  { moment: "before RestoreStarted" },
  { moment: "lost RestoreStarted" },
  { moment: "acked RestoreStarted" },
  { moment: "file written" },
  { moment: "file renamed" },
  { moment: "folder to sync" },
  { moment: "file to remove" },
  { moment: "file removed" },
  { moment: "before RestoreFinished" },
  { moment: "lost RestoreFinished" },
  { moment: "acked RestoreFinished" },
];
