// A list of commands that belong together.

/** `folder` is the project of projects.ts that they are run in where their program is installed. */
export type Group = { ecosystem: string; folder: string; commands: readonly string[] };

/** One command a line, indented as the code around it. */
export const linesOf = (text: string): string[] => text.trim().split(/\n\s*/);
