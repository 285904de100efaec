// Records `aiex demo` in a terminal of its own and writes docs/demo.svg: what was really printed, in
// its colours, line by line as it came. Run it after what the demo prints has changed.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { spawn } from "@lydell/node-pty";

const root = dirname(import.meta.dirname);
const COLUMNS = 90;
const ROWS_MAX = 40;
/** Size of a character and a line, in pixels of the picture. */
const CHAR = 8.4;
const LINE = 19;
const MARGIN = 18;
/** How long the last screen stays before it begins again, in milliseconds. */
const REST_MS = 6_000;
const BYTES_MAX = 60_000;

type Style = { dim: boolean; bold: boolean; fill: string };
type Span = Style & { text: string };
type Row = { at: number; spans: Span[] };

const INK = "#d7dae0";
const fills: Readonly<Record<number, string>> = {
  31: "#ff7b72",
  32: "#7ee787",
  33: "#e3b341",
  39: INK,
};

/** Everything the demo writes, each piece with the milliseconds since the first. */
async function recorded(): Promise<{ at: number; text: string }[]> {
  const home = mkdtempSync(join(tmpdir(), "aiex-record-"));
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: home,
    TMPDIR: "/tmp",
    TERM: "xterm-256color",
    LANG: "C.UTF-8",
  };
  const program = join(root, "bin", "aiex");
  const size = { cols: COLUMNS, rows: ROWS_MAX };
  const terminal = spawn(program, ["demo"], { ...size, cwd: home, env });
  const pieces: { at: number; text: string }[] = [];
  let began: number | null = null;
  terminal.onData((text) => {
    began ??= performance.now();
    pieces.push({ at: Math.round(performance.now() - began), text });
  });
  const code = await new Promise<number>((resolve) => {
    terminal.onExit(({ exitCode }) => resolve(exitCode));
  });
  rmSync(home, { recursive: true, force: true });
  if (code !== 0) throw new Error(`the demo ended with ${code}`);
  return pieces;
}

/** The rows of the last screen; each has the time at which its line was finished. */
function rowsOf(pieces: readonly { at: number; text: string }[]): Row[] {
  const rows: Row[] = [];
  let line = "";
  for (const { at, text } of pieces) {
    const lines = (line + text).split("\n");
    line = lines.pop() ?? "";
    for (const whole of lines) rows.push(...rowOf(at, whole));
  }
  return rows;
}

/** A line as it looks in the end: what a status line wrote and erased again is gone. */
function rowOf(at: number, line: string): Row[] {
  const left = line.slice(line.lastIndexOf("\x1b[2K") + 1).replace(/^\[2K/, "");
  const spans: Span[] = [];
  let style: Style = { dim: false, bold: false, fill: INK };
  for (const [, codes, text = ""] of left.matchAll(/(?:\x1b\[([\d;]*)m)|([^\x1b]+)|\x1b/g)) {
    if (codes !== undefined) style = codes.split(";").map(Number).reduce(styled, style);
    const shown = text.replaceAll("\r", "");
    if (shown !== "") spans.push({ ...style, text: shown });
  }
  return wrapped(spans).map((part) => ({ at, spans: part }));
}

function styled(style: Style, code: number): Style {
  if (code === 0) return { dim: false, bold: false, fill: INK };
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 22) return { ...style, dim: false, bold: false };
  return { ...style, fill: fills[code] ?? style.fill };
}

/** As the terminal breaks a line that is longer than it is wide. */
function wrapped(spans: readonly Span[]): Span[][] {
  const rows: Span[][] = [[]];
  let column = 0;
  for (const span of spans) {
    for (let rest = span.text; rest !== ""; ) {
      if (column === COLUMNS) column = rows.push([]) * 0;
      const text = rest.slice(0, COLUMNS - column);
      rows.at(-1)?.push({ ...span, text });
      column += text.length;
      rest = rest.slice(text.length);
    }
  }
  return rows;
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function pictureOf(rows: readonly Row[]): string {
  const total = (rows.at(-1)?.at ?? 0) + REST_MS;
  const width = Math.ceil(COLUMNS * CHAR) + 2 * MARGIN;
  const height = (rows.length + 1) * LINE + 2 * MARGIN;
  const shown = new Map<number, string>();
  const keyframes: string[] = [];
  for (const { at } of rows) {
    if (shown.has(at)) continue;
    const name = `t${shown.size}`;
    shown.set(at, name);
    const percent = ((100 * at) / total).toFixed(2);
    keyframes.push(
      `@keyframes ${name}{0%{opacity:0}${percent}%{opacity:0}${(Number(percent) + 0.01).toFixed(2)}%,100%{opacity:1}}` +
        `.${name}{animation-name:${name}}`,
    );
  }
  const texts = rows.map(({ at, spans }, i) => {
    const words = spans.map(({ text, dim, bold, fill }) => {
      const looks = [
        fill === INK ? "" : ` fill="${fill}"`,
        dim ? ` class="d"` : "",
        bold ? ` font-weight="bold"` : "",
      ].join("");
      return looks === "" ? escaped(text) : `<tspan${looks}>${escaped(text)}</tspan>`;
    });
    const y = MARGIN + LINE * (i + 2);
    return `<text class="${shown.get(at)}" x="${MARGIN}" y="${y}">${words.join("")}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="aiex demo in a terminal">
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:${INK};animation:${total}ms step-end infinite}
.d{fill-opacity:.62}
.p{animation:none}
${keyframes.join("\n")}
@media (prefers-reduced-motion:reduce){text{animation:none}}
</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<text class="p" x="${MARGIN}" y="${MARGIN + LINE}"><tspan fill="#7ee787">$</tspan> aiex demo</text>
${texts.join("\n")}
</svg>
`;
}

const built = spawnSync(process.execPath, [join(root, "scripts", "build.ts"), "--if-stale"]);
if (built.status !== 0) throw new Error(`the build failed: ${built.stderr}`);
const pieces = await recorded();
const picture = pictureOf(rowsOf(pieces));
if (picture.length > BYTES_MAX) throw new Error(`the picture has ${picture.length} bytes`);
const file = join(root, "docs", "demo.svg");
writeFileSync(file, picture);
const printed = stripVTControlCharacters(pieces.map(({ text }) => text).join(""));
console.log(`${file}: ${picture.length} bytes, ${printed.split("\n").length} lines`);
