// A provider package of the AI SDK that speaks to a stub, opened from a user's folder of packages.
import { aiSdkModel } from "#boundary/models/ai-sdk-open.ts";
import type { ModelPort } from "#boundary/models/port.ts";

/** `folder` holds `node_modules`; `url` is the stub's, which ends in `/v1`. */
export async function sdkPort(folder: string, url: string): Promise<ModelPort> {
  const from = { package: "@ai-sdk/openai-compatible", options: { baseURL: url } };
  const setting = { name: "own", folder, model: "m", apiKey: "k", account: "a", ...from };
  const port = await aiSdkModel(setting);
  if (!port.ok) throw new Error(port.error.say);
  return port.value;
}
