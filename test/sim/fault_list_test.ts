/**
 * Faults 36 to 40 of the list of what a cluster must outlive, each as a fixed course of events in the
 * simulated world, where all invariants are looked at besides. Longer than most: one list, one file.
 */
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { ClientError } from "../../src/client/client_error.ts";
import { parseUuid, type Uuid } from "../../src/ground/uuid.ts";
import { decideAlterPartition } from "../../src/metadata/decide/alter_partition.ts";
import { whyClusterIsNotWell } from "./cluster_state.ts";
import { reportFailure } from "./failure_report.ts";
import { NODES_OF } from "./layout.ts";
import { runSimulation } from "./run_seed.ts";
import { KAFKA_PORT, type SimNode } from "./sim_node.ts";
import { drawOptions, type SimOptions } from "./sim_options.ts";
import type { Script, Stage } from "./stage.ts";

/** A quick and healthy world of this layout, in which only the script does harm. */
function quiet(layout: SimOptions["layout"], settings: SimOptions["settings"] = {}): SimOptions {
  return drawOptions(1, {
    layout,
    nodes: NODES_OF[layout],
    clients: 0,
    safetyMs: 600_000,
    faults: {},
    settings,
    network: {
      latencyUs: 200,
      jitterUs: 200,
      bytesPerUs: 10,
      kernelBytes: 65_536,
      splitOneIn: 10,
      giveUpMs: 3000,
    },
    disk: { readUs: 50, syncUs: 1000, isDroppedByFailedSync: true },
  });
}

async function play(options: SimOptions, script: Script): Promise<void> {
  const result = await runSimulation(options, script);
  expect(result.failure === undefined ? "ok" : reportFailure(result)).toBe("ok");
}

/** The code of the refusal; "ok" where there is none. */
async function tried(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "ok";
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
}

async function untilOk(stage: Stage, work: () => Promise<string>): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    // deno-lint-ignore no-await-in-loop -- until it works
    if (await work() === "ok") return;
    // deno-lint-ignore no-await-in-loop
    await stage.sleep(500);
  }
  throw new Error("Did not work within 60 tries");
}

async function create(stage: Stage, name: string, node?: SimNode): Promise<string> {
  const client = stage.client(node, 2000);
  const code = await tried(async () => {
    const [created] = await client.admin.createTopics([
      { name, partitions: 1, replicationFactor: 1, configs: {} },
    ]);
    if (created?.error !== undefined) throw created.error;
  });
  await client.close();
  return code;
}

function keyOf(stage: Stage, node: SimNode): { nodeId: number; directoryId: Uuid } {
  return {
    nodeId: stage.idOf(node),
    directoryId: parseUuid(node.directoryId() ?? "") as Uuid,
  };
}

async function add(stage: Stage, node: SimNode): Promise<string> {
  const client = stage.client();
  const listeners = [{ name: "PLAINTEXT", host: node.process.name, port: KAFKA_PORT }];
  const code = await tried(() => client.admin.addVoter({ ...keyOf(stage, node), listeners }));
  await client.close();
  return code === "DUPLICATE_VOTER" ? "ok" : code;
}

async function remove(stage: Stage, node: SimNode, directoryId?: Uuid): Promise<string> {
  const client = stage.client();
  const key = keyOf(stage, node);
  const code = await tried(() =>
    client.admin.removeVoter({ ...key, directoryId: directoryId ?? key.directoryId })
  );
  await client.close();
  return code === "VOTER_NOT_FOUND" ? "ok" : code;
}

function other(stage: Stage, node: SimNode, step = 1): SimNode {
  return stage.node((stage.idOf(node) - 1 + step) % 3 + 1);
}

function votersOf(node: SimNode): readonly number[] {
  const { voters = [] } = node.quorum?.node.status().configuration ?? {};
  return voters.map(({ id }) => id).sort();
}

async function allWell(stage: Stage): Promise<void> {
  await stage.until("the cluster is well", () => {
    return whyClusterIsNotWell(stage.world.nodes) === undefined;
  });
}

describe("36: a voter returns without its disk", () => {
  test("it has no vote under its old id, and gets one when it is removed and added", async () => {
    await play(quiet("alike"), async (stage) => {
      await stage.allServe();
      const leader = await stage.controller();
      const empty = other(stage, leader);
      const lost = keyOf(stage, empty).directoryId;
      empty.hold();
      empty.loseDisk();
      empty.release();
      await stage.sleep(1000);
      leader.hold();
      // One voter and a node without a vote are no majority of three.
      for (let look = 0; look < 200; look++) {
        // deno-lint-ignore no-await-in-loop -- all the time
        await stage.sleep(20);
        const leads = stage.world.nodes.filter(({ isActiveController }) => isActiveController);
        stage.expect(leads.length === 0, "nobody is elected with the vote of a lost disk");
      }
      leader.release();
      await stage.controller();
      await untilOk(stage, () => create(stage, "after"));
      await untilOk(stage, () => remove(stage, empty, lost));
      await untilOk(stage, () => add(stage, empty));
      await stage.until("it votes", () => empty.quorum?.node.status().isVoter);
      await allWell(stage);
    });
  });
});

