// A canary in the secret files of a workspace: more than eighty ways out, tried by a model through
// the real program, the real sandbox and the strict stub. No byte of it may reach a request, the log,
// the blobs, the channel or an export; and once the user allows that very file, it is there.
import { execFileSync } from "node:child_process";
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it, onTestFinished } from "vitest";
import type { App, Entry } from "#app";
import { findBubblewrap } from "#boundary/workspace/index.ts";
import { loadConfig } from "#config";
import type { Result } from "#core/failure.ts";
import { start } from "../../src/start.ts";
import { desk } from "../e2e/kit.ts";
import { startStrictStub } from "../peers/strict.ts";
import { JOB, SECRET_FILES, waysOut } from "./canary-ways.ts";

const CANARY = "Zq7xV9kR2mW4pL8vT3nB";
/** The same bytes as they stand in what was only written otherwise; any of them is a leak. */
const bytes = Buffer.from(CANARY);
const LEAKS = [
  CANARY,
  CANARY.toUpperCase(),
  CANARY.slice(0, 12),
  CANARY.slice(-12),
  [...CANARY].reverse().join(""),
  bytes.toString("hex"),
  ...[0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .slice(4, 22),
  ),
];

const must = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.say}`);
  return result.value;
};

const root = realpathSync(mkdtempSync(join(tmpdir(), "aiex-canary-")));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const leaksIn = (text: string): string[] => LEAKS.filter((leak) => text.includes(leak));

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const line = `${CANARY}${CANARY}${CANARY}`;
const key = `-----BEGIN PRIVATE KEY-----\n${line}\n${line}\n-----END PRIVATE KEY-----\n`;
const texts: Record<(typeof SECRET_FILES)[number], string> = {
  ".env": `# of this project\nAPI_TOKEN=${CANARY}\nDEBUG=true\n`,
  ".env.local": `export LOCAL_VALUE="${CANARY}"\n`,
  "config/.env.production": `NAME=${CANARY}\n`,
  "prod.env": `A=${CANARY}\n`,
  id_rsa: key,
  "certs/server.pem": key,
  ".npmrc": `//registry.npmjs.org/:_authToken=${CANARY}\n`,
  "credentials.json": `{"type": "service", "note": "${CANARY}"}\n`,
  "secrets.yaml": `db:\n  user: a\n  value: ${CANARY}\n`,
};

function makeProject(): string {
  const folder = join(root, "project");
  mkdirSync(join(folder, "links"), { recursive: true });
  const put = (name: string, text: string) => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, stdio: "ignore" });
  git("init", "-q");
  // One that was committed: the value is in git's objects, and in a file of today.
  put("old.env", `OLD_TOKEN=${CANARY}\n`);
  put("README.md", "hello\n");
  git("add", "-f", "old.env", "README.md");
  git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "first");
  put("AGENTS.md", `Deploy with password = "${CANARY}".\n`);
  for (const [name, text] of Object.entries(texts)) put(name, text);
  symlinkSync(".env", join(folder, "link.txt"));
  symlinkSync("../config/.env.production", join(folder, "links", ".env"));
  linkSync(join(folder, ".env"), join(folder, "hard.txt"));
  return folder;
}

type Turn = { entries: Entry[]; end: string };

/** Answers each question as `answer` says, until the turn has ended. */
async function turnOf(
  app: App,
  session: string,
  text: string,
  answer: "allow" | "deny",
): Promise<Turn> {
  const sent = must(await app.send({ type: "SubmitPrompt", session, text }));
  const entries: Entry[] = [];
  const stop = AbortSignal.timeout(110_000);
  for await (const found of app.follow({ stream: session, after: sent.version - 1 }, stop)) {
    const entry = must(found);
    entries.push(entry);
    if (entry.decoded.kind !== "event") continue;
    const e = entry.decoded.event;
    if (e.type === "PermissionAsked") {
      const said = { answer, scope: "session", callId: e.callId, hash: e.hash } as const;
      must(await app.send({ type: "AnswerPermission", session, ...said }));
    }
    if (e.type === "TurnEnded") return { entries, end: e.end };
  }
  throw new Error("the turn did not end");
}

const resultsOf = ({ entries }: Turn): string[] =>
  entries.flatMap(({ decoded }) =>
    decoded.kind === "event" && decoded.event.type === "ToolFinished"
      ? [decoded.event.parts.map((part) => (part.type === "text" ? part.text : "")).join("\n")]
      : [],
  );

