/** `mq cluster …`: its forms, what it asks for, what it refuses. */
import { describe, expect, test } from "bun:test";
import { broker, replica } from "./fake_quorum.ts";
import { codedError, type FakeCluster } from "./fake_library.ts";
import { clusterWith, run } from "./run_program.ts";

function three(): FakeCluster {
  const cluster = clusterWith({ a: [] });
  cluster.quorum.leaderId = 2;
  cluster.quorum.voters = [replica(1), replica(2), replica(3, { logEndOffset: 97 })];
  cluster.quorum.observers = [replica(4, { directoryId: "A".repeat(22), lastFetchTimestamp: -1 })];
  cluster.quorum.brokers = [broker(2), broker(1, { rack: "r1" }), broker(3, { isFenced: true })];
  return cluster;
}

describe("mq cluster status", () => {
  test("tells the facts and that all is well", async () => {
    const { code, output } = await run("cluster status", clusterWith({ a: [] }));
    expect(code).toBe(0);
    expect(output).toBe(
      "cluster\tcluster-a\ncontroller\t1\nterm\t4\nvoters\t1\nobservers\t-\nbrokers\t1\nfenced\t-\n" +
        "features\tmetadata.version=2 quorum.version=0\ntopics\t1\npartitions\t1\nleaderless\t0\n" +
        "under-replicated\t0\nhealth\tok\n",
    );
  });

  test("tells what is wrong, in both forms", async () => {
    const cluster = three();
    cluster.quorum.voters[2] = replica(3, {
      logEndOffset: 90,
      lastCaughtUpTimestamp: Date.parse("2026-06-01T11:59:00Z"),
    });
    const partition = { leaderEpoch: 1, offlineReplicas: [], partition: 0 };
    cluster.partitionsOf.set("a", [
      { ...partition, leaderId: -1, replicas: [3], isr: [3] },
      { ...partition, leaderId: 1, replicas: [1, 3], isr: [1] },
    ]);
    const { output } = await run("cluster status", cluster);
    expect(output).toContain(
      "health\tvoter 3 has been behind for 60 s; broker 3 is fenced: nothing is heard of it; " +
        "1 partition without a leader; 1 partition with too few replicas in sync\n",
    );
    const view = JSON.parse((await run("cluster status --json", cluster)).output);
    expect(view.isHealthy).toBe(false);
    expect(view.problems).toHaveLength(4);
    expect(Object.keys(view)).toEqual([
      "clusterId",
      "controllerId",
      "term",
      "voters",
      "observers",
      "aliveBrokers",
      "fencedBrokers",
      "features",
      "topics",
      "partitions",
      "leaderlessPartitions",
      "underReplicatedPartitions",
      "isHealthy",
      "problems",
    ]);
    cluster.quorum.leaderId = -1;
    expect((await run("cluster status", cluster)).output).toContain(
      "there is no active controller",
    );
  });

  test("does without a quorum where the cluster has none", async () => {
    const cluster = three();
    cluster.quorum.isOld = true;
    const { code, output } = await run("cluster status --json", cluster);
    expect(code).toBe(0);
    expect(JSON.parse(output).term).toBe(null);
    expect((await run("cluster quorum", cluster)).code).toBe(1);
  });

  test("wants a unit for the interval", async () => {
    expect((await run("cluster status --watch --interval 2", three())).code).toBe(2);
    expect((await run("cluster status --watch --interval 0", three())).code).toBe(2);
    expect((await run("cluster status --watch --interval 99ms", three())).code).toBe(2);
  });
});

