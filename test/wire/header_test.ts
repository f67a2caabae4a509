import { describe, expect, test } from "bun:test";
import { apiVersions } from "../../src/api/api_versions.ts";
import { fetch } from "../../src/api/fetch.ts";
import { produce } from "../../src/api/produce.ts";
import type { Api } from "../../src/api/schema.ts";
import { Reader } from "../../src/ground/reader.ts";
import { Writer } from "../../src/ground/writer.ts";
import {
  correlationIdOf,
  readRequestHeader,
  readResponseHeader,
  type RequestHeaderInput,
  writeRequestHeader,
  writeResponseHeader,
} from "../../src/wire/header.ts";

function request(api: Api, header: RequestHeaderInput): number[] {
  const writer = new Writer();
  writeRequestHeader(writer, api, header);
  return [...writer.finish()];
}

function response(api: Api, apiVersion: number): number[] {
  const writer = new Writer();
  writeResponseHeader(writer, api, { apiVersion, correlationId: 7 });
  return [...writer.finish()];
}

describe("request header", () => {
  test("is version 1 before the API is flexible, 2 from then on", () => {
    const header = { correlationId: 258, clientId: "mq" };
    expect(request(produce, { ...header, apiVersion: 8 }))
      .toEqual([0, 0, 0, 8, 0, 0, 1, 2, 0, 2, 109, 113]);
    // Version 2 keeps the client id's classic length, and adds an empty tag section.
    expect(request(produce, { ...header, apiVersion: 9 }))
      .toEqual([0, 0, 0, 9, 0, 0, 1, 2, 0, 2, 109, 113, 0]);
  });

  test("comes back as it went", () => {
    for (const apiVersion of [4, 11, 12, 17]) {
      for (const clientId of ["rdkafka", "", null]) {
        const header = { apiVersion, correlationId: -3, clientId };
        const reader = new Reader(new Uint8Array(request(fetch, header)));
        expect(readRequestHeader(reader)).toEqual({ apiKey: 1, ...header });
        expect([reader.failure, reader.remaining]).toEqual([undefined, 0]);
      }
    }
  });

  test("of ApiVersions is version 2 from 3 on, also from the future", () => {
    for (const [apiVersion, byteLength] of [[2, 10], [3, 11], [4, 11], [99, 11]] as const) {
      const bytes = request(apiVersions, { apiVersion, correlationId: 1, clientId: null });
      expect(bytes).toHaveLength(byteLength);
      const reader = new Reader(new Uint8Array([...bytes, 42]));
      expect(readRequestHeader(reader).apiVersion).toBe(apiVersion);
      expect(reader.uint8()).toBe(42);
    }
  });

  test("skips tags, and fails when they are cut off", () => {
    const plain = request(apiVersions, { apiVersion: 3, correlationId: 1, clientId: null });
    const tagged = [...plain.slice(0, -1), 1, 9, 2, 5, 5];
    const reader = new Reader(new Uint8Array([...tagged, 42]));
    readRequestHeader(reader);
    expect(reader.uint8()).toBe(42);
    const short = new Reader(new Uint8Array(tagged.slice(0, -1)));
    readRequestHeader(short);
    expect(short.failure).toBeDefined();
  });

  test("of an unknown key is read as version 1", () => {
    const reader = new Reader(new Uint8Array([0x12, 0x34, 0, 1, 0, 0, 0, 5, 0, 1, 97]));
    expect(readRequestHeader(reader))
      .toEqual({ apiKey: 0x1234, apiVersion: 1, correlationId: 5, clientId: "a" });
    expect(reader.remaining).toBe(0);
  });

  test("is refused where the client id would not fit into any string again", () => {
    const clientId = (byte: number, length: number): (string | null)[] => {
      const start = [0, 3, 0, 1, 0, 0, 0, 5, length >> 8, length & 255];
      const reader = new Reader(
        new Uint8Array([...start, ...new Uint8Array(length).fill(byte)]),
      );
      const header = readRequestHeader(reader);
      return [reader.failure === undefined ? header.clientId : null];
    };
    // A byte that is not UTF-8 becomes a character of three.
    expect(clientId(0xff, 10_922)).toEqual(["\ufffd".repeat(10_922)]);
    expect(clientId(0xff, 10_923)).toEqual([null]);
    expect(clientId(0x61, 0x7fff)).toEqual(["a".repeat(0x7fff)]);
  });

  test("is refused wherever it is cut off", () => {
    const bytes = request(fetch, { apiVersion: 12, correlationId: 1, clientId: "client" });
    for (let length = 0; length < bytes.length; length++) {
      const reader = new Reader(new Uint8Array(bytes.slice(0, length)));
      readRequestHeader(reader);
      expect(reader.failure).toBeDefined();
    }
  });
});

describe("response header", () => {
  test("has a tag section where the API is flexible", () => {
    expect(response(produce, 8)).toEqual([0, 0, 0, 7]);
    expect(response(produce, 9)).toEqual([0, 0, 0, 7, 0]);
  });

  test("of ApiVersions never has one", () => {
    for (const version of [0, 3, 4]) expect(response(apiVersions, version)).toEqual([0, 0, 0, 7]);
  });

  test("comes back as it went", () => {
    for (const [api, version] of [[produce, 8], [produce, 9], [apiVersions, 4]] as const) {
      const bytes = new Uint8Array(response(api, version));
      const reader = new Reader(bytes);
      expect(readResponseHeader(reader, api, version)).toEqual({ correlationId: 7 });
      expect(reader.remaining).toBe(0);
      expect(correlationIdOf(bytes)).toBe(7);
    }
    expect(correlationIdOf(new Uint8Array(3))).toBe(-1);
  });
});
