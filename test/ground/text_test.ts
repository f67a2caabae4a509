import { describe, expect, test } from "bun:test";
import { bytesOf, isUtf8, putText, textOf, textWithin, utf8Bytes } from "../../src/ground/text.ts";

const LONG = "x".repeat(100);

describe("textOf()", () => {
  test("gives back what bytesOf() wrote, short and long, with a BOM and beyond the BMP", () => {
    for (const text of ["", "a", "größe", "\u{1f980}", "\ufeffa", "\u0000", "主题"]) {
      for (const tail of ["", LONG]) expect(textOf(bytesOf(text + tail))).toBe(text + tail);
    }
  });

  test("reads a part, at every length around the fast path", () => {
    const bytes = bytesOf(`..${LONG}..`);
    for (let length = 0; length <= 100; length++) {
      expect(textOf(bytes, 2, 2 + length)).toBe("x".repeat(length));
    }
  });

  test("replaces what is not UTF-8, and does not throw", () => {
    expect(textOf(new Uint8Array([97, 0xff, 98]))).toBe("a\ufffdb");
    expect(textOf(new Uint8Array([0xe4, 0xb8]))).toBe("\ufffd"); // cut off
    expect(textOf(new Uint8Array([...bytesOf(LONG), 0xc0]))).toBe(`${LONG}\ufffd`);
  });
});

describe("isUtf8()", () => {
  test("tells whether the bytes survive being text", () => {
    for (const text of ["", "größe", "\ufeffa", "\u{1f980}"]) {
      expect(isUtf8(bytesOf(text))).toBeTrue();
    }
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe4, 0xb8]]) {
      expect(isUtf8(new Uint8Array(bytes))).toBeFalse();
    }
  });
});

describe("textWithin()", () => {
  test("gives the longest beginning that fits, and cuts no character in two", () => {
    expect(textWithin("größe", 7)).toBe("größe");
    expect(textWithin("größe", 6)).toBe("größ");
    expect(textWithin("größe", 5)).toBe("grö");
    expect(textWithin("größe", 3)).toBe("gr");
    expect(textWithin("a\u{1f980}b", 4)).toBe("a");
    expect(textWithin("a\u{1f980}b", 5)).toBe("a\u{1f980}");
    expect(textWithin("主", 0)).toBe("");
    expect(textWithin("", 0)).toBe("");
  });
});

describe("utf8Bytes() and putText()", () => {
  const half = "\ud83e";
  const texts = [
    "",
    "a",
    "größe",
    "\u{1f980}x",
    "主题",
    `${half}a`,
    `a${half}`,
    `${half}${half}`,
    LONG,
  ];

  test("give the length and the bytes of the encoder", () => {
    for (const text of texts) {
      const bytes = bytesOf(text);
      expect([text, utf8Bytes(text)]).toEqual([text, bytes.length]);
      const target = new Uint8Array(bytes.length + 3).fill(7);
      putText(target, 2, text);
      expect([...target]).toEqual([7, 7, ...bytes, 7]);
    }
  });
});