describe("37: voters are changed", () => {
  test("during a partition, and one of them is the leader", async () => {
    await play(quiet("alike"), async (stage) => {
      await stage.allServe();
      let leader = await stage.controller();
      const follower = other(stage, leader);
      stage.cutOff(follower);
      await untilOk(stage, () => remove(stage, follower));
      stage.heal();
      await untilOk(stage, () => add(stage, follower));
      leader = await stage.controller();
      const left = leader;
      await untilOk(stage, () => remove(stage, left));
      const next = await stage.until("another one leads", () => {
        return stage.world.nodes.find((node) => node !== left && node.isActiveController);
      });
      stage.expect(!votersOf(next).includes(stage.idOf(left)), "the leader has no vote any more");
      await untilOk(stage, () => add(stage, left));
      await allWell(stage);
    });
  });

  test("two changes are asked for at once: each is made, or refused", async () => {
    await play(quiet("alike"), async (stage) => {
      await stage.allServe();
      const leader = await stage.controller();
      const [one, two] = [other(stage, leader), other(stage, leader, 2)];
      const codes = await Promise.all([remove(stage, one), remove(stage, two)]);
      stage.expect(codes.includes("ok"), `one of both is made: ${codes.join(", ")}`);
      const { length } = votersOf(await stage.controller());
      const made = codes.filter((code) => code === "ok").length;
      stage.expect(length <= 3 - made, `${length} vote behind ${made} changes`);
      await untilOk(stage, () => add(stage, one));
      await untilOk(stage, () => add(stage, two));
      await allWell(stage);
    });
  });

  test("the leader is killed between append and commit, at every moment of the change", async () => {
    await play(quiet("alike"), async (stage) => {
      await stage.allServe();
      for (let delayMs = 0; delayMs < 16; delayMs += 2) {
        // deno-lint-ignore no-await-in-loop -- one after the other
        const leader = await stage.controller();
        const follower = other(stage, leader);
        const removed = remove(stage, follower);
        // deno-lint-ignore no-await-in-loop
        await stage.sleep(delayMs);
        leader.kill(500_000);
        // deno-lint-ignore no-await-in-loop
        await removed;
        // deno-lint-ignore no-await-in-loop
        await stage.controller();
        // deno-lint-ignore no-await-in-loop
        await untilOk(stage, () => add(stage, follower));
        // deno-lint-ignore no-await-in-loop
        await allWell(stage);
      }
    });
  });
});

describe("38: snapshots", () => {
  test("a follower behind the log's start, whose transfer is cut again and again, catches up", async () => {
    const settings = { "metadata.log.max.record.bytes.between.snapshots": "2000" };
    await play(quiet("alike", settings), async (stage) => {
      await stage.allServe();
      const leader = await stage.controller();
      const behind = other(stage, leader);
      const end = behind.metadataEnd();
      behind.hold();
      for (let number = 0; number < 40; number++) {
        // deno-lint-ignore no-await-in-loop -- one after the other
        await untilOk(stage, async () => {
          const code = await create(stage, `t${number}`);
          return code === "TOPIC_ALREADY_EXISTS" ? "ok" : code;
        });
      }
      const start = await stage.until("the log's start has moved", () => {
        const logStartOffset = leader.quorum?.node.logStartOffset ?? 0;
        return logStartOffset > end && logStartOffset;
      });
      stage.expect(start > end, "the follower is behind the start");
      behind.release();
      for (let cut = 0; cut < 40; cut++) {
        // deno-lint-ignore no-await-in-loop -- again and again
        await stage.sleep(3 + cut);
        for (const stream of [...stage.world.network.streams]) stream.breakUp();
        // deno-lint-ignore no-await-in-loop
        if (cut % 10 === 9) await create(stage, `cut${cut}`);
      }
      await allWell(stage);
      stage.expect(behind.metadata?.image.topic("t39") !== undefined, "it has all topics");
    });
  });

  test("a follower whose log is cut while it takes snapshots keeps to the leader's history", async () => {
    const settings = { "metadata.log.max.record.bytes.between.snapshots": "1000" };
    await play(quiet("alike", settings), async (stage) => {
      await stage.allServe();
      for (let round = 0; round < 4; round++) {
        // deno-lint-ignore no-await-in-loop -- one after the other
        const old = await stage.controller();
        // deno-lint-ignore no-await-in-loop
        await create(stage, `before${round}`);
        stage.cutOff(old);
        const orders = [0, 1, 2].map((number) => create(stage, `old${round}.${number}`, old));
        // deno-lint-ignore no-await-in-loop
        await stage.until("another one leads", () => {
          return stage.world.nodes.some((node) => node !== old && node.isActiveController);
        });
        // deno-lint-ignore no-await-in-loop
        for (let number = 0; number < 6; number++) {
          // deno-lint-ignore no-await-in-loop
          await create(stage, `new${round}.${number}`, other(stage, old));
        }
        stage.heal();
        // deno-lint-ignore no-await-in-loop
        await Promise.all(orders);
        // deno-lint-ignore no-await-in-loop
        await allWell(stage);
      }
    });
  });
});

