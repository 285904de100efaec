// The ports of all dialects, connected to a strict stub: for suites that run through each of them.
import { ollama } from "#boundary/models/ollama.ts";
import { openaiChat } from "#boundary/models/openai-chat.ts";
import { openaiResponses } from "#boundary/models/openai-responses.ts";
import type { ModelPort } from "#boundary/models/port.ts";
import type { Dialect } from "./strict-answers.ts";

/** One line for each dialect; `url` is the stub's, which ends in `/v1`. */
const ports: Record<Dialect, (url: string) => ModelPort> = {
  responses: (baseUrl) => openaiResponses({ provider: "stub", baseUrl }),
  chat: (baseUrl) => openaiChat({ provider: "stub", baseUrl, isOpenAi: true }),
  ollama: (url) => ollama({ provider: "stub", baseUrl: new URL(url).origin }),
};

export const dialects = Object.keys(ports) as readonly Dialect[];

export const portTo = (dialect: Dialect, url: string): ModelPort => ports[dialect](url);
