/** The admin's calls about quorum, features, brokers, voters and partitions. */
import { describe, expect, test } from "bun:test";
import { addRaftVoter } from "../../src/api/add_raft_voter.ts";
import { apiVersions } from "../../src/api/api_versions.ts";
import { createPartitions } from "../../src/api/create_partitions.ts";
import { describeQuorum } from "../../src/api/describe_quorum.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { removeRaftVoter } from "../../src/api/remove_raft_voter.ts";
import { unregisterBroker } from "../../src/api/unregister_broker.ts";
import { updateFeatures } from "../../src/api/update_features.ts";
import type { Client } from "../../src/client/client.ts";
import { uuidFromBytes } from "../../src/ground/uuid.ts";
import { answering, type FakeBroker } from "./fake_broker.ts";
import { codeOf, type Harness, startHarness } from "./harness.ts";

const DIRECTORY = uuidFromBytes(new Uint8Array(16).fill(7));
const VOTER = { nodeId: 2, directoryId: DIRECTORY };
const LISTENER = { name: "CONTROLLER", host: "h2", port: 9093 };

interface Setup extends Harness {
  readonly broker: FakeBroker;
  readonly client: Client;
}

async function setUp(brokerCount = 1): Promise<Setup> {
  const harness = await startHarness(brokerCount);
  const client = await harness.connect({ requestTimeoutMs: 5000 });
  return { ...harness, client, broker: harness.brokers[0] as FakeBroker };
}

const REPLICA = {
  replicaId: 2,
  replicaDirectoryId: DIRECTORY,
  logEndOffset: 40,
  lastFetchTimestamp: 1000,
  lastCaughtUpTimestamp: 900,
};

function quorum(changes = {}): Parameters<typeof answering<typeof describeQuorum>>[1] {
  const partition = {
    partitionIndex: 0,
    errorCode: 0,
    errorMessage: null,
    leaderId: 2,
    leaderEpoch: 7,
    highWatermark: 41,
    currentVoters: [REPLICA],
    observers: [{ ...REPLICA, replicaId: 3 }],
    ...changes,
  };
  return {
    errorCode: 0,
    errorMessage: null,
    topics: [{ topicName: "__cluster_metadata", partitions: [partition] }],
    nodes: [{ nodeId: 2, listeners: [LISTENER] }],
  };
}

describe("Admin.describeQuorum()", () => {
  test("tells who leads, who votes, who follows, and where they are", async () => {
    const { client, clock, broker } = await setUp();
    broker.script(describeQuorum, answering(describeQuorum, quorum()));
    const found = await clock.until(client.admin.describeQuorum());
    const replica = {
      ...VOTER,
      logEndOffset: 40,
      lastFetchTimestamp: 1000,
      lastCaughtUpTimestamp: 900,
    };
    expect(found).toEqual({
      leaderId: 2,
      leaderEpoch: 7,
      highWatermark: 41,
      voters: [replica],
      observers: [{ ...replica, nodeId: 3 }],
      nodes: [{ nodeId: 2, listeners: [LISTENER] }],
    });
    expect(broker.requestsOf(describeQuorum)[0]?.body.topics[0]?.topicName)
      .toBe("__cluster_metadata");
  });

  test("asks again while nobody leads, and fails where it may not ask", async () => {
    const { client, clock, broker } = await setUp();
    broker.script(
      describeQuorum,
      answering(describeQuorum, quorum({ errorCode: ErrorCode.NotLeaderOrFollower })),
      answering(describeQuorum, quorum()),
      answering(describeQuorum, { ...quorum(), errorCode: ErrorCode.ClusterAuthorizationFailed }),
      answering(describeQuorum, { ...quorum(), topics: [] }),
    );
    expect((await clock.until(client.admin.describeQuorum())).leaderId).toBe(2);
    expect(await clock.until(codeOf(client.admin.describeQuorum())))
      .toBe("CLUSTER_AUTHORIZATION_FAILED");
    expect(await clock.until(codeOf(client.admin.describeQuorum()))).toBe("PROTOCOL");
  });
});

describe("Admin.describeFeatures()", () => {
  test("joins what a broker understands with what is in force", async () => {
    const { client, clock, broker } = await setUp();
    broker.script(
      apiVersions,
      answering(apiVersions, {
        errorCode: 0,
        apiKeys: [],
        supportedFeatures: [
          { name: "metadata.version", minVersion: 1, maxVersion: 3 },
          { name: "group.version", minVersion: 0, maxVersion: 1 },
        ],
        finalizedFeaturesEpoch: 12,
        finalizedFeatures: [{ name: "metadata.version", maxVersionLevel: 2, minVersionLevel: 2 }],
      }),
    );
    expect(await clock.until(client.admin.describeFeatures())).toEqual({
      finalizedEpoch: 12,
      features: [
        { name: "group.version", minVersion: 0, maxVersion: 1, finalizedLevel: 0 },
        { name: "metadata.version", minVersion: 1, maxVersion: 3, finalizedLevel: 2 },
      ],
    });
  });

  test("asks the broker that is named", async () => {
    const { client, clock, brokers } = await setUp(2);
    const before = brokers[1]?.requestsOf(apiVersions).length ?? 0;
    const found = await clock.until(client.admin.describeFeatures({ brokerId: 2 }));
    expect(found).toEqual({ finalizedEpoch: -1, features: [] });
    // Once to begin the connection, once for the question.
    expect(brokers[1]?.requestsOf(apiVersions).length).toBe(before + 2);
  });
});

