import { describe, expect, test } from "bun:test";
import { electLeaders } from "../../src/api/elect_leaders.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { answering } from "./fake_broker.ts";
import { codeOf, startHarness } from "./harness.ts";

describe("Admin.electLeaders()", () => {
  test("answers partition by partition, in the order asked for", async () => {
    const { brokers: [broker], clock, connect } = await startHarness(1);
    const client = await connect({ requestTimeoutMs: 5000 });
    broker?.script(
      electLeaders,
      answering(electLeaders, {
        errorCode: 0,
        replicaElectionResults: [{
          topic: "a",
          partitionResult: [
            { partitionId: 1, errorCode: ErrorCode.ElectionNotNeeded, errorMessage: null },
            { partitionId: 0, errorCode: 0, errorMessage: null },
          ],
        }],
      }),
    );
    const topics = [{ name: "a", partitions: [0, 1] }, { name: "b", partitions: [7] }];
    const results = await clock.until(client.admin.electLeaders(topics));
    expect(results.map(({ name, partition, error }) => [name, partition, error?.code])).toEqual([
      ["a", 0, undefined],
      ["a", 1, "ELECTION_NOT_NEEDED"],
      ["b", 7, "PROTOCOL"],
    ]);
    expect(broker?.requestsOf(electLeaders)[0]?.body).toEqual({
      electionType: 0,
      topicPartitions: [{ topic: "a", partitions: [0, 1] }, { topic: "b", partitions: [7] }],
      timeoutMs: 5000,
    });
    expect(await client.admin.electLeaders([])).toEqual([]);
  });

  test("asks for all by null, and throws what concerns them all", async () => {
    const { brokers: [broker], clock, connect } = await startHarness(1);
    const client = await connect({ requestTimeoutMs: 5000 });
    broker?.script(
      electLeaders,
      answering(electLeaders, { errorCode: 0, replicaElectionResults: [] }),
      answering(electLeaders, {
        errorCode: ErrorCode.ClusterAuthorizationFailed,
        replicaElectionResults: [],
      }),
    );
    expect(await clock.until(client.admin.electLeaders(null, { type: "unclean" }))).toEqual([]);
    const [asked] = broker?.requestsOf(electLeaders) ?? [];
    expect([asked?.body.electionType, asked?.body.topicPartitions]).toEqual([1, null]);
    expect(await clock.until(codeOf(client.admin.electLeaders(null))))
      .toBe("CLUSTER_AUTHORIZATION_FAILED");
  });
});
