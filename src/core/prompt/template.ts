// A text with named holes, `{like_this}`. Filling it is all or nothing: a hole without a text and a
// text without a hole are bugs, and what fills a hole is never read as a template.

/** Fills each hole with its text. Throws where a name stands on one side only. */
export function filled(template: string, texts: Readonly<Record<string, string>>): string {
  const used = new Set<string>();
  const text = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    if (!Object.hasOwn(texts, name)) throw new Error(`a prompt has an unknown hole {${name}}`);
    used.add(name);
    return texts[name] ?? "";
  });
  const unused = Object.keys(texts).filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`a prompt has no hole for ${unused.join(", ")}`);
  return text;
}
