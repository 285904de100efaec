// Frames however they are cut, and a talk with a program that is only played.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { connectionTo, type Listener } from "#boundary/tools/servers/connection.ts";
import { framed, frameReader } from "#boundary/tools/servers/framing.ts";
import type { CommandEnd, RunningCommand } from "#boundary/workspace/sandbox-port.ts";

const cutAt = (bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] => {
  const places = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
};

describe("frames", () => {
  it("come out whole and in order, however their bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { minLength: 1 }),
        fc.array(fc.nat()),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages.map(framed));
          const read = frameReader();
          const got = cutAt(bytes, cuts).flatMap((chunk) => {
            const some = read(chunk);
            return some.ok ? some.value : [];
          });
          expect(got).toEqual(JSON.parse(JSON.stringify(messages)));
        },
      ),
    );
  });

  it("may have a second field, in any order and case, and no body", () => {
    const read = frameReader();
    const type = "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n";
    expect(read(Buffer.from(`${type}content-length: 2\r\n\r\n{}`))).toMatchObject({ value: [{}] });
    expect(read(Buffer.from("Content-Length: 0\r\n\r\n"))).toMatchObject({ ok: false });
  });
});

/** A program that says what it is told to, and takes as much as it likes. */
function played({ takes = true }: { takes?: boolean } = {}) {
  const sent: string[] = [];
  const ends: (() => void)[] = [];
  const end: CommandEnd = {
    ...{ code: null, signal: "SIGTERM", ended: "killed", durationMs: 1 },
    ...{ quarantined: [], sandboxDenied: false },
  };
  const killed = new Promise<void>((resolve) => {
    ends.push(resolve);
  });
  const output = new TransformStream<Uint8Array, Uint8Array>();
  const writer = output.writable.getWriter();
  const running: RunningCommand = {
    output: output.readable,
    done: killed.then(() => end),
    kill() {
      for (const resolve of ends) resolve();
      void writer.close().catch(() => {});
    },
    send(bytes) {
      if (takes) sent.push(Buffer.from(bytes).toString());
      return takes;
    },
  };
  return { running, sent, says: (message: unknown) => writer.write(framed(message)) };
}

const listener: Listener = { name: "it", told() {}, asked: () => undefined };
const within = { timeoutMs: 10_000, signal: new AbortController().signal };

describe("a talk", () => {
  it("gives each request its own answer, whatever the order", async () => {
    const program = played();
    const connection = connectionTo(program.running, listener);
    const both = [connection.request("a", {}, within), connection.request("b", {}, within)];
    await program.says({ jsonrpc: "2.0", id: 2, result: "second" });
    await program.says({ jsonrpc: "2.0", id: 7, result: "nobody's" });
    await program.says({ jsonrpc: "2.0", id: 1, result: null });
    expect(await Promise.all(both)).toMatchObject([{ value: null }, { value: "second" }]);
    connection.close();
    expect(await connection.request("c", {}, within)).toMatchObject({ error: { code: "closed" } });
  });

  it("says of what it is not asked for that there is no such thing", async () => {
    const program = played();
    const connection = connectionTo(program.running, listener);
    const asked = connection.request("a", {}, within);
    await program.says({ jsonrpc: "2.0", id: "x", method: "window/odd" });
    await program.says({ jsonrpc: "2.0", id: 1, result: 1 });
    await asked;
    expect(program.sent.at(-1)).toContain('"error":{"code":-32601');
    connection.close();
  });

  it("tells the other end of a request that nobody waits for", async () => {
    const program = played();
    const connection = connectionTo(program.running, listener);
    const abort = new AbortController();
    const asked = connection.request("a", {}, { ...within, signal: abort.signal });
    abort.abort();
    expect(await asked).toMatchObject({ error: { code: "cancelled" } });
    expect(program.sent.at(-1)).toContain('"$/cancelRequest","params":{"id":1}');
    connection.close();
  });

  it("ends with one that reads nothing, or that sends JSON of another form", async () => {
    const deaf = connectionTo(played({ takes: false }).running, listener);
    expect(await deaf.request("a", {}, within)).toMatchObject({
      error: { say: "it does not read what it is sent" },
    });
    const program = played();
    const odd = connectionTo(program.running, listener);
    const asked = odd.request("a", {}, within);
    await program.says(["no", "message"]);
    expect(await asked).toMatchObject({ error: { code: "broken" } });
  });

  it("takes no more requests at a time than it can follow", async () => {
    const program = played();
    const connection = connectionTo(program.running, listener);
    const all = Array.from({ length: 65 }, () => connection.request("a", {}, within));
    expect(await all.at(-1)).toMatchObject({ error: { code: "busy" } });
    connection.close();
    expect(await all[0]).toMatchObject({ error: { code: "closed" } });
  });
});
