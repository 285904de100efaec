// `npm run check`: format, lint, types, dead code, unit tests and the rules of the house, in two
// minutes on two cores. Independent steps run side by side; the first lines of what failed are shown.
import { spawn } from "node:child_process";

type Step = { name: string; command: string; args: string[] };

const steps: Step[] = [
  { name: "format and lint", command: "biome", args: ["check", "--error-on-warnings", "."] },
  { name: "types", command: "tsc", args: ["-p", "tsconfig.json"] },
  { name: "types of core", command: "tsc", args: ["-p", "tsconfig.core.json"] },
  { name: "dead code", command: "knip", args: ["--no-progress"] },
];
const tests: Step = { name: "unit tests", command: "vitest", args: ["run", "--project", "unit"] };

function run({ name, command, args }: Step): Promise<boolean> {
  const began = performance.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    const output: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
    child.on("error", (error) => output.push(Buffer.from(String(error))));
    child.on("close", (code) => {
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
      if (code !== 0 || command === "vitest") process.stdout.write(Buffer.concat(output));
      resolve(code === 0);
    });
  });
}

const results = await Promise.all(steps.map(run));
results.push(await run(tests));
if (results.includes(false)) process.exitCode = 1;
