// What is left of erased sessions goes later: once it is old enough, and never what others name.
import { readdirSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { ask, askAgain, type Home, openHome } from "#boundary/door/samples.ts";
import { sweepErased } from "#boundary/door/sweep.ts";
import { text } from "#boundary/turn/samples.ts";

const never = new AbortController().signal;
const HOURS_MS = 2 * 3_600_000;

async function newHome(): Promise<Home> {
  const home = await openHome("n", () => ({ parts: [text("ok")] }));
  onTestFinished(async () => {
    await home.app.close();
    rmSync(home.folder, { recursive: true, force: true });
  });
  return home;
}

/** The blobs there are, by hash. */
const blobsOf = ({ folder }: Home): string[] =>
  readdirSync(join(folder, "blobs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.parentPath.slice(-2) + entry.name);

/** As if nothing had been put for hours. */
function age({ folder }: Home): void {
  const then = (Date.now() - HOURS_MS) / 1_000;
  const entries = readdirSync(join(folder, "blobs"), { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), then, then);
  }
}

const rowsOf = async ({ parts }: Home) => {
  const rows = await parts.log.tables.rows("erased", { limit: 10 });
  return rows.ok ? rows.value.map(({ session }) => session) : rows.error;
};

it("keeps what every session begins with until it is old, then removes what nobody names", async () => {
  const home = await newHome();
  const session = await ask(home, "first");
  await home.app.send({ type: "Erase", session, why: "private" });
  expect(await sweepErased(home.parts, Date.now(), never)).toMatchObject({ ok: true });
  // System prompt and tools are young: somebody may be about to name them.
  expect(blobsOf(home)).toHaveLength(2);
  expect(await rowsOf(home)).toEqual([session]);
  const kept = await ask(home, "second");
  const named = blobsOf(home);
  const orphan = await home.parts.blobs.put(Buffer.from("nobody's"));
  age(home);
  const fresh = await home.parts.blobs.put(Buffer.from("about to be named"));
  const later = Date.now() + HOURS_MS;
  expect(await sweepErased(home.parts, later, never)).toMatchObject({ ok: true });
  if (!orphan.ok || !fresh.ok) throw new Error("a blob was not put");
  expect(blobsOf(home).sort()).toEqual([...named, fresh.value].sort());
  expect(await rowsOf(home)).toEqual([]);
  // The session that was kept still has all it needs, and an erased one may be erased again.
  await askAgain(home, kept, "go on");
  expect(await home.parts.sessions.fold(kept)).toMatchObject({ value: { turn: null } });
  const again = await home.app.send({ type: "Erase", session, why: "private" });
  expect(again).toMatchObject({ ok: true });
});

it("is done by one process at a time, and goes on where another was called off", async () => {
  const home = await newHome();
  const session = await ask(home, "first");
  await home.parts.sessions.command(session, { type: "Erase", why: "private" });
  const lease = home.parts.leases.take("sweep");
  expect(await sweepErased(home.parts, Date.now(), never)).toEqual({ ok: true, value: 0 });
  if (lease.ok) lease.value.release();
  const off = await sweepErased(home.parts, Date.now(), AbortSignal.abort());
  expect(off).toMatchObject({ ok: false, error: { code: "cancelled" } });
  expect(await rowsOf(home)).toEqual([session]);
  age(home);
  expect(await sweepErased(home.parts, Date.now() + HOURS_MS, never)).toMatchObject({ ok: true });
  expect(blobsOf(home)).toEqual([]);
  expect(await rowsOf(home)).toEqual([]);
});
