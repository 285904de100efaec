// Exports of providers: each form that is known, what is said of one that is malformed, and that no bytes
// at all make a reader throw or guess.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCsv } from "#core/ledger/exports/csv.ts";
import { countIn, dayIn, moneyIn } from "#core/ledger/exports/export.ts";
import { exportFormats, readExport } from "#core/ledger/exports/index.ts";

const DAY = Date.parse("2026-03-01T00:00:00Z") / 86_400_000;
const SECONDS = DAY * 86_400;

const rowsIn = (text: string) => {
  const read = readExport(text);
  if (!read.ok) throw new Error(read.error.say);
  return [read.value.name, read.value.rows];
};
const faultIn = (text: string, format?: string): string => {
  const read = readExport(text, format);
  return read.ok ? "" : read.error.say;
};

const openaiPage = (results: object[], more: object = {}) =>
  JSON.stringify({
    object: "page",
    data: [{ object: "bucket", start_time: SECONDS, end_time: SECONDS + 86_400, results }],
    ...more,
  });
const anthropicPage = (results: object[]) =>
  JSON.stringify({ data: [{ starting_at: "2026-03-01T00:00:00Z", results }], has_more: false });

describe("an export of OpenAI", () => {
  const usage = { input_tokens: 1_000, input_cached_tokens: 400, output_tokens: 50 };
  const row = { day: DAY, model: "gpt-5", requests: 3, input: 1_000, cached: 400, output: 50 };

  it("is read from the Usage API, the Costs API, and several pages of them", () => {
    const result = {
      object: "organization.usage.completions.result",
      ...{ ...usage, num_model_requests: 3, model: "gpt-5", project_id: null },
    };
    expect(rowsIn(openaiPage([result]))).toEqual(["openai", [row]]);
    const amount = { value: 0.060_000_000_1, currency: "usd" };
    const cost = { object: "organization.costs.result", amount, line_item: "gpt-5, input" };
    expect(rowsIn(openaiPage([cost]))).toEqual([
      "openai",
      [{ day: DAY, model: "gpt-5", nanoDollars: 60_000_000 }],
    ]);
    const page = JSON.parse(openaiPage([{ ...cost, line_item: null }], { has_more: true }));
    const read = readExport(JSON.stringify([page, page]));
    expect(read).toMatchObject({
      value: { rows: [{ model: null }, { model: null }], isPart: true },
    });
  });

  it("is read from the tables of the dashboard, empty buckets left out", () => {
    const head = "start_time,end_time,num_model_requests,model,input_tokens,output_tokens";
    const text = `${head},input_cached_tokens\r\n${SECONDS},0,,,,,\r\n${SECONDS},0,3.0,gpt-5,1000,50,400\r\n`;
    expect(rowsIn(text)).toEqual(["openai", [row]]);
    const costs = `start_time,amount_value,amount_currency,line_item\n${SECONDS},"1.5",usd,"gpt-5, input"\n`;
    expect(rowsIn(costs)).toEqual(["openai", [{ day: DAY, model: "gpt-5", nanoDollars: 1.5e9 }]]);
  });

  it("is refused with the place of what is wrong", () => {
    const amount = { value: 1, currency: "eur" };
    const cost = { object: "organization.costs.result", amount };
    expect(faultIn(openaiPage([cost]))).toBe("result 1: the amount is not in dollars");
    const odd = { object: "organization.usage.completions.result", input_tokens: 1.5 };
    expect(faultIn(openaiPage([odd]))).toBe("result 1: a count is no whole number");
  });
});

describe("an export of Anthropic", () => {
  const row = { day: DAY, model: "claude-opus-5", input: 1_000, cached: 700, output: 20 };

  it("is read from the usage report and the cost report, whose amounts are cents", () => {
    const result = {
      ...{ uncached_input_tokens: 100, cache_read_input_tokens: 700, output_tokens: 20 },
      cache_creation: { ephemeral_5m_input_tokens: 150, ephemeral_1h_input_tokens: 50 },
      model: "claude-opus-5",
    };
    expect(rowsIn(anthropicPage([result]))).toEqual(["anthropic", [row]]);
    const cost = { currency: "USD", amount: "123.456", model: "claude-opus-5" };
    expect(rowsIn(anthropicPage([cost]))).toEqual([
      "anthropic",
      [{ day: DAY, model: "claude-opus-5", nanoDollars: 1_234_560_000 }],
    ]);
  });

  it("is read from the tables of the Console", () => {
    const usage =
      "usage_date_utc,model_version,api_key,context_window,usage_input_tokens_no_cache," +
      "usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h," +
      "usage_input_tokens_cache_read,usage_output_tokens\n" +
      "2026-03-01,claude-opus-5,key,≤ 200k,100,150,50,700,20\n";
    expect(rowsIn(usage)).toEqual(["anthropic", [row]]);
    const cost =
      "usage_date_utc,model,token_type,cost_usd\n2026-03-01,Claude Opus 5,input_no_cache,0.13\n";
    expect(rowsIn(cost)).toEqual([
      "anthropic",
      [{ day: DAY, model: "Claude Opus 5", nanoDollars: 130_000_000 }],
    ]);
    expect(faultIn(cost.replace("03-01", "02-30"))).toBe("line 2: there is no such day");
  });
});

