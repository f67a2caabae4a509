/**
 * An order that may be given any number of times was given up when its connection broke before the
 * answer, as a create must be: settings were refused as UNREACHABLE while brokers were restarted in turn.
 */
import { describe, expect, test } from "bun:test";
import { createTopics } from "../../src/api/create_topics.ts";
import { electLeaders } from "../../src/api/elect_leaders.ts";
import { incrementalAlterConfigs } from "../../src/api/incremental_alter_configs.ts";
import { answering } from "../client/fake_broker.ts";
import { codeOf, startHarness } from "../client/harness.ts";

const LOST = { kind: "close", isServed: false } as const;

describe("an order whose answer is lost", () => {
  test("is given again where it comes to the same", async () => {
    const { brokers: [broker], clock, cluster, connect } = await startHarness(1);
    const client = await connect({ requestTimeoutMs: 5000 });
    cluster.createTopic("t");
    const none = { errorCode: 0, errorMessage: null };
    broker?.script(
      incrementalAlterConfigs,
      LOST,
      LOST,
      answering(incrementalAlterConfigs, {
        responses: [{ ...none, resourceType: 2, resourceName: "t" }],
      }),
    );
    const changes = [{ name: "t", changes: [{ name: "retention.ms", value: "5" }] }];
    const [altered] = await clock.until(client.admin.alterTopicConfigs(changes as never));
    expect(altered?.error).toBeUndefined();
    expect(broker?.requestsOf(incrementalAlterConfigs)).toHaveLength(3);
    broker?.script(
      electLeaders,
      LOST,
      answering(electLeaders, { errorCode: 0, replicaElectionResults: [] }),
    );
    expect(await clock.until(client.admin.electLeaders(null))).toEqual([]);
    broker?.script(createTopics, LOST);
    const [judged] = await clock.until(
      client.admin.createTopics([{ name: "new" }], { validateOnly: true }),
    );
    expect(judged?.error).toBeUndefined();
    expect(broker?.requestsOf(createTopics)).toHaveLength(2);
  });

  test("is given until the time is up", async () => {
    const { brokers: [broker], clock, connect } = await startHarness(1);
    const client = await connect({ requestTimeoutMs: 500 });
    broker?.script(electLeaders, ...Array.from({ length: 100 }, () => LOST));
    expect(await clock.until(codeOf(client.admin.electLeaders(null)))).toBe("UNREACHABLE");
    expect(broker?.requestsOf(electLeaders).length).toBeGreaterThan(2);
  });
});
