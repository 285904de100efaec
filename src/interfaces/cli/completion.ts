// Completions for shells, made from the command table: words only, so that nothing runs on Tab.
import type { Command } from "#interfaces/cli/command.ts";
import { commonOptions } from "#interfaces/cli/parse.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

export function completionFor(shell: Shell, all: readonly Command[]): string {
  switch (shell) {
    case "bash":
      return bash(all);
    case "zsh":
      return zsh(all);
    case "fish":
      return fish(all);
  }
}

const optionsOf = (command: Command): string[] =>
  Object.keys({ ...command.options, ...commonOptions }).map((name) => `--${name}`);

const firstsOf = (all: readonly Command[]): string[] => [
  ...new Set(all.map(({ name }) => name.split(" ")[0] ?? name)),
];

const verbsOf = (all: readonly Command[], group: string): string[] =>
  all.flatMap(({ name }) => (name.startsWith(`${group} `) ? [name.slice(group.length + 1)] : []));

/** As a file of `fpath` its text is the function, called for the first completion. */
const zsh = (all: readonly Command[]): string => `#compdef aiex
# zsh completion for aiex; in ~/.zshrc: eval "$(aiex completion zsh)"
(( $+functions[compdef] )) || { autoload -U compinit && compinit }
autoload -U +X bashcompinit && bashcompinit
${functionIn(all)}if [[ "\${funcstack[1]}" == _aiex ]]; then _bash_complete -o default -F _aiex; fi
`;

const bash = (all: readonly Command[]): string =>
  `# bash completion for aiex; in ~/.bashrc: eval "$(aiex completion bash)"\n${functionIn(all)}`;

function functionIn(all: readonly Command[]): string {
  const groups = firstsOf(all).filter((name) => verbsOf(all, name).length > 0);
  const verbs = groups.map((name) => `    ${name}) words="${verbsOf(all, name).join(" ")}" ;;`);
  const options = all.map(
    (command) => `    "${command.name}") words="${optionsOf(command).join(" ")}" ;;`,
  );
  return `_aiex() {
  local word="\${COMP_WORDS[COMP_CWORD]:-}" first="\${COMP_WORDS[1]:-}" words=""
  local named="$first"
  case "$first" in ${groups.join("|")}) [ "$COMP_CWORD" -gt 2 ] && named="$first \${COMP_WORDS[2]}" ;; esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${firstsOf(all).join(" ")}"
  elif [[ "$word" == -* ]]; then
    case "$named" in
${options.join("\n")}
    esac
  elif [ "$COMP_CWORD" -eq 2 ]; then
    case "$first" in
${verbs.join("\n")}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _aiex aiex
`;
}

function fish(all: readonly Command[]): string {
  const quoted = (text: string) => `'${text.replaceAll("'", String.raw`\'`)}'`;
  const lines = [
    "# fish completion for aiex; aiex completion fish > ~/.config/fish/completions/aiex.fish",
  ];
  const about = new Map(all.map((command) => [command.name, command.about]));
  for (const name of firstsOf(all)) {
    const text = quoted(about.get(name) ?? `${name}: ${verbsOf(all, name).join(", ")}`);
    lines.push(`complete -c aiex -n __fish_use_subcommand -a ${name} -d ${text}`);
    for (const verb of verbsOf(all, name)) {
      const said = quoted(about.get(`${name} ${verb}`) ?? "");
      lines.push(`complete -c aiex -n '__fish_seen_subcommand_from ${name}' -a ${verb} -d ${said}`);
    }
  }
  for (const command of all) {
    const words = command.name.split(" ");
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ");
    for (const [name, { short, about: text, value }] of Object.entries(command.options ?? {})) {
      const letter = short ? ` -s ${short}` : "";
      const wants = value === undefined ? "" : " -r";
      lines.push(`complete -c aiex -n '${seen}' -l ${name}${letter}${wants} -d ${quoted(text)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
