// What the door knows of code: the index of a folder, brought up to date and asked.
import type { Answers, Command, Query } from "#app";
import type { DoorParts } from "#boundary/door/parts.ts";
import type { RefreshProgress } from "#boundary/index/port.ts";
import { unreachable } from "#core/assert.ts";
import { ok, type Result } from "#core/failure.ts";

/** Where the progress of a build is listened to. */
const JOB = "job:index";

/** Brings the index up to date; called off by nobody, it ends by itself. */
export async function buildIndex(
  parts: DoorParts,
  { path, anew = false }: Extract<Command, { type: "BuildIndex" }>,
): Promise<Result<{ stream: string; version: number }>> {
  const index = await parts.indexAt(path);
  if (!index.ok) return index;
  let seq = 0;
  const say = ({ files, of, bytes, ofBytes }: RefreshProgress) => {
    seq += 1;
    const share = Math.floor((100 * bytes) / Math.max(1, ofBytes));
    const text = `indexing: ${files} of ${of} files, ${share} %`;
    parts.channel.publish(JOB, { type: "output", callId: "index", seq, text });
  };
  const never = new AbortController().signal;
  if (anew) {
    const emptied = await index.value.clear();
    if (!emptied.ok) return emptied;
  }
  const done = await index.value.refresh(never, say);
  return done.ok ? ok({ stream: JOB, version: done.value.read }) : done;
}

type AboutIndex = Extract<
  Query,
  {
    type:
      | "Search"
      | "Locate"
      | "Symbols"
      | "References"
      | "Map"
      | "Impact"
      | "IndexStatus"
      | "Context";
  }
>;

export async function readIndex(
  parts: DoorParts,
  query: AboutIndex,
): Promise<Result<Answers[AboutIndex["type"]]>> {
  if (query.type === "Context") {
    return await (await import("#boundary/door/context.ts")).contextOf(parts, query);
  }
  const index = await parts.indexAt(query.path);
  if (!index.ok) return index;
  switch (query.type) {
    case "Search":
      return await index.value.search(query.text, query.limit);
    case "Locate":
      return await index.value.files(query.text, query.limit);
    case "Symbols": {
      const { name, limit, kind } = query;
      return await index.value.symbols(name, kind === undefined ? { limit } : { limit, kind });
    }
    case "References":
      return await index.value.references(query.name, query.limit);
    case "Map": {
      const { tokens, focus } = query;
      return await index.value.map(focus === undefined ? { tokens } : { tokens, focus });
    }
    case "Impact":
      return await index.value.impact(query.name, query.limit);
    case "IndexStatus":
      return await index.value.status();
    default:
      return unreachable(query);
  }
}
