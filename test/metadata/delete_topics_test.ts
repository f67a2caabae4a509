import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { type Uuid, uuidFromEntropy, ZERO_UUID } from "../../src/ground/uuid.ts";
import { decideDeleteTopics } from "../../src/metadata/decide/delete_topics.ts";
import { ClusterImage } from "../../src/metadata/image.ts";

const ID: Uuid = uuidFromEntropy(new Uint8Array(16).fill(7));

function imageWithTopic(): ClusterImage {
  const image = new ClusterImage();
  image.replay(image.nextOffset, { kind: "topic", version: 0, name: "t", topicId: ID });
  return image;
}

describe("decideDeleteTopics()", () => {
  test("removes by name and by id, once", () => {
    const asked = [{ name: "t", topicId: ZERO_UUID }, { name: null, topicId: ID }];
    const { records, reply } = decideDeleteTopics(imageWithTopic(), asked);
    expect(records).toHaveLength(1);
    expect(reply.map(({ errorCode }) => errorCode)).toEqual([ErrorCode.None, ErrorCode.None]);
    expect(reply[1]?.name).toBe("t");
  });

  test("tells an unknown name from an unknown id, and refuses both at once", () => {
    const other = uuidFromEntropy(new Uint8Array(16).fill(9));
    const { records, reply } = decideDeleteTopics(imageWithTopic(), [
      { name: "x", topicId: ZERO_UUID },
      { name: null, topicId: other },
      { name: "t", topicId: ID },
    ]);
    expect(records).toHaveLength(0);
    expect(reply.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.UnknownTopicOrPartition,
      ErrorCode.UnknownTopicId,
      ErrorCode.InvalidRequest,
    ]);
  });
});
