// Reads the beginning of a regular file: no link as its last name is followed, no pipe or device is
// opened, and no more than a bound is read.
import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** The first bytes, and how many the file has; null where it is not a plain file in reach. */
export async function plainFile(
  path: string,
  { bytesMax }: { bytesMax: number },
): Promise<{ bytes: Buffer; size: number } | null> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) return null;
      const bytes = Buffer.alloc(Math.min(stat.size, bytesMax));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
      return { bytes: bytes.subarray(0, bytesRead), size: stat.size };
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
