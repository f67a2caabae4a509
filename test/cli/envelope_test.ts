import { describe, expect, test } from "bun:test";
import {
  EnvelopeError,
  type EnvelopeInput,
  type EnvelopeRecord,
  formatEnvelope,
  parseEnvelope,
} from "../../cli/envelope.ts";
import { type Header, toBytes, toText } from "../../cli/record_text.ts";

function record(parts: Partial<EnvelopeRecord>): EnvelopeRecord {
  const nothing = { key: null, value: null, headers: [], timestamp: 1_767_344_400_000 };
  return { topic: "t", partition: 0, offset: 42, ...nothing, ...parts };
}

function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : toText(bytes);
}

function there(parts: Partial<EnvelopeRecord>): EnvelopeInput {
  return parseEnvelope(formatEnvelope(record(parts)));
}

describe("formatEnvelope()", () => {
  test("writes the documented line", () => {
    const line = formatEnvelope(record({
      key: toBytes("0123"),
      value: toBytes('say "hi"\n'),
      headers: [["h", toBytes("1")], ["h", toBytes("2")], ["n", null]],
    }));
    expect(line).toBe(
      '{"topic":"t","partition":0,"offset":42,"timestamp":"2026-01-02T09:00:00.000Z",' +
        '"key":"0123","value":"say \\"hi\\"\\n","headers":[["h","1"],["h","2"],["n",null]]}',
    );
  });

  test("says base64 where the bytes are not UTF-8", () => {
    const line = formatEnvelope(record({ value: Uint8Array.of(0xff, 0, 1, 0xfe) }));
    expect(line).toContain('"value":"/wAB/g==","valueEncoding":"base64"');
    expect(line).toContain('"key":null');
  });

  test("is one line of valid JSON whatever the bytes", () => {
    const line = formatEnvelope(record({ topic: 'a"b', value: toBytes("\n\r\u2028\0") }));
    expect(line).not.toContain("\n");
    expect(JSON.parse(line).topic).toBe('a"b');
  });
});

describe("parseEnvelope(formatEnvelope()) loses nothing", () => {
  const values: readonly (Uint8Array | null)[] = [
    null,
    new Uint8Array(0),
    toBytes("1e3"),
    toBytes("ключ 🗝"),
    toBytes("\ufeffmark"),
    Uint8Array.of(0xff, 0xfe),
    Uint8Array.of(0xed, 0xa0, 0x80), // a lone surrogate is not UTF-8
    Uint8Array.from({ length: 256 }, (_, index) => index),
  ];
  values.forEach((bytes, index) => {
    test(`of key and value ${index}`, () => {
      const { key, value } = there({ key: bytes, value: bytes });
      expect(key).toEqual(bytes);
      expect(value).toEqual(bytes);
    });
  });

  test("of headers, repeated, null and binary", () => {
    const headers: readonly Header[] = [
      ["h", toBytes("1")],
      ["h", toBytes("")],
      ["n", null],
      ["b", Uint8Array.of(0x80)],
      ["", toBytes("no name")],
    ];
    expect(there({ value: toBytes("v"), headers }).headers).toEqual(headers);
  });

  test("of times, also those that are no dates", () => {
    for (const timestamp of [0, 1, 1_700_000_000_123, 8.64e15, 8.64e15 + 2]) {
      expect(there({ timestamp }).timestamp).toBe(timestamp);
    }
    expect(there({ timestamp: -1 }).timestamp).toBeUndefined();
  });

  test("of the partition", () => expect(there({ partition: 7 }).partition).toBe(7));
});

describe("parseEnvelope()", () => {
  test("needs no more than a value or a key", () => {
    const alone = parseEnvelope('{"value":"v"}');
    expect(text(alone.value)).toBe("v");
    expect(alone.key).toBeNull();
    expect(alone.partition).toBeUndefined();
    expect(alone.timestamp).toBeUndefined();
    expect(parseEnvelope('{"key":"k"}').value).toBeNull();
  });

  test("takes JSON as a value, as it is and with valueEncoding", () => {
    expect(text(parseEnvelope('{"value":{"a":[1,2]}}').value)).toBe('{"a":[1,2]}');
    expect(text(parseEnvelope('{"value":7}').value)).toBe("7");
    expect(text(parseEnvelope('{"value":"x","valueEncoding":"json"}').value)).toBe('"x"');
    expect(text(parseEnvelope('{"value":null,"valueEncoding":"json"}').value)).toBe("null");
  });

  test("takes headers as a list or as an object", () => {
    expect(parseEnvelope('{"value":"","headers":{"a":"1","b":null}}').headers)
      .toEqual([["a", toBytes("1")], ["b", null]]);
  });

  test("takes a time as milliseconds or RFC 3339", () => {
    expect(parseEnvelope('{"value":"","timestamp":1700000000123}').timestamp).toBe(1700000000123);
    expect(parseEnvelope('{"value":"","timestamp":"2026-01-02T08:00:00Z"}').timestamp)
      .toBe(1_767_340_800_000);
  });

  for (
    const line of [
      "",
      "not json",
      "[]",
      "7",
      "null",
      "{}",
      '{"vaule":"x"}',
      '{"value":"*","valueEncoding":"base64"}',
      '{"value":"x","valueEncoding":"rot13"}',
      '{"value":"x","headers":7}',
      '{"value":"x","headers":[["a"],"b"]}',
      '{"value":"x","headers":[[1,"b"]]}',
      '{"value":"x","timestamp":"soon"}',
      '{"value":"x","timestamp":1.5}',
      '{"value":"x","partition":-1}',
      '{"value":"x","partition":"0"}',
    ]
  ) {
    test(`refuses ${line === "" ? "an empty line" : line}`, () => {
      let thrown: unknown;
      try {
        parseEnvelope(line);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(EnvelopeError);
    });
  }
});
