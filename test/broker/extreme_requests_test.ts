/**
 * Requests to groups at the bounds of their types: strings as long as they may be, the largest and the
 * least numbers, in every field. What the broker makes of them (ids, sentences, times, records) must
 * fit into its answers and its log again.
 *
 * What does not fit is an assertion, which would end the broker: none may come of what a client says.
 * The assertion then fails these tests, from wherever it is thrown.
 */
import { describe, expect, test } from "bun:test";
import { consumerGroupDescribe } from "../../src/api/consumer_group_describe.ts";
import { consumerGroupHeartbeat } from "../../src/api/consumer_group_heartbeat.ts";
import { deleteGroups } from "../../src/api/delete_groups.ts";
import { describeGroups } from "../../src/api/describe_groups.ts";
import { findCoordinator } from "../../src/api/find_coordinator.ts";
import { heartbeat } from "../../src/api/heartbeat.ts";
import { joinGroup } from "../../src/api/join_group.ts";
import { leaveGroup } from "../../src/api/leave_group.ts";
import { listGroups } from "../../src/api/list_groups.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import { offsetDelete } from "../../src/api/offset_delete.ts";
import { offsetFetch } from "../../src/api/offset_fetch.ts";
import type { Api, Field, Fields, RequestInput } from "../../src/api/schema.ts";
import { syncGroup } from "../../src/api/sync_group.ts";
import { requestFrame } from "../../src/wire/message.ts";
import { includesVersion } from "../../src/wire/version_range.ts";
import { defaultOf } from "../../src/wire/defaults.ts";
import { type Fixture, startBroker } from "./broker_fixture.ts";
import { findGroup } from "./group_requests.ts";
import { createTopic } from "./topic_requests.ts";

const LONG = "x".repeat(0x7fff);

/** What a type is given to hold; other types hold their default. */
type Bounds = Readonly<Record<string, unknown>>;

const LONGEST: Bounds = { string: LONG };
const LARGEST: Bounds = { int8: 0x7f, int16: 0x7fff, int32: 0x7fffffff, int64: 2 ** 53 - 1 };
const LEAST: Bounds = { int8: -0x80, int16: -0x8000, int32: -0x80000000, int64: 1 - 2 ** 53 };

const APIS: readonly Api[] = [
  ...[findCoordinator, joinGroup, syncGroup, heartbeat, leaveGroup, describeGroups, listGroups],
  ...[offsetCommit, offsetFetch, offsetDelete, deleteGroups],
  ...[consumerGroupHeartbeat, consumerGroupDescribe],
];

/** What fields hold instead, so that a request comes further than to a refusal. */
type Chosen = Readonly<Record<string, unknown>>;

const times = { sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000 };
const nobody = { groupId: "g", memberId: "", groupInstanceId: null, instanceId: null };
const heartbeating = { serverAssignor: null, subscribedTopicRegex: null, topicPartitions: [] };
const committing = { generationIdOrMemberEpoch: -1, name: "orders", partitionIndex: 0 };

const REQUESTS: readonly (readonly [Bounds, Chosen])[] = [
  [LONGEST, times],
  [LONGEST, { ...times, groupId: "g" }],
  [LONGEST, { ...times, memberId: "" }],
  [LONGEST, { ...times, ...nobody, serverAssignor: null }],
  [LONGEST, { ...times, ...nobody, ...heartbeating }],
  [LARGEST, { groupId: "g" }],
  [LARGEST, { ...times, ...nobody, ...heartbeating, ...committing, memberEpoch: 0 }],
  [LEAST, { ...nobody, ...heartbeating, ...committing, memberEpoch: 0 }],
];

function extreme(
  fields: Fields,
  version: number,
  [bounds, chosen]: readonly [Bounds, Chosen],
): Record<string, unknown> {
  const valueOf = (field: Field): unknown => {
    if (field.name in chosen) return chosen[field.name];
    if ("struct" in field) return extreme(field.struct, version, [bounds, chosen]);
    if ("type" in field) return bounds[field.type] ?? defaultOf(field);
    return typeof field.array === "string"
      ? [bounds[field.array] ?? (field.array === "string" ? "g" : 0)]
      : [extreme(field.array, version, [bounds, chosen])];
  };
  const there = fields.filter(({ versions }) => includesVersion(versions, version));
  return Object.fromEntries(there.map((field) => [field.name, valueOf(field)]));
}

async function send(
  fixture: Fixture,
  { api, version, clientId, body }: {
    readonly api: Api;
    readonly version: number;
    readonly clientId: string;
    readonly body: Record<string, unknown>;
  },
): Promise<void> {
  const header = { apiVersion: version, correlationId: 1, clientId };
  const parts = requestFrame(api, header, body as RequestInput<Api>) as readonly Uint8Array[];
  const connection = await fixture.dial();
  await connection.sendBytes(Uint8Array.from(parts.flatMap((part) => [...part])));
  await fixture.clock.advance(10);
  await connection.close();
}

/** Everything that is known of the groups is told, by their name and by one of the longest. */
async function describeAll(fixture: Fixture): Promise<void> {
  const groups = ["g", LONG];
  const told = { includeAuthorizedOperations: true, includeHistory: true, clientId: "c" };
  for (
    const [api, names] of [[describeGroups, "groups"], [consumerGroupDescribe, "groupIds"]] as const
  ) {
    const body = { ...told, [names]: groups };
    await send(fixture, { api, version: api.versions[1], clientId: "c", body });
  }
}

describe("a broker that is asked at the bounds of types", () => {
  for (const api of APIS) {
    test(`lives through ${api.name} in every version`, async () => {
      for (const request of REQUESTS) {
        const fixture = await startBroker({ "offsets.topic.num.partitions": "1" });
        const connection = await fixture.dial();
        await createTopic(connection, "orders");
        expect(await findGroup(connection, "g")).toBe(0);
        for (let version = api.versions[0]; version <= api.versions[1]; version++) {
          const body = extreme(api.request, version, request);
          await send(fixture, { api, version, clientId: LONG, body });
        }
        await describeAll(fixture);
        await fixture.clock.advance(60_000); // sessions end, and that is told and written too
        await describeAll(fixture);
        expect(fixture.events.filter((event) => event.includes("a request failed"))).toEqual([]);
        expect(await findGroup(connection, "g")).toBe(0);
      }
    });
  }
});
