// Every dialect as a port of ours speaks it to the strict stub: one entry each. Suites that must hold
// for all of them go through this table.
import { anthropic } from "#boundary/models/anthropic.ts";
import { plainWire, type Wire } from "#boundary/models/contract.ts";
import { contentOf, ollama } from "#boundary/models/ollama.ts";
import { openaiChat } from "#boundary/models/openai-chat.ts";
import { openaiResponses } from "#boundary/models/openai-responses.ts";
import type { ModelPort } from "#boundary/models/port.ts";
import type { Dialect } from "./strict-answers.ts";

type Spoken = {
  model: string;
  /** How a user gets there: the provider's name, and the settings for a server at `url`. */
  provider: string;
  settings(url: string): Record<string, string>;
  /** `url` is the stub's, which ends in `/v1`. */
  port(url: string): ModelPort;
  wire: Wire;
};

/** Without the marks, and without the brackets after the last block: the user may go on there. */
const unmarked = (body: string): string =>
  body.replaceAll(',"cache_control":{"type":"ephemeral"}', "").replace(/\]\}(?=\]\}$)/, "");

const proof = { type: "key", secret: "sk-test-0123456789" } as const;
const provider = "stub";

const openAi = (url: string) => ({ OPENAI_BASE_URL: url, OPENAI_API_KEY: proof.secret });

export const spoken: Record<Dialect, Spoken> = {
  responses: {
    model: "gpt-5",
    provider: "openai",
    settings: (url) => ({ ...openAi(url), AIEX_OPENAI_DIALECT: "responses" }),
    port: (baseUrl) => openaiResponses({ provider, baseUrl }),
    wire: plainWire,
  },
  chat: {
    model: "gpt-5",
    provider: "openai",
    settings: (url) => ({ ...openAi(url), AIEX_OPENAI_DIALECT: "chat" }),
    port: (baseUrl) => openaiChat({ provider, baseUrl, isOpenAi: true }),
    wire: plainWire,
  },
  messages: {
    model: "claude-sonnet-5-5",
    provider: "anthropic",
    settings: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: proof.secret }),
    port: (baseUrl) => anthropic({ provider, baseUrl, proof }),
    wire: { ...plainWire, content: unmarked },
  },
  ollama: {
    model: "qwen3:8b",
    provider: "ollama",
    settings: (url) => ({ OLLAMA_HOST: url }),
    port: (url) => ollama({ provider, baseUrl: new URL(url).origin }),
    wire: { stops: ["done", "length"], inputs: "objects", content: contentOf },
  },
};

export const dialectNames = Object.keys(spoken) as readonly Dialect[];
