// The tools Aiex brings along. A new one is a file and a line here.
import { theOutside } from "#boundary/outside.ts";
import { applyPatch } from "#boundary/tools/builtin/apply_patch.ts";
import { code } from "#boundary/tools/builtin/code.ts";
import { edit } from "#boundary/tools/builtin/edit.ts";
import { fetchTool } from "#boundary/tools/builtin/fetch.ts";
import { findSymbol } from "#boundary/tools/builtin/find_symbol.ts";
import { glob } from "#boundary/tools/builtin/glob.ts";
import { job } from "#boundary/tools/builtin/job.ts";
import { list } from "#boundary/tools/builtin/list.ts";
import { read } from "#boundary/tools/builtin/read.ts";
import { recall } from "#boundary/tools/builtin/recall.ts";
import { rename } from "#boundary/tools/builtin/rename.ts";
import { repoMap } from "#boundary/tools/builtin/repo_map.ts";
import { run } from "#boundary/tools/builtin/run.ts";
import { search } from "#boundary/tools/builtin/search.ts";
import { searchCode } from "#boundary/tools/builtin/search_code.ts";
import { task } from "#boundary/tools/builtin/task.ts";
import { todo } from "#boundary/tools/builtin/todo.ts";
import { write } from "#boundary/tools/builtin/write.ts";
import type { Jobs } from "#boundary/tools/jobs.ts";
import type { Tool, ToolSource } from "#boundary/tools/port.ts";
import { tellingErrors } from "#boundary/tools/servers/after-edit.ts";
import type { Servers } from "#boundary/tools/servers/servers.ts";

/** What the language servers of a node are for: tools, and errors behind what is written. */
export type CodeTools = { servers: Servers; tellsErrors: boolean };

export function builtinTools(jobs: Jobs, given?: CodeTools): ToolSource {
  const plain = [read, list, glob, search, searchCode, findSymbol, repoMap];
  const writing = [edit, write, applyPatch];
  const others = [run(jobs), job(jobs), fetchTool(theOutside), todo, recall, task(jobs)];
  const usual = [...plain, ...writing, ...others];
  const withCode = ({ servers, tellsErrors }: CodeTools) => {
    const tell = tellsErrors ? tellingErrors(servers) : (tool: Tool) => tool;
    const changing = [...writing, rename(servers)].map(tell);
    return [...plain, code(servers), ...changing, ...others];
  };
  const all = given ? withCode(given) : usual;
  return {
    name: "builtin",
    async tools(root) {
      const found = given && root !== undefined ? await given.servers.at(root) : [];
      return found.length > 0 ? all : usual;
    },
  };
}
