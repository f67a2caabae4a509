/** Small grammars: templates, properties, key paths, globs, durations, addresses, suggestions. */
import { describe, expect, test } from "bun:test";
import { formatAddress, parseAddress, parseBrokers } from "../../cli/address.ts";
import { compileGlob } from "../../cli/glob.ts";
import { keyAt, parseKeyPath } from "../../cli/key_path.ts";
import { parseProperties } from "../../cli/properties.ts";
import {
  parseAssignment,
  parseDuration,
  parsePartitions,
  requireWhole,
} from "../../cli/quantity.ts";
import { editDistance, nearest } from "../../cli/suggest.ts";
import { editDistance as brokersDistance } from "../../src/ground/nearest.ts";
import { formatCsv, formatTable } from "../../cli/table.ts";
import { parseDelimiter, parseTemplate } from "../../cli/template.ts";

function partsOf(template: string): string {
  return parseTemplate(template).map((part) =>
    part.kind === "verb" ? `<${part.verb}>` : new TextDecoder().decode(part.bytes)
  ).join("");
}

describe("parseTemplate()", () => {
  test("reads verbs, synonyms and text", () => {
    expect(partsOf("%t[%p]@%o: %k=%v %s")).toBe("<t>[<p>]@<o>: <k>=<v> <v>");
    expect(partsOf("%T %d %K %V %S %h")).toBe("<T> <d> <K> <V> <V> <h>");
  });
  test("reads escapes", () => {
    expect(partsOf("a\\tb\\n\\r\\0\\\\%%\\x41")).toBe("a\tb\n\r\0\\%A");
    expect(partsOf("%%v é🗝")).toBe("%v é🗝");
  });
  test("puts any byte, UTF-8 or not", () => {
    expect(parseTemplate("\\xff\\x00")).toEqual([
      { kind: "text", bytes: Uint8Array.of(0xff, 0) },
    ]);
  });
  test("refuses what it does not know", () => {
    for (const template of ["%y", "%", "\\q", "\\"]) {
      expect(() => parseTemplate(template)).toThrow();
    }
  });
});

test("parseDelimiter() knows escapes, no verbs, and nothing empty", () => {
  expect(parseDelimiter("\\n")).toEqual(Uint8Array.of(10));
  expect(parseDelimiter("%k")).toEqual(Uint8Array.of(0x25, 0x6b));
  expect(parseDelimiter("||")).toEqual(Uint8Array.of(0x7c, 0x7c));
  expect(() => parseDelimiter("")).toThrow();
});

describe("parseProperties()", () => {
  function entries(text: string): readonly (readonly [string, string])[] {
    return [...parseProperties(text)];
  }
  test("reads all separators, and keeps blanks at the end", () => {
    expect(entries("a=1\nb:2\nc 3\nd = 4 \ne\nf\t:\t6")).toEqual([
      ["a", "1"],
      ["b", "2"],
      ["c", "3"],
      ["d", "4 "],
      ["e", ""],
      ["f", "6"],
    ]);
  });
  test("leaves out comments and empty lines, with any line end", () => {
    expect(entries("# a=1\r\n  ! b=2\r\n\r\n   c=3\rd=4")).toEqual([["c", "3"], ["d", "4"]]);
  });
  test("joins continued lines, and only those with an odd number of backslashes", () => {
    expect(entries("log.dirs=/a,\\\n    /b,\\\n    /c\nx=1")).toEqual([
      ["log.dirs", "/a,/b,/c"],
      ["x", "1"],
    ]);
    expect(entries("path=C:\\\\\nnext=1")).toEqual([["path", "C:\\"], ["next", "1"]]);
    expect(entries("a=1\\")).toEqual([["a", "1"]]);
  });
  test("a comment is not continued, and does not continue", () => {
    expect(entries("# c \\\na=1")).toEqual([["a", "1"]]);
    expect(entries("a=1,\\\n# 2")).toEqual([["a", "1,# 2"]]);
  });
  test("reads escapes in names and values", () => {
    expect(entries("a\\ b\\=c=x\\ty\\u0041\\q\\n")).toEqual([["a b=c", "x\tyAq\n"]]);
  });
  test("the last of repeated names counts, and values hold separators", () => {
    expect(entries("a=1\na=2\nl=PLAINTEXT://:9092")).toEqual([["a", "2"], [
      "l",
      "PLAINTEXT://:9092",
    ]]);
  });
});

test("keyAt() walks a path as jq does", () => {
  const json = '{"user":"u1","a":{"b":[10,{"c":null}]},"x y":true,"n":0}';
  const keys = [
    ".user",
    "user",
    ".a.b[0]",
    ".a.b[1]",
    '.["x y"]',
    ".n",
    ".a.b[1].c",
    ".none.at.all",
  ]
    .map((path) => keyAt(parseKeyPath(path), json));
  expect(keys).toEqual(["u1", "u1", "10", '{"c":null}', "true", "0", null, null]);
  expect(keyAt(parseKeyPath("."), '"whole"')).toBe("whole");
  expect(keyAt(parseKeyPath(".constructor"), "{}")).toBeNull();
  expect(() => parseKeyPath(".a b")).toThrow();
  expect(() => parseKeyPath(".a[x]")).toThrow();
});