describe("Admin.updateFeatures()", () => {
  const updates = [
    { name: "metadata.version", level: 3 },
    { name: "group.version", level: 0, change: "safe-downgrade" as const },
  ];

  test("names the kind of each change", async () => {
    const { client, clock, broker } = await setUp();
    const done = { errorCode: 0, errorMessage: null };
    broker.script(updateFeatures, answering(updateFeatures, done));
    const results = await clock.until(client.admin.updateFeatures(updates, { validateOnly: true }));
    expect(results).toEqual([{ name: "metadata.version" }, { name: "group.version" }]);
    const asked = broker.requestsOf(updateFeatures)[0]?.body;
    expect(asked?.validateOnly).toBeTrue();
    expect(
      asked?.featureUpdates.map(({ maxVersionLevel, upgradeType }) => [
        maxVersionLevel,
        upgradeType,
      ]),
    ).toEqual([[3, 1], [0, 2]]);
    expect(await client.admin.updateFeatures([])).toEqual([]);
  });

  test("throws what stopped all, and an older broker's answers stay apart", async () => {
    const { client, clock, broker } = await setUp();
    const failed = { errorCode: ErrorCode.InvalidUpdateVersion, errorMessage: "No." };
    broker.script(updateFeatures, answering(updateFeatures, failed));
    expect(await clock.until(codeOf(client.admin.updateFeatures(updates))))
      .toBe("INVALID_UPDATE_VERSION");
    const old = await setUp();
    old.broker.versions.set(updateFeatures.key, [0, 1]);
    const client1 = await old.connect({ requestTimeoutMs: 5000 });
    old.broker.script(
      updateFeatures,
      answering(updateFeatures, {
        errorCode: 0,
        errorMessage: null,
        results: [
          { feature: "metadata.version", errorCode: 0, errorMessage: null },
          { feature: "group.version", ...failed },
        ],
      }),
    );
    const results = await old.clock.until(client1.admin.updateFeatures(updates));
    expect(results.map(({ error }) => error?.code)).toEqual([undefined, "INVALID_UPDATE_VERSION"]);
  });
});

describe("Admin.unregisterBroker(), addVoter(), removeVoter()", () => {
  const done = { errorCode: 0, errorMessage: null };

  test("go to the controller, and to the next one where that is another by now", async () => {
    const { client, clock, broker } = await setUp();
    const moved = { errorCode: ErrorCode.NotController, errorMessage: null };
    broker.script(
      unregisterBroker,
      answering(unregisterBroker, moved),
      answering(unregisterBroker, done),
    );
    await clock.until(client.admin.unregisterBroker(7));
    expect(broker.requestsOf(unregisterBroker).map(({ body }) => body.brokerId)).toEqual([7, 7]);
  });

  test("say who the voter is", async () => {
    const { client, clock, broker } = await setUp();
    broker.script(addRaftVoter, answering(addRaftVoter, done));
    broker.script(removeRaftVoter, answering(removeRaftVoter, done));
    await clock.until(client.admin.addVoter({ ...VOTER, listeners: [LISTENER] }));
    await clock.until(client.admin.removeVoter({ ...VOTER, clusterId: "c" }));
    expect(broker.requestsOf(addRaftVoter)[0]?.body).toEqual({
      clusterId: null,
      timeoutMs: 4500,
      voterId: 2,
      voterDirectoryId: DIRECTORY,
      listeners: [LISTENER],
      ackWhenCommitted: true,
    });
    expect(broker.requestsOf(removeRaftVoter)[0]?.body).toEqual({
      clusterId: "c",
      voterId: 2,
      voterDirectoryId: DIRECTORY,
    });
  });

  test("throw what the controller answers, and are not given twice", async () => {
    const { client, clock, broker } = await setUp();
    const known = { errorCode: ErrorCode.DuplicateVoter, errorMessage: "It votes." };
    const unknown = { errorCode: ErrorCode.VoterNotFound, errorMessage: null };
    broker.script(addRaftVoter, answering(addRaftVoter, known));
    broker.script(removeRaftVoter, answering(removeRaftVoter, unknown), {
      kind: "close",
      isServed: false,
    });
    const voter = { ...VOTER, listeners: [LISTENER] };
    expect(await clock.until(codeOf(client.admin.addVoter(voter)))).toBe("DUPLICATE_VOTER");
    expect(await clock.until(codeOf(client.admin.removeVoter(voter)))).toBe("VOTER_NOT_FOUND");
    expect(await clock.until(codeOf(client.admin.removeVoter(voter)))).toBe("UNREACHABLE");
    expect(broker.requestsOf(removeRaftVoter)).toHaveLength(2);
  });
});

describe("Admin.createPartitions()", () => {
  test("answers topic by topic", async () => {
    const { client, clock, broker } = await setUp();
    broker.script(
      createPartitions,
      answering(createPartitions, {
        results: [
          { name: "b", errorCode: ErrorCode.InvalidPartitions, errorMessage: "Fewer." },
          { name: "a", errorCode: 0, errorMessage: null },
        ],
      }),
    );
    const topics = [
      { name: "a", partitions: 4, assignments: [[1, 2], [2, 1]] },
      { name: "b", partitions: 1 },
      { name: "c", partitions: 9 },
    ];
    const results = await clock.until(client.admin.createPartitions(topics));
    expect(results.map(({ name, error }) => [name, error?.code])).toEqual([
      ["a", undefined],
      ["b", "INVALID_PARTITIONS"],
      ["c", "PROTOCOL"],
    ]);
    expect(broker.requestsOf(createPartitions)[0]?.body).toEqual({
      topics: [
        { name: "a", count: 4, assignments: [{ brokerIds: [1, 2] }, { brokerIds: [2, 1] }] },
        { name: "b", count: 1, assignments: null },
        { name: "c", count: 9, assignments: null },
      ],
      timeoutMs: 5000,
      validateOnly: false,
    });
    expect(await client.admin.createPartitions([])).toEqual([]);
  });
});
