// Leases exclude each other, also over processes, and die with their holder.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { fileLeases } from "#boundary/lease/file.ts";
import { memoryLeases } from "#boundary/lease/memory.ts";
import type { Leases } from "#boundary/lease/port.ts";

const folder = mkdtempSync(join(tmpdir(), "aiex-lease-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function leaseContract(name: string, open: () => [Leases, Leases]): void {
  describe(`leases: ${name}`, () => {
    it("have one holder at a time, and are free once released", () => {
      const [one, two] = open();
      const lease = one.take("s");
      expect(lease.ok).toBe(true);
      expect(two.take("s")).toMatchObject({ error: { code: "busy" } });
      expect(one.take("s")).toMatchObject({ error: { code: "busy" } });
      expect(two.take("other").ok).toBe(true);
      if (lease.ok) lease.value.release();
      expect(two.take("s").ok).toBe(true);
      two.close();
      expect(one.take("s").ok).toBe(true);
      one.close();
    });
  });
}

leaseContract("memory", () => {
  const held = new Set<string>();
  return [memoryLeases(held), memoryLeases(held)];
});
leaseContract("file", () => {
  const mine = mkdtempSync(join(folder, "l-"));
  return [fileLeases(mine), fileLeases(mine)];
});

describe("a lease of another process", () => {
  it("is held as long as it lives, and free when it is killed", async () => {
    const source = `
      import { fileLeases } from "#boundary/lease/file.ts";
      const lease = fileLeases(${JSON.stringify(folder)}).take("s");
      console.log(lease.ok ? "held" : lease.error.say);
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", source], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [said] = await once(child.stdout, "data");
    expect(String(said).trim()).toBe("held");
    const leases = fileLeases(folder);
    expect(leases.take("s")).toMatchObject({ error: { code: "busy" } });
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(leases.take("s").ok).toBe(true);
    leases.close();
  });
});
