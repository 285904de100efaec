// The commands there are, each loaded when it is typed. A new one is a file and a line here.
import type { Command } from "#interfaces/cli/command.ts";

export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  chat: async () => (await import("#interfaces/cli/commands/chat.ts")).chat,
  ask: async () => (await import("#interfaces/cli/commands/ask.ts")).ask,
  demo: async () => (await import("#interfaces/cli/commands/demo.ts")).demo,
  undo: async () => (await import("#interfaces/cli/commands/undo.ts")).undo,
  redo: async () => (await import("#interfaces/cli/commands/undo.ts")).redo,
  "checkpoint create": async () => (await import("#interfaces/cli/commands/checkpoint.ts")).create,
  "checkpoint list": async () => (await import("#interfaces/cli/commands/checkpoint.ts")).list,
  "checkpoint diff": async () => (await import("#interfaces/cli/commands/checkpoint.ts")).diff,
  "checkpoint restore": async () =>
    (await import("#interfaces/cli/commands/checkpoint.ts")).restore,
  "checkpoint tag": async () => (await import("#interfaces/cli/commands/checkpoint.ts")).tag,
  "checkpoint rm": async () => (await import("#interfaces/cli/commands/checkpoint.ts")).rm,
  "checkpoint check": async () => (await import("#interfaces/cli/commands/checkpoint.ts")).check,
  "session list": async () => (await import("#interfaces/cli/commands/session-list.ts")).list,
  "session show": async () => (await import("#interfaces/cli/commands/session-show.ts")).show,
  "session search": async () => (await import("#interfaces/cli/commands/session-search.ts")).search,
  "session rename": async () => (await import("#interfaces/cli/commands/session-rename.ts")).rename,
  "session diff": async () => (await import("#interfaces/cli/commands/session-diff.ts")).diff,
  "session fork": async () => (await import("#interfaces/cli/commands/session-fork.ts")).fork,
  "session restore": async () =>
    (await import("#interfaces/cli/commands/session-restore.ts")).restore,
  "session compactions": async () =>
    (await import("#interfaces/cli/commands/session-compactions.ts")).compactions,
  "session rm": async () => (await import("#interfaces/cli/commands/session-rm.ts")).rm,
  "session export": async () =>
    (await import("#interfaces/cli/commands/session-export.ts")).exportSession,
  "session import": async () =>
    (await import("#interfaces/cli/commands/session-import.ts")).importSession,
  search: async () => (await import("#interfaces/cli/commands/search.ts")).search,
  context: async () => (await import("#interfaces/cli/commands/context.ts")).context,
  map: async () => (await import("#interfaces/cli/commands/map.ts")).map,
  symbol: async () => (await import("#interfaces/cli/commands/symbol.ts")).symbol,
  index: async () => (await import("#interfaces/cli/commands/index-build.ts")).build,
  "index status": async () => (await import("#interfaces/cli/commands/index-build.ts")).status,
  models: async () => (await import("#interfaces/cli/commands/models.ts")).models,
  "models probe": async () => (await import("#interfaces/cli/commands/models-probe.ts")).probe,
  "auth set": async () => (await import("#interfaces/cli/commands/auth-set.ts")).set,
  "auth list": async () => (await import("#interfaces/cli/commands/auth-list.ts")).list,
  "auth rm": async () => (await import("#interfaces/cli/commands/auth-rm.ts")).rm,
  "auth rotate": async () => (await import("#interfaces/cli/commands/auth-rotate.ts")).rotate,
  usage: async () => (await import("#interfaces/cli/commands/usage.ts")).usage,
  "usage reconcile": async () =>
    (await import("#interfaces/cli/commands/usage-reconcile.ts")).reconcile,
  trust: async () => (await import("#interfaces/cli/commands/trust.ts")).trust,
  untrust: async () => (await import("#interfaces/cli/commands/untrust.ts")).untrust,
  verify: async () => (await import("#interfaces/cli/commands/verify.ts")).verify,
  doctor: async () => (await import("#interfaces/cli/commands/doctor.ts")).doctor,
  "config get": async () => (await import("#interfaces/cli/commands/config-get.ts")).get,
  "config set": async () => (await import("#interfaces/cli/commands/config-set.ts")).set,
  "config list": async () => (await import("#interfaces/cli/commands/config-list.ts")).list,
  "config explain": async () =>
    (await import("#interfaces/cli/commands/config-explain.ts")).explain,
  audit: async () => (await import("#interfaces/cli/commands/audit.ts")).audit,
  "audit report": async () => (await import("#interfaces/cli/commands/audit-report.ts")).report,
  "audit export": async () =>
    (await import("#interfaces/cli/commands/audit-export.ts")).exportAudit,
  "audit verify": async () => (await import("#interfaces/cli/commands/audit-verify.ts")).verify,
  "views rebuild": async () => (await import("#interfaces/cli/commands/views-rebuild.ts")).rebuild,
  completion: async () => (await import("#interfaces/cli/commands/completion.ts")).completion,
  help: async () => (await import("#interfaces/cli/commands/help.ts")).help,
  version: async () => (await import("#interfaces/cli/commands/version.ts")).version,
};
