// Records a chat in a terminal of its own and writes docs/chat.svg: a person's keys go into a real
// pseudo-terminal, and what an emulator of the terminal shows is drawn, screen by screen. The
// project, the tools and the tests are the demo's; so are the answers, which are scripted.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { spawn } from "@lydell/node-pty";
import headless from "@xterm/headless";
import { demoProject, PROMPT } from "#interfaces/cli/demo-project.ts";

const root = dirname(import.meta.dirname);
const COLUMNS = 92;
const ROWS = 34;
/** Size of a character and a line, in pixels of the picture. */
const CHAR = 8.4;
const LINE = 19;
const MARGIN = 18;
/** Milliseconds between two screens, at least: enough to follow, few enough for a small file. */
const FRAME_MS = 240;
/** How long the last screen stays before it begins again, in milliseconds. */
const REST_MS = 7_000;
const BYTES_MAX = 200_000;
/** Milliseconds between two keys of somebody who types. */
const KEY_MS = 35;
const SPINNER = /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/;

type Frame = { at: number; rows: string[] };

const INK = "#d7dae0";
/** The sixteen colours, as far as Aiex uses them. */
const fills: Readonly<Record<number, string>> = {
  1: "#ff7b72",
  2: "#7ee787",
  3: "#e3b341",
  4: "#79c0ff",
  5: "#d2a8ff",
  6: "#76e3ea",
};

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** One row of the emulator's screen as SVG text. */
function rowOf(emulator: headless.Terminal, y: number): string {
  const line = emulator.buffer.active.getLine(emulator.buffer.active.viewportY + y);
  if (!line) return "";
  const length = line.translateToString(true).length;
  const spans: { looks: string; text: string }[] = [];
  for (let x = 0; x < length; x += 1) {
    const cell = line.getCell(x);
    if (!cell || cell.getWidth() === 0) continue;
    const looks = [
      cell.isFgPalette() ? ` fill="${fills[cell.getFgColor()] ?? INK}"` : "",
      cell.isDim() ? ` class="d"` : "",
      cell.isBold() ? ` font-weight="bold"` : "",
      cell.isItalic() ? ` font-style="italic"` : "",
      cell.isInverse() ? ` text-decoration="underline"` : "",
    ].join("");
    const text = cell.getChars() || " ";
    const last = spans.at(-1);
    if (last?.looks === looks) last.text += text;
    else spans.push({ looks, text });
  }
  return spans
    .map(({ looks, text }) =>
      looks === "" ? escaped(text) : `<tspan${looks}>${escaped(text)}</tspan>`,
    )
    .join("");
}

async function recorded(): Promise<Frame[]> {
  const home = mkdtempSync(join(tmpdir(), "aiex-record-"));
  const project = await demoProject({ keep: true });
  const emulator = new headless.Terminal({
    cols: COLUMNS,
    rows: ROWS,
    scrollback: 1_000,
    allowProposedApi: true,
  });
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: home,
    TERM: "xterm-256color",
    LANG: "C.UTF-8",
  };
  const args = ["--trust", "--model", project.model];
  const size = { cols: COLUMNS, rows: ROWS };
  const child = spawn(join(root, "bin", "aiex"), args, { ...size, cwd: project.path, env });
  const frames: Frame[] = [];
  const began = performance.now();
  const screen = () => Array.from({ length: ROWS }, (_, y) => rowOf(emulator, y));
  const text = () => screen().join("\n");
  child.onData((data) => emulator.write(data));
  emulator.onData((data) => child.write(data));
  const camera = setInterval(() => {
    const rows = screen();
    const last = frames.at(-1);
    if (last && last.rows.join("\n") === rows.join("\n")) return;
    frames.push({ at: Math.round(performance.now() - began), rows });
  }, FRAME_MS);
  const shows = async (part: string) => {
    while (!text().includes(part)) await wait(50);
  };
  await shows("mode ask");
  await wait(800);
  for (const key of PROMPT) {
    child.write(key);
    await wait(KEY_MS);
  }
  await wait(300);
  child.write("\r");
  await shows("changed price.js");
  await wait(1_000);
  clearInterval(camera);
  child.write("\x04");
  await new Promise<void>((end) => child.onExit(() => end()));
  for (const path of [home, dirname(project.path)]) rmSync(path, { recursive: true, force: true });
  return frames.map(({ at, rows }) => ({ at, rows: rows.map((row) => named(row, project.path)) }));
}

/** Temporary paths read badly in a picture that stays. */
const named = (row: string, path: string): string =>
  row
    .replaceAll(path, "~/shop")
    .replaceAll(/\/tmp\/aiex-demo[^<\s]*/g, "~/shop")
    .replaceAll(/scripted\/\S*/g, "scripted/demo")
    .replace(SPINNER, "⠹");

function pictureOf(frames: readonly Frame[]): string {
  const total = (frames.at(-1)?.at ?? 0) + REST_MS;
  const width = Math.ceil(COLUMNS * CHAR) + 2 * MARGIN;
  const height = ROWS * LINE + 2 * MARGIN;
  const ids = new Map<string, string>();
  const defs: string[] = [];
  const idOf = (row: string): string => {
    const known = ids.get(row);
    if (known !== undefined) return known;
    const id = `r${ids.size}`;
    ids.set(row, id);
    defs.push(`<text id="${id}">${row}</text>`);
    return id;
  };
  const percent = (at: number) => ((100 * at) / total).toFixed(2);
  const groups: string[] = [];
  const keyframes: string[] = [];
  for (const [i, { at, rows }] of frames.entries()) {
    const from = i === 0 ? "0" : percent(at);
    const next = frames[i + 1];
    const to = next ? percent(next.at) : "100";
    const uses = rows.flatMap((row, y) =>
      row === "" ? [] : [`<use href="#${idOf(row)}" y="${LINE * (y + 1)}"/>`],
    );
    const hidden = i === 0 ? "" : "0%{opacity:0}";
    const after = next ? `${to}%{opacity:0}` : "";
    keyframes.push(
      `@keyframes f${i}{${hidden}${from}%{opacity:1}${after}100%{opacity:${next ? 0 : 1}}}`,
    );
    groups.push(`<g style="animation-name:f${i}">${uses.join("")}</g>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${-MARGIN} ${-MARGIN} ${width} ${height}" role="img" aria-label="A chat with aiex in a terminal">
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:${INK}}
.d{fill-opacity:.62}
g{opacity:0;animation:${total}ms step-end infinite}
${keyframes.join("\n")}
@media (prefers-reduced-motion:reduce){g{animation:none}g:last-of-type{opacity:1}}
</style>
<rect x="${-MARGIN}" y="${-MARGIN}" width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<defs>${defs.join("\n")}</defs>
${groups.join("\n")}
</svg>
`;
}

const built = spawnSync(process.execPath, [join(root, "scripts", "build.ts"), "--if-stale"]);
if (built.status !== 0) throw new Error(`the build failed: ${built.stderr}`);
const frames = await recorded();
const picture = pictureOf(frames);
if (picture.length > BYTES_MAX) throw new Error(`the picture has ${picture.length} bytes`);
const file = join(root, "docs", "chat.svg");
writeFileSync(file, picture);
console.log(`${file}: ${picture.length} bytes, ${frames.length} screens`);
