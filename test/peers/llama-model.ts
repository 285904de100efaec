// A real llama.cpp model of 260,000 parameters, on the CPU: real tokens of a real vocabulary, sampled
// under a grammar. It knows children's stories and nothing else, so what it says means nothing. The
// native build's own interface is documented nowhere: what is used of it is written down here from
// `AddonTypes.d.ts` of node-llama-cpp 3.22.1, the version that is pinned.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

const require = createRequire(join(import.meta.dirname, "llama-build", "package.json"));

const build = `@node-llama-cpp/${process.platform}-${process.arch}`;

/** Tokens of one answer. The rest of the window is for the prompt. */
const ANSWER_TOKENS_MAX = 320;
/** The tokens differ between CPUs even so: the last digits of their sums do. */
const SEED = 260;
/** High enough that rare tokens come up too, those of single bytes among them. */
const TEMPERATURE = 1.2;

/** The first of a SentencePiece vocabulary, `unk_id` of its trainer. */
const UNKNOWN_TOKEN = 0;

export type Piece = {
  text: string;
  /** Tokens since the piece before; more than one where a character has several. */
  tokens: number;
};

export type Generated = {
  promptTokens: number;
  /** How the answer ended is known when its pieces have been taken. */
  end(): "stop" | "length" | undefined;
  pieces: AsyncIterable<Piece>;
};

export type LlamaModel = {
  /** One answer at a time: the next begins when the pieces of this one were taken or left. */
  generate(asked: { prompt: string; grammar: string }): Generated;
  close(): Promise<void>;
};

/** Where the model is, or why there is none on this machine. */
export function llamaFile(): { file: string } | { missing: string } {
  const file = resolve(process.env.AIEX_FIXTURES ?? "", "llm/stories260K.gguf");
  if (process.env.AIEX_FIXTURES === undefined || !existsSync(file)) {
    return { missing: "fixtures absent: AIEX_FIXTURES names no folder with llm/stories260K.gguf" };
  }
  try {
    require.resolve(build);
    return { file };
  } catch {
    return { missing: `${build} is not installed: npm ci, on Linux x64 with glibc` };
  }
}

export async function openLlama(file: string): Promise<LlamaModel> {
  const folder = join(dirname(dirname(require.resolve(build))), "bins");
  const bins = join(folder, `${process.platform}-${process.arch}`);
  const addon = require(join(bins, "llama-addon.node")) as Addon;
  addon.markLoaded();
  addon.setLogger(() => {});
  // Of the builds for many CPUs in this folder it takes the best that this one can run.
  addon.loadBackends(bins);
  await addon.init();
  const model = new addon.AddonModel(file, { addonExports: addon, gpuLayers: 0 });
  if (!(await model.init())) throw new Error(`llama.cpp cannot load ${file}`);
  const windowTokens = model.getTrainContextSize();
  const sizes = { contextSize: windowTokens, batchSize: windowTokens, sequences: 1, threads: 1 };
  const context = new addon.AddonContext(model, sizes);
  if (!(await context.init())) throw new Error("llama.cpp has no memory for the window");
  return {
    generate({ prompt, grammar }) {
      // The window is far too small for what an agent says, so the model gets the end of it. A
      // server that answers for somebody must never do this without a word.
      const all = [...model.tokenize(prompt, false)];
      const kept = all.slice(-(windowTokens - ANSWER_TOKENS_MAX - 1));
      const tokens = [model.tokenBos(), ...kept];
      const sampler = samplerOf(addon, model, grammar);
      return generated({ model, context, sampler }, tokens);
    },
    async close() {
      await context.dispose();
      await model.dispose();
      await addon.dispose();
    },
  };
}

