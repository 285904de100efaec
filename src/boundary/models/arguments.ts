// Whether a call's arguments are whole and fit the tool's schema. Loaded only for servers that do
// not say that their answer ended; what the schema library cannot judge does not fit.
import { fromJSONSchema } from "zod";
import { fieldsOf, isObject, listOf, parsed } from "#core/model/json.ts";
import type { CallPart } from "#core/model/message.ts";

/** Whether each call fits a tool of the request, whose `tools` are in the form of Chat Completions. */
export function callsFit(body: string, calls: readonly CallPart[]): boolean {
  const schemas = new Map(
    listOf(fieldsOf(parsed(body)).tools).map((tool) => {
      const { name, parameters } = fieldsOf(fieldsOf(tool).function);
      return [name, parameters];
    }),
  );
  return calls.every(({ tool, input }) => argumentsFit(schemas.get(tool), input));
}

function argumentsFit(schema: unknown, input: string): boolean {
  const value = parsed(input);
  if (!isObject(schema) || !isObject(value)) return false;
  try {
    return fromJSONSchema(schema as Parameters<typeof fromJSONSchema>[0]).safeParse(value).success;
  } catch {
    return false;
  }
}
