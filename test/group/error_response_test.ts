import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { consumerGroupHeartbeat } from "../../src/api/consumer_group_heartbeat.ts";
import { heartbeat } from "../../src/api/heartbeat.ts";
import { joinGroup } from "../../src/api/join_group.ts";
import { leaveGroup } from "../../src/api/leave_group.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import { offsetDelete } from "../../src/api/offset_delete.ts";
import type { Api, ResponseInput } from "../../src/api/schema.ts";
import { syncGroup } from "../../src/api/sync_group.ts";
import { Reader } from "../../src/ground/reader.ts";
import { Writer } from "../../src/ground/writer.ts";
import { errorResponse } from "../../src/group/error_response.ts";
import type { GroupRequest } from "../../src/group/group_request.ts";
import { responseReader, responseWriter } from "../../src/wire/codec.ts";
import * as requests from "./requests.ts";

const CODE = ErrorCode.CoordinatorLoadInProgress;

/** Every version of the wire can tell it. */
const WHOLE: readonly (readonly [Api, GroupRequest])[] = [
  [joinGroup, requests.join({ memberId: "m" })],
  [syncGroup, requests.sync()],
  [heartbeat, requests.heartbeat()],
  [leaveGroup, requests.leave("m")],
  [offsetCommit, requests.commit()],
  [offsetDelete, requests.deleteOffsets("topic", [1])],
  [consumerGroupHeartbeat, requests.consumerHeartbeat()],
];

function errorIn(answer: unknown): unknown {
  const { errorCode, topics } = answer as {
    readonly errorCode?: number;
    readonly topics?: readonly { readonly partitions: readonly { readonly errorCode: number }[] }[];
  };
  return errorCode ?? topics?.[0]?.partitions[0]?.errorCode;
}

describe("errorResponse()", () => {
  for (const [api, request] of WHOLE) {
    test(`is an answer to ${api.name} in every version`, () => {
      const [low, high] = api.versions;
      for (let apiVersion = low; apiVersion <= high; apiVersion++) {
        const asked = { ...request, caller: { ...request.caller, apiVersion } } as GroupRequest;
        const writer = new Writer();
        responseWriter(api, apiVersion)(writer, errorResponse(asked, CODE) as ResponseInput<Api>);
        const reader = new Reader(writer.finish());
        expect(errorIn(responseReader(api, apiVersion)(reader))).toBe(CODE);
        expect(reader.failure).toBeUndefined();
      }
    });
  }

  test("names the group where many are answered together", () => {
    const asked: readonly GroupRequest[] = [
      requests.fetchOffsets(),
      requests.describeGroup(),
      requests.describeConsumerGroup(),
      requests.deleteGroup(),
    ];
    for (const request of asked) {
      const { groupId, errorCode } = errorResponse(request, CODE) as {
        readonly groupId: string;
        readonly errorCode: number;
      };
      expect([request.kind, groupId, errorCode]).toEqual([request.kind, requests.GROUP, CODE]);
    }
  });
});
