// What language servers answer, as far as it is used: checked, since a server is somebody else's
// program. https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17
import * as z from "zod/mini";

const count = z.int().check(z.gte(0));
const position = z.object({ line: count, character: count });
export const range = z.object({ start: position, end: position });

/** Lines and characters (UTF-16 units) from 0. */
export type Position = z.output<typeof position>;
export type Range = z.output<typeof range>;

export const location = z.object({ uri: z.string(), range });
const link = z.object({ targetUri: z.string(), targetSelectionRange: range });

/** Every form of "here it is". */
export const locations = z.nullable(z.union([location, z.array(z.union([location, link]))]));

const diagnostic = z.object({
  range,
  /** 1 error, 2 warning, 3 information, 4 hint; without it the client decides. */
  severity: z.optional(z.number()),
  code: z.optional(z.union([z.string(), z.number()])),
  message: z.string(),
});
export type Reported = z.output<typeof diagnostic>;

export const published = z.object({
  uri: z.string(),
  version: z.optional(z.nullable(z.number())),
  diagnostics: z.array(diagnostic),
});

export const pulled = z.object({ kind: z.literal("full"), items: z.array(diagnostic) });

const place = z.object({ line: z.int().check(z.gte(1)), offset: z.int().check(z.gte(1)) });
/** What tsserver itself says, with places from 1. */
export const tsserverAnswer = z.object({
  body: z.optional(
    z.array(
      z.object({
        start: place,
        end: place,
        text: z.string(),
        code: z.optional(z.number()),
        category: z.string(),
      }),
    ),
  ),
});

const textEdit = z.object({ range, newText: z.string() });
export type TextEdit = z.output<typeof textEdit>;

/** `kind` is there where a file is to be made, renamed or deleted. */
const documentChange = z.union([
  z.object({ kind: z.string() }),
  z.object({ textDocument: z.object({ uri: z.string() }), edits: z.array(textEdit) }),
]);

export const workspaceEdit = z.nullable(
  z.object({
    changes: z.optional(z.record(z.string(), z.array(textEdit))),
    documentChanges: z.optional(z.array(documentChange)),
  }),
);

const option = z.optional(z.union([z.boolean(), z.looseObject({})]));
export const initialized = z.object({
  capabilities: z.object({
    definitionProvider: option,
    referencesProvider: option,
    renameProvider: option,
    diagnosticProvider: option,
  }),
});
export type Capabilities = z.output<typeof initialized>["capabilities"];

export const message = z.object({
  id: z.optional(z.union([z.string(), z.number()])),
  method: z.optional(z.string()),
  params: z.optional(z.unknown()),
  result: z.optional(z.unknown()),
  error: z.optional(z.object({ code: z.number(), message: z.string() })),
});

export const progress = z.object({
  token: z.union([z.string(), z.number()]),
  value: z.object({ kind: z.string() }),
});

export const configurationAsked = z.object({ items: z.array(z.unknown()) });