describe("an export of OpenRouter", () => {
  it("is read from the activity's table and its API", () => {
    const head =
      "generation_id,created_at,cost_total,tokens_prompt,tokens_completion,tokens_cached";
    const csv = `${head},model_permaslug\ngen-1,2026-03-01 23:59:59.999,0.0123,1000,50,400,openai/gpt-5\n`;
    const row = { day: DAY, model: "openai/gpt-5", requests: 1, input: 1_000, output: 50 };
    expect(rowsIn(csv)).toEqual(["openrouter", [{ ...row, cached: 400, nanoDollars: 12_300_000 }]]);
    const entry = {
      ...{ date: "2026-03-01", model_permaslug: "openai/gpt-5", requests: 1 },
      ...{ prompt_tokens: 1_000, completion_tokens: 50, usage: 1.23e-2 },
    };
    expect(rowsIn(JSON.stringify({ data: [entry] }))).toEqual([
      "openrouter",
      [{ ...row, nanoDollars: 12_300_000 }],
    ]);
  });
});

describe("a plain table", () => {
  it("says what its head says, for anybody's models", () => {
    const read = readExport("\u{feff}Day,Model,Cost\n2026-03-01,m,$1.25\n2026-03-02,,0\n");
    expect(read).toMatchObject({
      value: {
        ...{ name: "plain", provider: null, isPart: false },
        rows: [
          { day: DAY, model: "m", nanoDollars: 1_250_000_000 },
          { day: DAY + 1, model: null, nanoDollars: 0 },
        ],
      },
    });
  });

  it.each([
    ["day,model,cost\n2026-03-01,m,a lot\n", "line 2: cost is no number"],
    ["day,model,input\n2026-03-01,m,-5\n", "line 2: input is no whole number"],
    ["day,model,input\n2026-13-01,m,5\n", "line 2: there is no such day"],
    ["day,model,input\n2026-03-01,m\n", "line 2 has 2 cells where its head has 3"],
    ['day,model\n"2026', "the table has a quote that is not closed, or text behind one"],
    ["day,day,cost\n", 'the table names the column "day" twice'],
    ["day,model,cost\n", "the export holds no usage at all"],
    ["nothing at all", "the table has no head with at least two columns"],
    ["a,b\n1,2\n", "the file is no export that is known here (it is a table of a, b)"],
    ["{", /^the file is not JSON: /],
    ["[]", "the file is no export that is known here (it is JSON)"],
  ])("that is malformed says where: %j", (text, say) => {
    expect(faultIn(text)).toEqual(typeof say === "string" ? say : expect.stringMatching(say));
  });
});

describe("whatever a file holds", () => {
  const safe = (read: ReturnType<typeof readExport>) => {
    if (!read.ok) return expect(read.error.code).toBe("bad_input");
    for (const { model: _, ...counts } of read.value.rows) {
      for (const n of Object.values(counts)) expect(Number.isSafeInteger(n)).toBe(true);
    }
  };
  const heads = [
    "day,model,cost",
    "usage_date_utc,model,cost_usd",
    "start_time,num_model_requests,input_tokens",
    "created_at,cost_total,model_permaslug",
  ];

  it("no text makes a reader throw, also under the head of a known table", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void safe(readExport(text))));
    const lines = fc.array(
      fc.array(fc.oneof(fc.string(), fc.float().map(String)), { size: "small" }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...heads), lines, (head, rows) => {
        safe(readExport([head, ...rows.map((cells) => cells.join(","))].join("\n")));
      }),
    );
  });

  it("no JSON makes one throw, whatever stands where its fields are", () => {
    const keys = fc.constantFrom(
      ...["data", "results", "object", "starting_at", "amount", "start_time", "date", "model"],
      ...["model_permaslug", "uncached_input_tokens", "cache_creation", "usage", "__proto__"],
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: "medium" },
        fc.jsonValue({ maxDepth: 1 }),
        fc.constantFrom("organization.costs.result", "2026-03-01", 1e300, "1e99"),
        fc.dictionary(keys, tie("tree"), { maxKeys: 6 }),
        fc.array(tie("tree"), { maxLength: 3 }),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.option(fc.constantFrom(...exportFormats.map((f) => f.name))), (v, f) => {
        safe(readExport(JSON.stringify({ data: v }), f ?? undefined));
        safe(readExport(JSON.stringify([{ data: [{ results: v }] }]), f ?? undefined));
      }),
      { numRuns: 500 },
    );
  });

  it("cells come back as they were written", () => {
    const cell = fc.string({ unit: "binary" }).filter((text) => !text.startsWith("\u{feff}"));
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell), { minLength: 1 }),
        fc.constantFrom("\n", "\r\n"),
        (rows, end) => {
          const text = ["a,b", ...rows.map((row) => row.map(quoted).join(","))].join(end);
          expect(readCsv(text)).toEqual({ ok: true, value: { head: ["a", "b"], rows } });
        },
      ),
    );
    expect(readCsv("a,b\n1,\n,2")).toMatchObject({
      value: {
        rows: [
          ["1", ""],
          ["", "2"],
        ],
      },
    });
    expect(readCsv("a,b\n1,")).toMatchObject({ value: { rows: [["1", ""]] } });
  });

  it("days, counts and money are exact, or nothing", () => {
    expect(["2026-03-01", "2026-03-01T23:30:00-01:00", "2026-3-1", "x"].map(dayIn)).toEqual([
      DAY,
      DAY + 1,
      undefined,
      undefined,
    ]);
    expect(["3.0", "", null, "1e3", "3.5", "-1"].map(countIn)).toEqual([
      ...[3, 0, 0],
      ...[undefined, undefined, undefined],
    ]);
    expect(["0.1", "1e-7", ".5", "-2", "1.2.3", "1e99"].map((text) => moneyIn(text))).toEqual([
      ...[100_000_000, 100, 500_000_000, -2_000_000_000],
      ...[undefined, undefined],
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (nano) => {
        const digits = String(nano).padStart(10, "0");
        expect(moneyIn(`${digits.slice(0, -9)}.${digits.slice(-9)}`)).toBe(nano);
      }),
    );
  });
});