test("compileGlob() matches whole names, dots literally", () => {
  const matches = (pattern: string): string =>
    ["a.v1", "a.v2", "b.v1", "axv1", "[z-a]"].filter(compileGlob(pattern)).join(" ");
  expect(matches("a.*")).toBe("a.v1 a.v2");
  expect(matches("?.v1")).toBe("a.v1 b.v1");
  expect(matches("[!a].v1")).toBe("b.v1");
  expect(matches("[ab].v[2-9]")).toBe("a.v2");
  expect(matches("v1")).toBe("");
  expect(matches("[z-a]")).toBe("[z-a]");
});

test("parseDuration() wants a unit", () => {
  expect(parseDuration("300ms")).toBe(300);
  expect(parseDuration("1h30m")).toBe(5_400_000);
  expect(parseDuration("1.5s")).toBe(1500);
  expect(parseDuration("2d")).toBe(172_800_000);
  expect(parseDuration("0")).toBe(0);
  for (const text of ["5", "", "s", "1x", "-1s", "1 s", "1e3s"]) {
    expect(parseDuration(text)).toBeUndefined();
  }
});

test("whole numbers, partitions and assignments are strict", () => {
  expect(requireWhole("12", "n", [0, 20])).toBe(12);
  for (const text of ["", "1e1", "0x1", "21", "-1", "1.0", " 1"]) {
    expect(() => requireWhole(text, "n", [0, 20])).toThrow();
  }
  expect(parsePartitions("4-6,0,5")).toEqual([0, 4, 5, 6]);
  for (const text of ["", "a", "3-1", "1,", "-1", "0-99999999"]) {
    expect(() => parsePartitions(text)).toThrow();
  }
  expect(parseAssignment("a=b=c", "X")).toEqual(["a", "b=c"]);
  expect(parseAssignment("a=", "X")).toEqual(["a", ""]);
  expect(() => parseAssignment("=b", "X")).toThrow();
  expect(() => parseAssignment("a", "X")).toThrow();
});

test("parseAddress() fills in what is left out", () => {
  const defaults = { host: "d", port: 1 };
  const shown = (text: string): string => {
    const address = parseAddress(text, defaults);
    return address === undefined ? "none" : formatAddress(address);
  };
  expect(["h:2", "h", ":3", "4", "[::1]:5", "[::1]", "PLAINTEXT://h:6"].map(shown))
    .toEqual(["h:2", "h:1", "d:3", "d:4", "[::1]:5", "[::1]:1", "h:6"]);
  expect(["", "h:x", "h:70000", "a b", "h:1:2", "http://h"].map(shown))
    .toEqual(["none", "none", "none", "none", "none", "none"]);
  expect(parseBrokers("a:1, b,")).toEqual([{ host: "a", port: 1 }, { host: "b", port: 9092 }]);
  for (const list of ["", ",", "a:0", "a:b"]) expect(() => parseBrokers(list)).toThrow();
});

test("nearest() suggests what was meant and nothing else", () => {
  expect(editDistance("", "abc")).toBe(3);
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("tpoic", "topic")).toBe(1);
  const names = ["offset", "partition", "format", "key", "key-from"];
  expect(nearest("ofset", names)).toBe("offset");
  expect(nearest("fromat", names)).toBe("format");
  expect(nearest("part", names)).toBe("partition");
  expect(nearest("kye", names)).toBe("key");
  expect(nearest("zzz", names)).toBeUndefined();
  expect(nearest("2", ["0", "1", "all"])).toBeUndefined();
});

test("editDistance() of the program and of the broker are equal", () => {
  const words = [""];
  for (const word of words) {
    if (word.length < 4) words.push(`${word}a`, `${word}b`, `${word}c`);
  }
  expect(words).toHaveLength(121);
  for (const one of words) {
    const distances = words.map((other) => editDistance(one, other));
    expect(distances).toEqual(words.map((other) => brokersDistance(one, other)));
  }
});

test("formatTable() aligns for a terminal and separates by TAB for a pipe", () => {
  const table = { columns: ["NAME", "N"], rows: [["a", 1], ["long", null]] };
  expect(formatTable(table, { hasHeader: true, heading: (text) => `*${text}*` }))
    .toEqual(["*NAME  N*", "a     1", "long  -"]);
  expect(formatTable(table, { hasHeader: true, heading: undefined }))
    .toEqual(["NAME\tN", "a\t1", "long\t-"]);
  expect(formatTable(table, { hasHeader: false, heading: undefined })).toEqual(["a\t1", "long\t-"]);
  expect(formatTable({ columns: ["NAME"], rows: [] }, { hasHeader: true, heading: undefined }))
    .toEqual([]);
  expect(formatCsv({ columns: ["A"], rows: [['x,"y"'], [null]] }, true))
    .toEqual(["A", '"x,""y"""', ""]);
});