describe("39: entries of earlier terms (Raft, figure 8)", () => {
  test("leaders change with decisions under way: what was acknowledged stays, all agree", async () => {
    await play(quiet("alike"), async (stage) => {
      await stage.allServe();
      const made: string[] = [];
      for (let flip = 0; flip < 12; flip++) {
        // deno-lint-ignore no-await-in-loop -- one after the other
        const leader = await stage.controller();
        const name = `flip${flip}`;
        const order = create(stage, name, leader);
        // deno-lint-ignore no-await-in-loop
        await stage.sleep(flip % 7);
        if (flip % 2 === 0) leader.kill(400_000 + 300_000 * (flip % 3));
        else stage.cutOff(leader);
        // deno-lint-ignore no-await-in-loop
        await stage.until("another one leads", () => {
          return stage.world.nodes.some((node) => node !== leader && node.isActiveController);
        });
        stage.heal();
        // deno-lint-ignore no-await-in-loop
        if (await order === "ok") made.push(name);
      }
      await allWell(stage);
      for (const { metadata } of stage.world.nodes) {
        for (const name of made) {
          stage.expect(metadata?.image.topic(name) !== undefined, `${name} is everywhere`);
        }
      }
    });
  });
});

describe("40: one broker id, several incarnations", () => {
  test("a second broker with the id of one that lives is refused, and ends", async () => {
    await play(quiet("roles", { "broker.session.timeout.ms": "2000" }), async (stage) => {
      const twin = stage.node(5);
      twin.hold();
      twin.extraSettings.set("node.id", "4");
      await stage.until("broker 4 serves", () => stage.node(4).phase === "serving");
      const epoch = (): number => stage.node(4).metadata?.image.broker(4)?.brokerEpoch ?? -1;
      const before = epoch();
      twin.release();
      await stage.until("the twin has ended", () => twin.lastEnd.includes("another node"));
      twin.hold();
      stage.expect(epoch() === before, "the one that lives keeps its registration");
      stage.expect(await create(stage, "goes-on", stage.node(4)) === "ok", "it serves on");
    });
  });

  test("a new incarnation has a larger epoch, and AlterPartition of the old one is refused", async () => {
    await play(quiet("roles"), async (stage) => {
      await stage.allServe();
      await untilOk(stage, () => create(stage, "t"));
      const leader = await stage.controller();
      const { quorum } = leader;
      const image = quorum?.image;
      const partition = image?.topic("t")?.partitions[0];
      if (quorum === undefined || image === undefined || partition === undefined) {
        throw new Error("Expected: the topic is decided");
      }
      const brokerId = partition.leader;
      const epoch = (): number => image.broker(brokerId)?.brokerEpoch ?? -1;
      const before = epoch();
      const alter = async (brokerEpoch: number, partitionEpoch: number): Promise<number> => {
        const { topicId, partitionId, leaderEpoch } = partition;
        const isr = [{ brokerId, brokerEpoch }];
        const partitions = [{ topicId, partitionId, leaderEpoch, partitionEpoch, isr }];
        const reply = await quorum.propose((now) =>
          decideAlterPartition(now, { brokerId, brokerEpoch, partitions })
        );
        return reply.partitions[0]?.errorCode ?? reply.errorCode;
      };
      stage.node(brokerId).kill(100_000);
      await stage.until("it is registered anew", () => epoch() > before);
      await stage.allServe();
      stage.expect(await alter(before, 0) === ErrorCode.StaleBrokerEpoch, "the old one is refused");
      const ahead = partition.partitionEpoch + 100;
      stage.expect(await alter(epoch(), ahead) === ErrorCode.NotController, "one of later is too");
    });
  });
});
