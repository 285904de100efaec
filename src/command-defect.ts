// What is wrong with a command before anybody acts on it: every interface is held to one shape.
import * as z from "zod/mini";
import { type Command, commandSchemas } from "#app";
import { type Failed, fail } from "#core/failure.ts";

/** Null where the command has the shape that the App promises for its type. */
export function defectOf({ type, ...fields }: Command): Failed | null {
  const read = z.safeParse(commandSchemas[type], fields);
  const [issue] = read.error?.issues ?? [];
  if (!issue) return null;
  const name = issue.path.join(".");
  return fail("bad_input", `${type}: ${name === "" ? "the command" : name} ${whatIn(issue)}`, {
    fix: "give it another way; `aiex help` shows the forms",
  });
}

function whatIn(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "too_small":
      return issue.origin === "string" ? "is empty" : `is below ${issue.minimum}`;
    case "too_big":
      return issue.origin === "string"
        ? `is longer than ${issue.maximum} characters`
        : `is over ${issue.maximum}`;
    case "invalid_format":
      return "has characters that cannot stand there";
    default:
      return "is not what belongs there";
  }
}
