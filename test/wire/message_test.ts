import { describe, expect, test } from "bun:test";
import { apiVersions } from "../../src/api/api_versions.ts";
import { produce } from "../../src/api/produce.ts";
import { Reader } from "../../src/ground/reader.ts";
import type { Foreign } from "../../src/ground/writer.ts";
import { requestReader, responseReader } from "../../src/wire/codec.ts";
import { FrameSplitter } from "../../src/wire/frame.ts";
import { readRequestHeader, readResponseHeader } from "../../src/wire/header.ts";
import { requestFrame, responseFrame } from "../../src/wire/message.ts";

/** The frames that a peer finds in the parts. */
function received(parts: readonly Foreign[]): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const splitter = new FrameSplitter({
    frameBytesMax: 10_000,
    onFrame: (frame) => frames.push(frame),
  });
  for (const part of parts) expect(splitter.push(part as Uint8Array)).toBeUndefined();
  expect(splitter.pendingBytes).toBe(0);
  return frames;
}

describe("requestFrame()", () => {
  test("makes one frame of header, body and record parts", () => {
    const records = new Uint8Array([1, 2, 3, 4, 5]);
    const header = { apiVersion: 9, correlationId: 3, clientId: "mq" };
    const parts = requestFrame(produce, header, {
      acks: 1,
      timeoutMs: 30_000,
      topicData: [{ name: "orders", partitionData: [{ index: 2, records: [records, records] }] }],
    });
    expect(parts.filter((part) => part === records)).toHaveLength(2);
    const frames = received(parts);
    expect(frames).toHaveLength(1);
    const reader = new Reader(frames[0] as Uint8Array);
    expect(readRequestHeader(reader)).toEqual({ apiKey: 0, ...header });
    const request = requestReader(produce, 9)(reader);
    expect([reader.failure, reader.remaining]).toEqual([undefined, 0]);
    expect([...request.topicData[0]?.partitionData[0]?.records ?? []])
      .toEqual([1, 2, 3, 4, 5, 1, 2, 3, 4, 5]);
  });
});

describe("responseFrame()", () => {
  test("makes one frame that the client reads back", () => {
    const body = {
      errorCode: 0,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }],
      finalizedFeaturesEpoch: 12,
    };
    for (const apiVersion of [0, 3]) {
      const frames = received(responseFrame(apiVersions, { apiVersion, correlationId: 9 }, body));
      const reader = new Reader(frames[0] as Uint8Array);
      expect(readResponseHeader(reader, apiVersions, apiVersion).correlationId).toBe(9);
      const response = responseReader(apiVersions, apiVersion)(reader);
      expect(response.apiKeys).toEqual(body.apiKeys);
      expect(response.finalizedFeaturesEpoch).toBe(apiVersion === 3 ? 12 : -1);
      expect([reader.failure, reader.remaining]).toEqual([undefined, 0]);
    }
  });
});
