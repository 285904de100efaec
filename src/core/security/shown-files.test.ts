// What a shell command plainly shows of files, and all that is too clever to be believed.
import { expect, it } from "vitest";
import { shownFiles } from "#core/security/shown-files.ts";

it.each([
  ["cat a.ts", [["a.ts", 1]]],
  [
    "cat -n 'a b.ts' c.ts",
    [
      ["a b.ts", 1],
      ["c.ts", 1],
    ],
  ],
  ["nl -ba src/a.ts", [["src/a.ts", 1]]],
  ["nl -ba src/a.ts | sed -n '10,40p'", [["src/a.ts", 1]]],
  ["sed -n '1,200p' a.ts", [["a.ts", 1]]],
  ["sed -n 200,400p a.ts", [["a.ts", 200]]],
  ["sed -n '5,$p' a.ts", [["a.ts", 5]]],
  ["sed -n 7p a.ts", [["a.ts", 7]]],
  ["head a.ts", [["a.ts", 1]]],
  ["head -n 50 a.ts", [["a.ts", 1]]],
  [
    "head -50 a.ts b.ts",
    [
      ["a.ts", 1],
      ["b.ts", 1],
    ],
  ],
  ["tail -n +20 a.ts", [["a.ts", 20]]],
  ["tail -n 5 a.ts 2>/dev/null", [["a.ts", 1]]],
  ["cat a.ts | head -n 5", [["a.ts", 1]]],
  [
    "cat a.ts; sed -n 3,4p b.ts",
    [
      ["a.ts", 1],
      ["b.ts", 3],
    ],
  ],
  [
    "cat a.ts && cat b.ts",
    [
      ["a.ts", 1],
      ["b.ts", 1],
    ],
  ],
])("sees in `%s` what it shows", (command, files) => {
  expect(shownFiles(command).map(({ path, from }) => [path, from])).toEqual(files);
});

it.each([
  "cat",
  "cat a.ts > b.ts",
  "cat a.ts >/dev/null",
  "cat a.ts 1>/dev/null",
  "cat a.ts &>/dev/null",
  "cat < a.ts",
  "cat a.ts | grep x",
  "cat a.ts | wc -l",
  "cat a.ts | cat b.ts",
  "cat a.ts b.ts | head -n 3",
  "cat a.ts | head -n 3 | tail -n 1",
  "cat a.ts || cat b.ts",
  "cat a.ts & ",
  "cat *.ts",
  "cat $FILE",
  "cd src && cat a.ts",
  "true; cat a.ts",
  "head -n 0 a.ts",
  "head -0 a.ts",
  "head -c 10 a.ts",
  "tail -f a.ts",
  "sed -n '/x/p' a.ts",
  "sed -n '1,5p;9q' a.ts",
  "sed -i 's/a/b/' a.ts",
  "sed 1,5p a.ts",
  "sed -n 1,5p",
  "sudo cat a.ts",
  "/bin/cat a.ts",
  "echo a.ts",
  "cat --help",
  "",
])("believes nothing of `%s`", (command) => {
  expect(shownFiles(command)).toEqual([]);
});
