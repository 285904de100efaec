// What import statements name, and which files of a workspace they mean, language by language.
import { describe, expect, it } from "vitest";
import { graphOf } from "#core/context/graph.ts";
import { namedIn, statementsIn } from "#core/context/imports.ts";
import { roleOf } from "#core/context/paths.ts";

/** The files that a statement in a file means, in a workspace of these paths. */
function meant(from: string, statement: string, paths: readonly string[]): string[] {
  const all = [from, ...paths.filter((path) => path !== from)];
  const files = all.map((path) => ({
    paths: [path],
    imports: path === from ? [statement] : [],
    modules: [],
  }));
  return graphOf(files, all.map(roleOf))
    .imports(0)
    .map((file) => all[file] ?? "");
}

const workspace = [
  ...["src/a/b.ts", "src/a/index.ts", "src/core/c.ts", "packages/ui/src/index.tsx"],
  ...["app/models/user.py", "app/models/__init__.py", "app/__init__.py", "json/x.py"],
  ...["pkg/log/log.go", "pkg/log/log_test.go", "errors/errors.go"],
  ...["src/net/mod.rs", "src/net/tcp.rs", "src/lib.rs", "crates/my-json/src/de.rs"],
  ...["src/main/java/org/shop/Cart.java", "src/main/java/org/shop/Item.java"],
  ...["src/Http/Kernel.php", "inc/setup.php", "Shop/Orders/Order.cs"],
  ...["lib/shop/cart.rb", "include/shop/cart.h", "include/shop/cart.c", "scripts/lib.sh"],
];

const cases: [string, string, string, string[]][] = [
  ["a relative path", "src/x.ts", 'import { b } from "./a/b";', ["src/a/b.ts"]],
  ["its ending in JavaScript", "src/x.ts", 'import b from "./a/b.js"', ["src/a/b.ts"]],
  ["a folder by its index", "src/x.ts", 'export * from "./a";', ["src/a/index.ts"]],
  ["a name for a folder", "src/x.ts", 'import c from "#core/c.ts";', ["src/core/c.ts"]],
  [
    "a package of the workspace",
    "src/x.ts",
    'import u from "@me/ui";',
    ["packages/ui/src/index.tsx"],
  ],
  ["a package from elsewhere", "src/x.ts", 'import z from "zod";', []],
  ["a path out of the workspace", "x.ts", 'import z from "../../a/b";', []],
  ["a relative module", "app/views.py", "from .models import user", ["app/models/user.py"]],
  ["a name in a package", "main.py", "from app.models import Base", ["app/models/__init__.py"]],
  ["several modules", "main.py", "import app.models.user as u, os", ["app/models/user.py"]],
  ["a module inside of a package alone", "main.py", "import models", []],
  [
    "a Go package",
    "cmd/m.go",
    'import l "example.com/x/pkg/log"',
    ["pkg/log/log.go", "pkg/log/log_test.go"],
  ],
  ["a package that comes with Go", "cmd/m.go", 'import "net/log"', []],
  ["a Rust module", "src/net/tcp.rs", "use super::{self};", ["src/net/mod.rs"]],
  ["an item of a crate's module", "src/lib.rs", "use crate::net::tcp::Conn;", ["src/net/tcp.rs"]],
  ["a module that is declared", "src/lib.rs", "pub mod net;", ["src/net/mod.rs"]],
  [
    "another crate",
    "src/lib.rs",
    "use my_json::de::{Reader, from_str};",
    ["crates/my-json/src/de.rs"],
  ],
  ["Rust's own crate", "src/lib.rs", "use std::net::tcp;", []],
  [
    "a Java class",
    "A.java",
    "import static org.shop.Cart.of;",
    ["src/main/java/org/shop/Cart.java"],
  ],
  ["a PHP class", "x.php", "use App\\Http\\Kernel as K;", ["src/Http/Kernel.php"]],
  ["a PHP file", "x.php", "require_once __DIR__ . '/inc/setup.php'", ["inc/setup.php"]],
  ["a C# namespace", "P.cs", "using Acme.Shop.Orders;", ["Shop/Orders/Order.cs"]],
  ["a Ruby file on the path", "bin/x.rb", 'require "shop/cart"', ["lib/shop/cart.rb"]],
  ["a Ruby file beside it", "lib/x.rb", 'require_relative "shop/cart"', ["lib/shop/cart.rb"]],
  [
    "a header with its source",
    "m.c",
    "#include <shop/cart.h>",
    ["include/shop/cart.h", "include/shop/cart.c"],
  ],
  ["a script behind a variable", "scripts/go.sh", 'source "$DIR/lib.sh"', ["scripts/lib.sh"]],
];

describe("an import", () => {
  it.each(cases)("of %s", (_, from, statement, files) => {
    expect(meant(from, statement, workspace).sort()).toEqual(files.toSorted());
  });

  it("means the nearest of several files", () => {
    const paths = ["a/lib/util/x.rb", "b/lib/util/x.rb", "b/bin/run.rb"];
    expect(meant("b/bin/run.rb", 'require "util/x"', paths)).toEqual(["b/lib/util/x.rb"]);
  });

  it("of an Elixir module names each in braces", () => {
    const named = namedIn("elixir", "alias Shop.{Cart, Money.Coin}", "a.ex");
    expect(named.map(({ path }) => path)).toEqual(["Shop.Cart", "Shop.Money.Coin"]);
  });
});

describe("statements that no syntax node tells", () => {
  it("are found where they stand, and nothing else is", () => {
    const script = [
      'const a = require("./a");',
      "export { b } from './b';",
      'const c = await import("./c.ts");',
      'const text = "from here";',
      "export const d = 1;",
    ].join("\n");
    expect(statementsIn("javascript", script)).toEqual([
      'require("./a")',
      "export { b } from './b'",
      'import("./c.ts")',
    ]);
    expect(statementsIn("elixir", "  use GenServer\n  used = 1\n  alias A.{B,\n    C}\n")).toEqual([
      "use GenServer",
      "alias A.{B,\n    C}",
    ]);
    expect(statementsIn("markdown", 'require("./a")')).toEqual([]);
  });
});