describe("mq cluster brokers, quorum", () => {
  test("list brokers with their state and their part in the quorum", async () => {
    const { output } = await run("cluster brokers", three());
    expect(output).toBe(
      "BROKER\tADDRESS\tRACK\tSTATE\tQUORUM\tLEADS\tREPLICAS\n" +
        "1\th1:9092\tr1\talive\tvoter\t1\t1\n2\th2:9092\t-\talive\tleader\t0\t0\n" +
        "3\th3:9092\t-\tfenced\tvoter\t0\t0\n",
    );
    expect((await run("cluster brokers -f name", three())).output).toBe("1\n2\n3\n");
    const [first] = JSON.parse((await run("cluster brokers --json", three())).output);
    expect(first).toEqual({
      brokerId: 1,
      host: "h1",
      port: 9092,
      rack: "r1",
      isFenced: false,
      quorum: "voter",
      leads: 1,
      replicas: 1,
    });
  });

  test("show voters and observers with their lag", async () => {
    const { output } = await run("cluster quorum", three());
    const noon = "2026-06-01T12:00:00.000Z";
    expect(output).toBe(
      "leader\t2\nterm\t4\nhigh-watermark\t100\n\n" +
        "NODE\tROLE\tADDRESS\tDIRECTORY-ID\tEND-OFFSET\tLAG\tLAST-CAUGHT-UP\n" +
        `1\tvoter\tc1:9093\tdirectory-1\t100\t0\t${noon}\n` +
        `2\tleader\tc2:9093\tdirectory-2\t100\t0\t${noon}\n` +
        `3\tvoter\tc3:9093\tdirectory-3\t97\t3\t${noon}\n` +
        `4\tobserver\t-\t-\t100\t0\t${noon}\n`,
    );
    const quorum = JSON.parse((await run("cluster quorum --json", three())).output);
    expect([quorum.leaderId, quorum.term, quorum.highWatermark]).toEqual([2, 4, 100]);
    expect(quorum.observers[0].lastFetch).toBe(null);
    expect(quorum.voters[2].lag).toBe(3);
  });
});

const DIRECTORY = "AAAAAAAAAAAAAAAAAAAAAQ";

describe("mq cluster add-voter, remove-voter", () => {
  test("add takes the disk from the quorum and the address from the brokers", async () => {
    const cluster = three();
    cluster.quorum.voters.pop();
    cluster.quorum.observers = [replica(3)];
    expect((await run("cluster add-voter 3 --dry-run", cluster)).talk)
      .toBe("would add voter 3 at h3:9092, directory directory-3\n");
    expect(cluster.quorum.asked).toEqual([]);
    expect((await run("cluster add-voter 3", cluster)).code).toBe(0);
    const added = { nodeId: 3, directoryId: "directory-3" };
    expect(cluster.quorum.asked).toEqual([
      { add: { ...added, listeners: [{ name: "QUORUM", host: "h3", port: 9092 }] } },
    ]);
    await run(`cluster add-voter 3 --at c3:9093 --listener X --directory-id ${DIRECTORY}`, cluster);
    const listeners = [{ name: "X", host: "c3", port: 9093 }];
    expect(cluster.quorum.asked[1]).toEqual({
      add: { nodeId: 3, directoryId: DIRECTORY, listeners },
    });
  });

  test("add refuses a voter, a stranger, one without a known disk or address", async () => {
    const cluster = three();
    const voter = await run("cluster add-voter 1", cluster);
    expect([voter.code, voter.talk]).toEqual([
      1,
      "mq: Cannot add node 1: it is a voter already\n" +
      "hint: One that has a new disk is removed first: mq cluster remove-voter\n",
    ]);
    expect((await run("cluster add-voter 9", cluster)).code).toBe(3);
    const unknown = await run("cluster add-voter 4", cluster);
    expect([unknown.code, unknown.talk]).toEqual([
      3,
      "mq: Cannot add node 4: its directory id is not told\n" +
      "hint: Give --directory-id; mq storage info on its machine shows it\n",
    ]);
    const nowhere = await run(`cluster add-voter 4 --directory-id ${DIRECTORY}`, cluster);
    expect(nowhere.code).toBe(2);
    expect(nowhere.talk).toContain("Give --at HOST:PORT");
    expect(cluster.quorum.asked).toEqual([]);
  });

  test("what is typed wrong is told before anybody is asked", async () => {
    const cluster = three();
    cluster.unreachable = Object.assign(new Error("nobody there"), { code: "UNREACHABLE" });
    const wrong = [
      "add-voter",
      "add-voter x",
      `add-voter 4 --directory-id ${DIRECTORY} --at :::`,
      "add-voter 4 --at h4:0",
      "add-voter 4 --at h4:9092 --directory-id short",
      "status --interval soon",
      "status --watch --interval soon",
    ];
    for (const words of wrong) {
      const { code, talk } = await run(`cluster ${words}`, cluster);
      expect([words, code]).toEqual([words, 2]);
      expect(talk).toMatch(/^mq: (Missing|Invalid) /);
    }
    expect(cluster.quorum.asked).toEqual([]);
  });

  test("remove names the disk, and asks first", async () => {
    const cluster = three();
    expect((await run("cluster remove-voter 3", cluster)).code).toBe(2);
    expect((await run("cluster remove-voter 3 --dry-run", cluster)).code).toBe(0);
    expect((await run("cluster remove-voter 3 --yes --directory-id other", cluster)).code).toBe(3);
    expect(cluster.quorum.asked).toEqual([]);
    expect((await run("cluster remove-voter 3 --yes --json", cluster)).output).toBe(
      '{"results":[{"name":"3","removed":true,"directoryId":"directory-3"}]}\n',
    );
    expect(cluster.quorum.asked).toEqual([{ remove: { nodeId: 3, directoryId: "directory-3" } }]);
    expect((await run("cluster remove-voter 9 --yes", cluster)).code).toBe(3);
  });

  test("remove keeps the last voter, and tells why a cluster refuses", async () => {
    const alone = clusterWith({});
    const { code, talk } = await run("cluster remove-voter 1 --yes", alone);
    expect([code, talk]).toEqual([
      1,
      "mq: Cannot remove node 1: it is the only voter\n" +
      "hint: Add another voter first: mq cluster add-voter\n",
    ]);
    const cluster = three();
    cluster.quorum.refusal = Object.assign(new Error("Cannot remove voter 3: no"), {
      code: "UNSUPPORTED_VERSION",
    });
    expect((await run("cluster remove-voter 3 --yes", cluster)).talk).toContain("kraft.version 1");
  });
});

