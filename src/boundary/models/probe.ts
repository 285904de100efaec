// Finds out whether a model calls tools, by asking it to: one tiny request with one tool. What a
// server says of its models is not enough: templates without tools, models too small for them and
// servers that do not read their own models' calls all look well until the first call is needed.
import type { OpenedModel } from "#boundary/models/index.ts";
import type { ModelEnd, ModelRequest } from "#boundary/models/port.ts";
import { fail, ok, type Result } from "#core/failure.ts";
import type { ModelFacts } from "#core/model/catalog.ts";
import { isObject, parsed } from "#core/model/json.ts";
import { noUsage, textOf, toolCallsOf, type Usage } from "#core/model/message.ts";
import { priced } from "#core/model/money.ts";
import { textCallReader } from "#core/model/text-calls.ts";

/** How long a probe may take: long enough for a model that is loaded. Milliseconds. */
const TOOL_PROBE_MS = 5_000;
/** Room for a model that thinks before it calls, in tokens. */
const PROBE_TOKENS_MAX = 1_024;

/** What a probe found; `say` is for people. */
export type Probed = { calls: "native" | "text"; say: string };

/** A finding, or why there is none, with what it took. */
export type Probing = { found: Result<Probed>; usage: Usage; ms: number };

const TOOL = "read_file";

export async function probeTools(
  opened: OpenedModel,
  facts: ModelFacts,
  signal: AbortSignal,
): Promise<Probing> {
  const { model, port, deadlines } = opened;
  if (facts.calls === "text") {
    const found = ok(textual(`what is known of ${model} says that it calls no tools`));
    return { found, usage: noUsage, ms: 0 };
  }
  const beganMs = performance.now();
  const wire = port.encode(requestFor(model, facts));
  // So short a patience says nothing of the endpoint: it is called off, which is no failure to its
  // breaker. Its deadline only says how long it would wait for its rate.
  const late = AbortSignal.timeout(TOOL_PROBE_MS);
  const options = {
    model,
    signal: AbortSignal.any([signal, late]),
    deadlines: { ...deadlines, totalMs: 2 * TOOL_PROBE_MS },
  };
  let end: ModelEnd | undefined;
  for await (const item of port.call(wire, options)) {
    if (item.type === "end") end = item;
  }
  const isLate = late.aborted && !signal.aborted && end?.failure?.code === "cancelled";
  const found = isLate ? tooLate(model) : foundIn(end, model);
  const ms = Math.round(performance.now() - beganMs);
  return { found, usage: priced(end?.usage ?? noUsage, facts.price), ms };
}

function requestFor(model: string, facts: ModelFacts): ModelRequest {
  const schema = {
    type: "object",
    properties: { path: { type: "string", description: "Path of the file." } },
    required: ["path"],
  };
  return {
    model,
    system: "You work with files by calling tools. Do not explain; call the tool.",
    messages: [
      {
        role: "user",
        origin: "prompt",
        parts: [{ type: "text", text: "Read the file notes.txt." }],
      },
    ],
    tools: [{ name: TOOL, about: "Reads a text file.", schema }],
    outputTokensMax: PROBE_TOKENS_MAX,
    facts,
    blobs: new Map(),
  };
}

function foundIn(end: ModelEnd | undefined, model: string): Result<Probed> {
  if (!end) return unknown(model, "it gave no answer");
  const { failure, stop } = end;
  if (failure && /does not support tools|tool.{0,40}not supported/i.test(failure.say)) {
    return ok(textual(`its server takes no tools for ${model}`));
  }
  if (failure?.code === "timeout") return tooLate(model);
  if (failure) return { ok: false, error: failure };
  const calls = toolCallsOf(end.parts);
  const good = calls.some(({ tool, input }) => tool === TOOL && isObject(parsed(input)));
  if (stop === "calls" && good) return ok({ calls: "native", say: `${model} calls tools` });
  if (stop === "calls") return ok(textual(`${model} does not call tools as they are described`));
  if (stop !== "done") return unknown(model, `its answer ended as ${stop}`);
  const wrote = written(textOf(end.parts));
  return ok(
    textual(
      `${model} ${wrote ? "writes its calls as text" : "was asked to call a tool and did not"}`,
    ),
  );
}

const textual = (why: string): Probed => ({
  calls: "text",
  say: `${why}; tools go through its text`,
});

function written(text: string): boolean {
  const reader = textCallReader(new Set([TOOL]));
  const items = [...reader.take(text), ...reader.end("whole").items];
  return items.some((item) => item.type === "call");
}

const tooLate = (model: string) =>
  unknown(model, `it did not answer within ${TOOL_PROBE_MS / 1_000} s`, "timeout");

function unknown(
  model: string,
  why: string,
  code: "timeout" | "broken" = "broken",
): Result<Probed> {
  return fail(code, `whether ${model} calls tools is not known: ${why}`, {
    fix: "try again once the model is loaded",
  });
}
