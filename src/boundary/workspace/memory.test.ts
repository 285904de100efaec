// The memory workspace keeps the promises of a workspace.
import { workspaceContract } from "#boundary/workspace/contract.ts";
import { memoryWorkspace } from "#boundary/workspace/memory.ts";

workspaceContract("memory", async () => memoryWorkspace());
