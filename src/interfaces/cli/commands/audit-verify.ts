// `aiex audit verify`: computes the chain of every stream again and says where it does not hold.
import { hash } from "node:crypto";
import { emptyHead, faultOf, type Head } from "#core/record.ts";
import { defineCommand } from "#interfaces/cli/command.ts";
import { count } from "#interfaces/cli/figures.ts";
import { lineOf } from "#interfaces/cli/json.ts";
import { pagesOf } from "#interfaces/cli/records.ts";

const sha256 = (text: string): string => hash("sha256", text, "hex");

type Bad = { position: number; stream: string; version: number; fault: string };

export const verify = defineCommand({
  name: "audit verify",
  level: "operator",
  about: "Prove that no record of the log was changed, added or taken out.",
  more: `Ends with 74 where a chain does not hold, and names the first such record. Erased bodies are
counted; their records are still part of the chain.`,
  options: { json: { about: "The result as one JSON object." } },
  examples: ["aiex audit verify"],
  async run({ options }, cli) {
    const opened = await cli.open();
    if (!opened.ok) return cli.fail(opened.error);
    const heads = new Map<string, Head>();
    let records = 0;
    let erased = 0;
    let bad: Bad | null = null;
    const { terminal } = cli;
    scan: for await (const page of pagesOf(opened.value.app, { after: 0 })) {
      if (!page.ok) return cli.fail(page.error);
      for (const record of page.value) {
        const { stream, version, position } = record;
        const fault = faultOf(record, heads.get(stream) ?? emptyHead, sha256);
        if (fault) {
          bad = { position, stream, version, fault };
          break scan;
        }
        heads.set(stream, { version, hash: record.hash });
        records += 1;
        if (record.body === null) erased += 1;
      }
      terminal.status(`${count(records, "record")} …`);
    }
    if (options.json) {
      terminal.out(lineOf("result", { ok: !bad, records, streams: heads.size, erased, bad }));
      return bad ? 74 : 0;
    }
    const gone = erased > 0 ? `, ${erased} erased` : "";
    terminal.out(`checked ${count(records, "record")} of ${count(heads.size, "stream")}${gone}\n`);
    if (!bad) {
      terminal.out("every chain holds\n");
      return 0;
    }
    return cli.fail({
      code: "corrupt",
      say: `record ${bad.position} (${bad.stream} #${bad.version}): ${bad.fault}`,
      fix: "the log was changed from outside; restore it from a backup, or keep it as evidence",
    });
  },
});
