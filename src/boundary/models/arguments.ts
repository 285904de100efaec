// Whether a call's arguments are whole and fit the tool's schema. Loaded only for servers that do
// not say that their answer ended; what the schema library cannot judge does not fit.
import { fromJSONSchema } from "zod";
import { isObject, parsed } from "#core/model/json.ts";

export function argumentsFit(schema: unknown, input: string): boolean {
  const value = parsed(input);
  if (!isObject(schema) || !isObject(value)) return false;
  try {
    return fromJSONSchema(schema as Parameters<typeof fromJSONSchema>[0]).safeParse(value).success;
  } catch {
    return false;
  }
}