function samplerOf(addon: Addon, model: AddonModel, grammar: string): AddonSampler {
  const sampler = new addon.AddonSampler(model);
  const rules = new addon.AddonGrammar(grammar, { addonExports: addon });
  sampler.applyConfig({
    temperature: TEMPERATURE,
    seed: SEED,
    // The model ends a story with the token that begins the next one, and a grammar takes the names
    // of such tokens, `<s>` and `<unk>`, for text.
    tokenBiasKeys: Uint32Array.of(UNKNOWN_TOKEN, model.tokenBos()),
    tokenBiasValues: Float32Array.of(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY),
    grammarEvaluationState: new addon.AddonGrammarEvaluationState(model, rules),
  });
  return sampler;
}

type Parts = { model: AddonModel; context: AddonContext; sampler: AddonSampler };

function generated(parts: Parts, prompt: readonly number[]): Generated {
  let end: "stop" | "length" | undefined;
  async function* pieces(): AsyncGenerator<Piece> {
    const { model, context, sampler } = parts;
    const tokens: number[] = [];
    let [said, counted] = ["", 0];
    context.disposeSequence(0);
    try {
      let batch = prompt;
      while (tokens.length < ANSWER_TOKENS_MAX) {
        const token = await nextToken(parts, batch, prompt.length + tokens.length - batch.length);
        if (model.isEogToken(token)) {
          end = "stop";
          break;
        }
        tokens.push(token);
        batch = [token];
        // A token alone loses its leading space, and may be one byte of a character: it is kept
        // back until the character is whole, as llama.cpp's own server does.
        const text = model.detokenize(Uint32Array.from(tokens), false);
        if (text.endsWith("\ufffd") || text.length === said.length) continue;
        yield { text: text.slice(said.length), tokens: tokens.length - counted };
        [said, counted] = [text, tokens.length];
      }
      end ??= "length";
      const rest = model.detokenize(Uint32Array.from(tokens), false).slice(said.length);
      if (tokens.length > counted) yield { text: rest, tokens: tokens.length - counted };
    } finally {
      sampler.dispose();
    }
  }
  return { promptTokens: prompt.length, end: () => end, pieces: pieces() };
}

async function nextToken(
  { context, sampler }: Parts,
  batch: readonly number[],
  position: number,
): Promise<number> {
  context.initBatch(batch.length);
  const last = Uint32Array.of(batch.length - 1);
  const [logits = 0] = context.addToBatch(0, position, Uint32Array.from(batch), last);
  await context.decodeBatch();
  const token = await context.sampleToken(logits, sampler);
  if (token === -1) throw new Error("the grammar allows none of the model's tokens");
  return token;
}

type AddonModel = {
  init(): Promise<boolean>;
  dispose(): Promise<void>;
  tokenize(text: string, specialTokens: boolean): Uint32Array;
  detokenize(tokens: Uint32Array, specialTokens: boolean): string;
  getTrainContextSize(): number;
  tokenBos(): number;
  isEogToken(token: number): boolean;
};

type AddonContext = {
  init(): Promise<boolean>;
  dispose(): Promise<void>;
  disposeSequence(sequence: number): void;
  initBatch(size: number): void;
  /** `wanted`: of which of these tokens the followers are asked; gives their places. */
  addToBatch(
    sequence: number,
    position: number,
    tokens: Uint32Array,
    wanted: Uint32Array,
  ): Uint32Array;
  decodeBatch(): Promise<void>;
  sampleToken(place: number, sampler: AddonSampler): Promise<number>;
};

type AddonSampler = { applyConfig(config: object): void; dispose(): void };

type Addon = {
  AddonModel: new (file: string, options: object) => AddonModel;
  AddonContext: new (model: AddonModel, options: object) => AddonContext;
  AddonSampler: new (model: AddonModel) => AddonSampler;
  AddonGrammar: new (gbnf: string, options: object) => object;
  AddonGrammarEvaluationState: new (model: AddonModel, grammar: object) => object;
  markLoaded(): boolean;
  setLogger(logger: (level: number, message: string) => void): void;
  loadBackends(folder: string): void;
  init(): Promise<void>;
  dispose(): Promise<void>;
};