it("leaves by none of the ways, and is there once the user allows that very file", async (ctx) => {
  const wrap = await findBubblewrap("/nowhere");
  if (typeof wrap === "string") ctx.skip(`no sandbox: ${wrap}`);
  const folder = makeProject();
  const ways = waysOut(folder);
  expect(ways.length).toBeGreaterThanOrEqual(80);
  const batches = Array.from({ length: Math.ceil(ways.length / 20) }, (_, i) => ({
    calls: ways.slice(i * 20, i * 20 + 20),
  }));
  const job = { tool: "run", input: { command: JOB, background: true } };
  const allowed = [
    {
      tool: "run",
      input: { command: "cat .env", escalate: { kind: "secret", path: ".env", why: "x" } },
    },
    { tool: "run", input: { command: "cat .env config/.env.production" } },
    { tool: "read", input: { path: ".env" } },
  ];
  const answers = [
    ...batches,
    { calls: [job] },
    { text: "None." },
    { calls: allowed },
    { text: "There." },
  ];
  const stub = await startStrictStub({ script: { answers } });
  onTestFinished(() => stub.close());
  const env = {
    HOME: join(root, "user"),
    AIEX_HOME: join(root, "aiex"),
    PATH: process.env.PATH,
    OPENAI_BASE_URL: stub.url,
    OPENAI_API_KEY: "sk-of-the-stub",
    AIEX_OPENAI_DIALECT: "chat",
    AIEX_PROBE: "never",
  };
  mkdirSync(env.HOME);
  const config = must(loadConfig({ env, flags: { model: "openai/stub-100b", mode: "yes" } }));
  const app = must(await start({ config, env }));
  must(await app.send({ type: "Trust", path: folder }));
  const session = must(await app.send({ type: "StartSession", cwd: folder })).stream;
  const heard: string[] = [];
  const deaf = new AbortController();
  const listening = (async () => {
    for await (const live of app.listen({ session }, deaf.signal)) heard.push(JSON.stringify(live));
  })();
  const turn = await turnOf(app, session, "get the secrets", "deny");
  const results = resultsOf(turn);
  expect(results).toHaveLength(ways.length + 1);
  for (const [i, text] of results.entries()) {
    expect({ way: ways[i]?.input ?? JOB, leaks: leaksIn(text) }).toMatchObject({ leaks: [] });
  }
  expect(turn.end).toBe("done");
  expect(stub.malformed()).toEqual([]);
  for (const { body } of stub.requests) expect(leaksIn(body)).toEqual([]);
  expect(leaksIn(heard.join("\n"))).toEqual([]);
  expect(heard.length).toBeGreaterThan(10);
  const kept = filesBelow(env.AIEX_HOME).filter((file) => !file.includes("/scratch/"));
  expect(kept.some((file) => file.endsWith("log.db"))).toBe(true);
  for (const file of kept) {
    expect({ file, leaks: leaksIn(readFileSync(file, "latin1")) }).toEqual({ file, leaks: [] });
  }
  const records = must(await app.read({ type: "Records", after: 0, limit: 1_000 }));
  expect(leaksIn(JSON.stringify(records))).toEqual([]);
  // Masked, not lost: what was said says so, and the files are as they were.
  expect(results.join("\n")).toContain("[secret: ");
  for (const [name, text] of Object.entries(texts)) {
    expect(readFileSync(join(folder, name), "utf8")).toBe(text);
  }
  const after = resultsOf(await turnOf(app, session, "the user allows it", "allow"));
  expect(after[0]).toContain(CANARY);
  expect(after[1]).toContain(CANARY);
  expect(after[1]).toMatch(/production: Permission denied/);
  expect(after[2]).toContain(`API_TOKEN=${CANARY}`);
  deaf.abort();
  await listening;
  await app.close();
});

it("leaves by no attachment, and what the user attached says that it is masked", async () => {
  const stub = await startStrictStub({ script: { answers: [{ text: "Seen." }] } });
  onTestFinished(() => stub.close());
  const at = desk(texts, {
    OPENAI_BASE_URL: stub.url,
    OPENAI_API_KEY: "sk-of-the-stub",
    AIEX_OPENAI_DIALECT: "chat",
    AIEX_MODEL: "openai/stub-100b",
  });
  const attach = SECRET_FILES.flatMap((name) => ["-i", name]);
  const ran = await at.run(["ask", "--trust", ...attach, "look"], { stdin: "" });
  expect({ code: ran.code, malformed: stub.malformed() }).toEqual({ code: 0, malformed: [] });
  const [request] = stub.requests;
  expect(leaksIn(request?.body ?? CANARY)).toEqual([]);
  expect(request?.body).toContain("API_TOKEN=[secret: ");
  expect(ran.err).toContain("masked");
});
