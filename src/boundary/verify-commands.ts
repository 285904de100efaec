// The commands by which a project checks itself, read off its own files. Only names that mean tests
// and checks everywhere are looked for, so nothing that a file says gets into a prompt by this.
import { join } from "node:path";
import { plainFile } from "#boundary/plain-file.ts";
import { fieldsOf, parsed } from "#core/model/json.ts";

const FILE_BYTES_MAX = 262_144;
/** Names of scripts and targets that check and change nothing else, most useful first. */
const NAMES = ["test", "check", "lint", "typecheck", "build"];

/** At most one source, in the order in which projects have several: their own scripts first. */
export async function verifyCommands(folder: string): Promise<string[]> {
  const read = async (name: string) => {
    const file = await plainFile(join(folder, name), { bytesMax: FILE_BYTES_MAX });
    return file?.bytes.toString() ?? null;
  };
  const { scripts } = fieldsOf(parsed((await read("package.json")) ?? ""));
  const named = NAMES.filter((name) => typeof fieldsOf(scripts)[name] === "string");
  if (named.length > 0)
    return named.map((name) => (name === "test" ? "npm test" : `npm run ${name}`));
  const makefile = await read("Makefile");
  const targets = NAMES.filter((name) =>
    new RegExp(`^${name}\\s*:(?!=)`, "m").test(makefile ?? ""),
  );
  if (targets.length > 0) return targets.map((name) => `make ${name}`);
  for (const [file, command] of conventions) if ((await read(file)) !== null) return [command];
  return [];
}

/** What the tools of a language have for every project of theirs. */
const conventions = [
  ["Cargo.toml", "cargo test"],
  ["go.mod", "go test ./..."],
  ["mix.exs", "mix test"],
] as const;
