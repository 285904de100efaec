// `aiex version`: which version this is.
import { defineCommand } from "#interfaces/cli/command.ts";

export const version = defineCommand({
  name: "version",
  level: "advanced",
  about: "Say which version this is.",
  examples: ["aiex --version"],
  async run(_, { terminal, version }) {
    terminal.out(`aiex ${version}\n`);
    return 0;
  },
});
