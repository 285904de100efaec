// Splits an answer, as it comes, into blocks that are finished and a rest that may still change:
// what is finished is drawn once. A block ends at an empty line, outside of code and lists.

/** Lines that a block goes on with after an empty line: lists, quotes, tables, indented text. */
const goesOn = /^(\s|[-*+] |\d{1,3}[.)] |>|\|)/;

/** One more piece: the blocks that it finishes, in order. Joined with the rest they are the text. */
export function finishedBlocks(rest: string, piece: string): { blocks: string[]; rest: string } {
  const text = rest + piece;
  const blocks: string[] = [];
  let begin = 0;
  let fence = "";
  let blank = -1;
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf("\n", at);
    // A line that has not ended tells whether the block before it has, once it tells what it is.
    const line = text.slice(at, end === -1 ? undefined : end);
    if (blank >= 0 && fence === "" && begins(line, end !== -1)) {
      blocks.push(text.slice(begin, at));
      begin = at;
    }
    if (end === -1) break;
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? "";
    if (fence === "") fence = mark;
    else if (mark[0] === fence[0] && mark.length >= fence.length) fence = "";
    blank = fence === "" && line.trim() === "" ? at : -1;
    at = end + 1;
  }
  return { blocks, rest: text.slice(begin) };
}

/** Whether a line after an empty one begins another block. The first characters of it may lack. */
function begins(line: string, whole: boolean): boolean {
  if (line.trim() === "") return false;
  if (goesOn.test(line)) return false;
  return whole || !/^([-*+]|\d{1,3}[.)]?)$/.test(line);
}
