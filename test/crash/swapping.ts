// Makes the changes that its second argument names in the folder of its first, in a process of its
// own that can be killed or fail at any of the system's calls.
import { applyChanges } from "#boundary/trees/apply.ts";
import { memoryObjects } from "#boundary/trees/memory.ts";
import { objectOf } from "#boundary/trees/objects.ts";
import { localWorkspace } from "#boundary/workspace/local.ts";
import type { PathChange } from "#core/tree/entry.ts";
import { must } from "./drive.ts";

const [root = "", asked = "{}"] = process.argv.slice(2);
const { changes, contents } = JSON.parse(asked) as { changes: PathChange[]; contents: string[] };
const objects = memoryObjects();
must(await objects.put(contents.map((text) => objectOf("blob", Buffer.from(text)))));
const signal = new AbortController().signal;
const applied = must(await applyChanges(must(localWorkspace(root)), objects, { changes, signal }));
console.log(JSON.stringify({ left: applied.left }));
