// The network per host in the program as it is shipped: asked for, shown, allowed, reached, told.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { findBubblewrap } from "#boundary/workspace/index.ts";
import { desk, eventsOf } from "./kit.ts";

it("lets a command reach the host that the user allowed, and no other", async (ctx) => {
  const wrap = await findBubblewrap("/nowhere");
  if (typeof wrap === "string") ctx.skip(`no sandbox: ${wrap}`);
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("from the host\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = address && typeof address === "object" ? address.port : 0;
  const host = `localhost:${port}`;
  const command = `curl -sS http://${host}/yes; curl -sS http://127.0.0.1:${port}/no; \
    curl -sS --noproxy '' -p -x $HTTP_PROXY http://127.0.0.1:${port}/no; curl -sS http://evil.example/`;
  const escalate = { kind: "network", hosts: [host], why: "to see it" };
  const at = desk();
  const script = join(at.home, "script.json");
  const calls = [{ tool: "run", input: { command, escalate } }];
  writeFileSync(script, JSON.stringify({ answers: [{ text: "Now.", calls }, { text: "Done." }] }));
  expect((await at.aiex("trust")).code).toBe(0);
  const first = await at.aiex("ask", "--json", "--yes", "-m", `scripted/${script}`, "go");
  expect(first.code).toBe(3);
  expect(asked).toEqual([]);
  const result = eventsOf(first.out).at(-1) ?? {};
  const [ask] = result.asks as { hash: string; opens: unknown; why: string }[];
  expect(ask).toMatchObject({ opens: { hosts: [host] }, why: expect.stringContaining(host) });
  const answer = ["--session", String(result.session), "--allow", ask?.hash ?? ""];
  const second = await at.aiex("ask", "--json", ...answer);
  expect(second.code).toBe(0);
  expect(asked).toEqual(["/yes"]);
  expect(second.out).toContain("from the host");
  const refused = [`127.0.0.1:${port}`, "evil.example:80"];
  const fact = { type: "hostsTried", reached: [host], refused };
  const facts = eventsOf(second.out).flatMap(
    ({ body }) => (body as { facts?: unknown[] })?.facts ?? [],
  );
  expect(facts).toContainEqual(fact);
});
