// What a well-formed request is, taken from the official packages: their TypeScript types become
// JSON Schemas in which every unknown key is refused, at every level. Generation takes about four
// seconds and is cached in node_modules/.cache/aiex by the packages' versions.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";

const require = createRequire(import.meta.url);

const responses = { package: "openai", file: "resources/responses/responses.d.ts" };
const messages = { package: "@anthropic-ai/sdk", file: "resources/messages/messages.d.ts" };
const completions = { package: "openai", file: "resources/chat/completions/completions.d.ts" };

/** Where each type is declared. */
const homes = {
  ResponseCreateParamsStreaming: responses,
  ResponseStreamEvent: responses,
  ChatCompletionCreateParamsStreaming: completions,
  ChatCompletionChunk: completions,
  MessageCreateParamsStreaming: messages,
  RawMessageStreamEvent: messages,
  ChatRequest: { package: "ollama", file: "dist/browser.d.ts" },
} as const;

export type OfficialType = keyof typeof homes;

const validators = new Map<OfficialType, ValidateFunction>();

/** What is wrong with a value of an official type; empty where it is well-formed. */
export async function problemsOf(type: OfficialType, value: unknown): Promise<string[]> {
  const validate = validators.get(type) ?? new Ajv({ strict: false }).compile(await schemaOf(type));
  validators.set(type, validate);
  return validate(value) ? [] : worded(validate.errors ?? []);
}

/**
 * A union fails with the errors of all its members. The deepest ones are about the member that was
 * meant, so they come first.
 */
function worded(errors: readonly ErrorObject[]): string[] {
  const depth = (error: ErrorObject) => error.instancePath.split("/").length;
  const unique = new Set(
    [...errors]
      .sort((a, b) => depth(b) - depth(a))
      .map((e) => `schema: ${e.instancePath || "/"} ${e.message} ${JSON.stringify(e.params)}`),
  );
  return [...unique].slice(0, 5);
}

async function schemaOf(type: OfficialType): Promise<object> {
  const cached = cachePath(type);
  try {
    return JSON.parse(readFileSync(cached, "utf8"));
  } catch {
    const schema = await generated(type);
    mkdirSync(dirname(cached), { recursive: true });
    // Several test processes may do this at once; the last complete file stands.
    const fresh = `${cached}.${process.pid}`;
    writeFileSync(fresh, JSON.stringify(schema));
    renameSync(fresh, cached);
    return schema;
  }
}

async function generated(type: OfficialType): Promise<object> {
  const { createGenerator } = await import("ts-json-schema-generator");
  const generator = createGenerator({
    path: join(packageDir(homes[type].package), homes[type].file),
    type,
    expose: "all",
    jsDoc: "none",
    skipTypeCheck: true,
    additionalProperties: false,
  });
  return generator.createSchema(type);
}

function cachePath(type: OfficialType): string {
  const versions = `${versionOf(homes[type].package)}-${versionOf("ts-json-schema-generator")}`;
  const modules = dirname(packageDir("ts-json-schema-generator"));
  return join(modules, ".cache", "aiex", `${type}-${versions}.json`);
}

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(join(packageDir(name), "package.json"), "utf8")).version;

function packageDir(name: string): string {
  const found = require.resolve.paths(name)?.map((modules) => join(modules, name));
  const dir = found?.find((path) => {
    try {
      readFileSync(join(path, "package.json"));
      return true;
    } catch {
      return false;
    }
  });
  if (dir === undefined) throw new Error(`the package ${name} is not installed`);
  return dir;
}
