import { describe, expect, test } from "bun:test";
import { importsOf, partsOf, resolved } from "./source.ts";

/** The code that is left, with runs of blanks as one. */
function code(text: string): string {
  return partsOf(text).code.replaceAll(/ +/g, " ");
}

describe("partsOf()", () => {
  test("keeps every character's place", () => {
    const text = 'const a = "x"; // y\n/* z */ `p${q}r`;\n';
    const parts = partsOf(text);
    expect(parts.code).toHaveLength(text.length);
    expect(parts.comments).toHaveLength(text.length);
    expect(parts.code.split("\n")).toHaveLength(3);
  });

  test("takes strings and comments out of the code", () => {
    expect(code("a; // Date\nb;")).toBe("a; \nb;");
    expect(code("a /* Date */ b")).toBe("a b");
    expect(code("f(\"Date\", 'x')")).toBe("f(\" \", ' ')");
    expect(code('f("\\"Date")')).toBe('f(" ")');
  });

  test("keeps the code inside a template, however deep", () => {
    expect(code("`Date ${a({ b: `x ${Date} y` })} z`; Date")).toContain("Date} ");
    expect(code("`Date ${1}`")).not.toContain("Date");
    expect(code("`${f({})} Date`; c")).not.toContain("Date");
    expect(code("`${f({})} x`; Date")).toContain("; Date");
  });

  test("tells a pattern from a division", () => {
    expect(code('x.match(/Date"/); y')).not.toContain("Date");
    expect(code("x.match(/[/]Date/); y")).not.toContain("Date");
    expect(code("a / Date / b")).toContain("Date");
  });
});

describe("importsOf()", () => {
  test("finds imports, types, re-exports, side effects and dynamic ones", () => {
    const text = [
      'import { a } from "./a.ts";',
      'import type { B } from "./b.ts";',
      'export { c } from "./c.ts";',
      'import "./d.ts";',
      'const e = await import("./e.ts");',
      '// import { f } from "./f.ts";',
      'import {\n  g,\n} from "./g.ts";',
    ].join("\n");
    expect(importsOf({ path: "x.ts", text }).map(({ from }) => from))
      .toEqual(["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "./g.ts"]);
  });
});

describe("resolved()", () => {
  test("gives the path from the root", () => {
    expect(resolved("src/log/log.ts", "../ground/x.ts")).toBe("src/ground/x.ts");
    expect(resolved("src/log/log.ts", "./y.ts")).toBe("src/log/y.ts");
    expect(resolved("src/log/log.ts", "cac")).toBeUndefined();
    expect(resolved("cli/x.ts", "../../y.ts")).toMatch(/^\.\./);
  });
});
