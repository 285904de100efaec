// What a file in the workspace is written as before it gets its name: there for a moment, beside
// its place. A draft is named after its process, so that one whose process died in that moment is
// known as nobody's, and is removed by whoever sees it next.
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";

/** Hex digits of a process id, and of the randomness behind it. */
const DRAFT = /^\.aiex-([0-9a-f]{8})[0-9a-f]{12}\.tmp$/;

export function draftName(): string {
  const owner = process.pid.toString(16).padStart(8, "0");
  return `.aiex-${owner}${randomBytes(6).toString("hex")}.tmp`;
}

/** Whether a name is a draft's. One without a process is removed. */
export function passedOver(folder: string, name: string): boolean {
  const owner = DRAFT.exec(name)?.[1];
  if (owner === undefined) return false;
  if (!isAlive(Number.parseInt(owner, 16))) rmSync(`${folder}/${name}`, { force: true });
  return true;
}

/** Whether a process of this machine is there. */
export function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}