describe("mq cluster features", () => {
  test("lists levels and what is supported", async () => {
    const cluster = three();
    expect((await run("cluster features", cluster)).output)
      .toBe("FEATURE\tLEVEL\tMIN\tMAX\nmetadata.version\t2\t1\t3\nquorum.version\t0\t0\t1\n");
    expect((await run("cluster features --json", cluster)).output).toBe(
      '[{"feature":"metadata.version","level":2,"minSupported":1,"maxSupported":3},' +
        '{"feature":"quorum.version","level":0,"minSupported":0,"maxSupported":1}]\n',
    );
  });

  test("raises to the highest level or to one that is given, and lowers safely", async () => {
    const cluster = three();
    const words = "--upgrade metadata.version --downgrade quorum.version=0 --dry-run";
    const { code, talk } = await run(`cluster features ${words}`, cluster);
    expect([code, talk])
      .toEqual([0, "would set metadata.version to 3\nwould set quorum.version to 0\n"]);
    await run("cluster features --upgrade metadata.version=2", cluster);
    expect(cluster.quorum.asked).toEqual([
      {
        updates: [
          { name: "metadata.version", level: 3, change: "upgrade" },
          { name: "quorum.version", level: 0, change: "safe-downgrade" },
        ],
        validateOnly: true,
      },
      {
        updates: [{ name: "metadata.version", level: 2, change: "upgrade" }],
        validateOnly: false,
      },
    ]);
  });

  test("refuses what is no feature, no level, or nothing at all", async () => {
    const cluster = three();
    const unknown = await run("cluster features --upgrade metadata.versio", cluster);
    expect([unknown.code, unknown.talk]).toEqual([
      3,
      "mq: Unknown feature 'metadata.versio'\nhint: Did you mean 'metadata.version'?\n",
    ]);
    const wrong = [
      "--upgrade metadata.version=x",
      "--downgrade metadata.version",
      "--dry-run",
      "--upgrade metadata.version --downgrade metadata.version=1",
    ];
    for (const words of wrong) {
      expect((await run(`cluster features ${words}`, cluster)).code).toBe(2);
    }
    expect(cluster.quorum.asked).toEqual([]);
    cluster.quorum.refusal = codedError("INVALID_UPDATE_VERSION");
    expect((await run("cluster features --upgrade metadata.version", cluster)).code).toBe(2);
  });
});

describe("mq cluster unregister", () => {
  test("forgets brokers after a question, and tells of each", async () => {
    const cluster = three();
    expect((await run("cluster unregister 3", cluster)).code).toBe(2);
    expect((await run("cluster unregister 3 --dry-run", cluster)).talk)
      .toBe("would forget broker 3\n");
    expect((await run("cluster unregister 9 --dry-run", cluster)).code).toBe(3);
    expect(cluster.quorum.asked).toEqual([]);
    const { code, output } = await run("cluster unregister 3 9 --yes --json", cluster);
    expect(code).toBe(3);
    const { results } = JSON.parse(output);
    expect(results[0]).toEqual({ name: "3", unregistered: true });
    expect(results[1].error.code).toBe("BROKER_ID_NOT_REGISTERED");
    expect(cluster.quorum.asked).toEqual([{ unregister: 3 }]);
    expect((await run("cluster unregister --yes", cluster)).code).toBe(2);
  });
});
