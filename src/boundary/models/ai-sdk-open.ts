// Opens a model of an AI SDK package that the user installed in Aiex's own folder for packages. What
// is not there is said with the command that installs it; nothing is ever installed from here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { aiSdk, type BytesSeen, type SdkModel } from "#boundary/models/ai-sdk.ts";
import type { ModelPort } from "#boundary/models/port.ts";
import { type Failed, fail, ok, type Result } from "#core/failure.ts";
import { type Fields, fieldsOf, isObject, parsed, textAt } from "#core/model/json.ts";

export type AiSdkSetting = {
  name: string;
  package: string;
  options: Readonly<Record<string, unknown>>;
  /** The folder whose `node_modules` holds the package. */
  folder: string;
  model: string;
  apiKey: string;
  /** Tells keys apart; no secret. */
  account: string;
};

export async function aiSdkModel(setting: AiSdkSetting): Promise<Result<ModelPort>> {
  const { name, package: from, options, folder, model, apiKey, account } = setting;
  const file = fileOf(join(folder, "node_modules", from));
  if (file === null) {
    return fail("no_model", `the provider ${name} needs the package ${from}`, {
      fix: `npm install --prefix ${folder} ${from}`,
    });
  }
  const seen: BytesSeen = new WeakMap();
  try {
    const loaded = fieldsOf({ ...(await import(pathToFileURL(file).href)) });
    const factory = Object.entries(loaded).find(
      ([key, value]) => /^create[A-Z]/.test(key) && typeof value === "function",
    )?.[1];
    if (typeof factory !== "function") return noProvider(from, "it exports no `create…`");
    const made = factory({
      includeUsage: true,
      name,
      ...options,
      ...(apiKey === "" ? {} : { apiKey }),
      fetch: countedFetch(seen),
    });
    const opened: unknown = made.languageModel?.(model) ?? made(model);
    if (!isModel(opened)) return noProvider(from, "its models are of another version");
    const secrets = [apiKey, ...secretsIn(options)].filter((secret) => secret.length >= 8);
    return ok(aiSdk(opened, { provider: name, secrets, seen, account }));
  } catch (error) {
    return noProvider(from, error instanceof Error ? error.message : String(error));
  }
}

const noProvider = (from: string, why: string): Failed =>
  fail("no_model", `the package ${from} cannot be used: ${why}`, {
    fix: "check its name and version in `providers`, and its options",
  });

function isModel(value: unknown): value is SdkModel {
  const { specificationVersion: version, doStream } = value as Record<string, unknown>;
  return ["v2", "v3", "v4"].includes(String(version)) && typeof doStream === "function";
}

/** Texts anywhere in the options: a header or a token among them must not get into a failure. */
function secretsIn(value: unknown): string[] {
  if (typeof value === "string") return /^https?:/.test(value) ? [] : [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(secretsIn) : [];
}

/** `fetch` that tells of the bytes of a response, by the signal of its call. */
function countedFetch(seen: BytesSeen): typeof fetch {
  return async (input, init) => {
    // Keys go where the user said: redirects are not followed.
    const response = await fetch(input, { ...init, redirect: "manual" });
    const tell = init?.signal ? seen.get(init.signal) : undefined;
    if (!tell || !response.body) return response;
    const counted = response.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller) {
          tell();
          controller.enqueue(chunk);
        },
      }),
    );
    const { status, statusText, headers } = response;
    return new Response(counted, { status, statusText, headers });
  };
}

/** The file that a package begins with, as `import` would find it; null where it is not there. */
function fileOf(folder: string): string | null {
  let text: string;
  try {
    text = readFileSync(join(folder, "package.json"), "utf8");
  } catch {
    return null;
  }
  const about = fieldsOf(parsed(text));
  const { exports } = about;
  const main = isObject(exports) && "." in exports ? exports["."] : exports;
  const file = conditioned(main) ?? textAt(about, "module") ?? textAt(about, "main") ?? "index.js";
  return join(folder, file);
}

/** The path behind `node`, `import` or `default`, however deep. */
function conditioned(target: unknown): string | undefined {
  if (typeof target === "string") return target;
  const conditions: Fields = fieldsOf(target);
  for (const name of ["node", "import", "default"]) {
    const found = name in conditions ? conditioned(conditions[name]) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
