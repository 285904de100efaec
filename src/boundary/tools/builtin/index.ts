// The tools Aiex brings along. A new one is a file and a line here.
import { theOutside } from "#boundary/outside.ts";
import { applyPatch } from "#boundary/tools/builtin/apply_patch.ts";
import { edit } from "#boundary/tools/builtin/edit.ts";
import { fetchTool } from "#boundary/tools/builtin/fetch.ts";
import { glob } from "#boundary/tools/builtin/glob.ts";
import { job } from "#boundary/tools/builtin/job.ts";
import { list } from "#boundary/tools/builtin/list.ts";
import { read } from "#boundary/tools/builtin/read.ts";
import { recall } from "#boundary/tools/builtin/recall.ts";
import { run } from "#boundary/tools/builtin/run.ts";
import { search } from "#boundary/tools/builtin/search.ts";
import { task } from "#boundary/tools/builtin/task.ts";
import { todo } from "#boundary/tools/builtin/todo.ts";
import { write } from "#boundary/tools/builtin/write.ts";
import type { Jobs } from "#boundary/tools/jobs.ts";
import type { ToolSource } from "#boundary/tools/port.ts";

export function builtinTools(jobs: Jobs): ToolSource {
  const tools = [
    read,
    list,
    glob,
    search,
    edit,
    write,
    applyPatch,
    run(jobs),
    job(jobs),
    fetchTool(theOutside),
    todo,
    recall,
    task(jobs),
  ];
  return { name: "builtin", tools: async () => tools };
}
