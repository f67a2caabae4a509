/**
 * Figures of consumer groups: one node of mq, and one of Apache Kafka where it is there, in one run.
 *
 *     bun test/bench/groups.ts                      everything, of both
 *     bun test/bench/groups.ts join commits mq      these parts, of mq alone
 *     MQ_BENCH_ROUNDS=3  MQ_BENCH_MEMBERS=3,100  MQ_BENCH_SECONDS=3  MQ_BENCH_GROUPS=100000
 *
 *     join       from a member's join until all members consume again (`group_join.ts`)
 *     commits    commits per second, one offset each, by one connection that has 32 under way, and by
 *                100 connections that have one each
 *     beats      the broker's CPU for 1,000 heartbeats of either protocol: the cheapest of some rounds,
 *                so that neither side's compiler is counted
 *     restart    from the start of the process, after kill -9, until the last of 1,000 groups with 100
 *                committed offsets each has been answered for
 *     memory     what groups that have one committed offset and no members add to the memory: as they
 *                were made, and after a restart; of mq all that is resident, of Kafka what lives in its
 *                heap, whose garbage nobody counts against it
 *
 * What is not the same on both sides, and why: mq syncs a commit to its disk before it answers, Kafka
 * does not. Kafka deals with one request of a connection at a time, so that what is under way beside it
 * waits. A restart has the start of a virtual machine in it. The rest is as it is delivered, but for a
 * group's first wait and heartbeats, which are sent every 500 ms in both protocols on both sides: a
 * member hears of a rebalance by its heartbeat, so times of joining lie above that. Clients, producers
 * and the broker share the machine.
 *
 * Longer than most files, because the parts share what they ask. Not a test: nothing here passes or
 * fails. Build first (`npm run build`), or name a binary in MQ_BINARY.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { consumerGroupHeartbeat } from "../../src/api/consumer_group_heartbeat.ts";
import { findCoordinator } from "../../src/api/find_coordinator.ts";
import { heartbeat } from "../../src/api/heartbeat.ts";
import { joinGroup } from "../../src/api/join_group.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import { offsetFetch } from "../../src/api/offset_fetch.ts";
import type { RequestInput } from "../../src/api/schema.ts";
import { syncGroup } from "../../src/api/sync_group.ts";
import { parseAddress } from "../../src/client/address.ts";
import { Connection } from "../../src/client/connection.ts";
import type { Address } from "../../src/env/network.ts";
import { createHostEnv } from "../../src/host/host_env.ts";
import { connect } from "../../src/mod.ts";
import { benchJoin } from "./group_join.ts";
import { type Side, starters } from "./group_sides.ts";
import { printTable, report } from "./report.ts";

const SECONDS = Number(process.env["MQ_BENCH_SECONDS"] ?? 3);
const GROUPS = Number(process.env["MQ_BENCH_GROUPS"] ?? 100_000);
const TICKS_A_SECOND = 100; // USER_HZ, fixed on Linux
const IN_FLIGHT = 32;
const MANY = 100;
const BEATS = 20_000;
const BEAT_ROUNDS = 5;
const RESTART_GROUPS = 1000;
const PARTITIONS = 100;
const SETTLE_MS = 3000;
const TRY_MS = 2;
const PATIENCE_MS = 120_000;
const READY_GROUPS = 300;
const FIND_VERSION = 4;
const COMMIT_VERSION = 8;
const FETCH_VERSION = 8;
const BEAT_VERSION = 4;
/** The last in which a member is let in without asking twice. */
const JOIN_VERSION = 3;
const SYNC_VERSION = 5;

const parts: Readonly<Record<string, (side: Side) => Promise<void>>> = {
  join: benchJoin,
  commits: benchCommits,
  beats: benchBeats,
  restart: benchRestart,
  memory: benchMemory,
};

async function main(words: readonly string[]): Promise<void> {
  const unknown = words.find((word) => !(word in parts) && !(word in starters));
  if (unknown !== undefined) throw new Error(`There is no part ${unknown}`);
  const chosen = (all: Readonly<Record<string, unknown>>): readonly string[] => {
    const named = Object.keys(all).filter((name) => words.includes(name));
    return named.length === 0 ? Object.keys(all) : named;
  };
  for (const part of chosen(parts)) {
    for (const who of chosen(starters)) {
      await using stack = new AsyncDisposableStack();
      const side = await starters[who]?.(stack);
      if (side !== undefined) await parts[part]?.(side);
    }
  }
  printTable();
}

const env = createHostEnv();

function dial(side: Side): Promise<Connection> {
  const address = parseAddress(side.address()) as Address;
  return Connection.open({ address, clientId: "bench", requestTimeoutMs: PATIENCE_MS, env });
}

/** Makes a topic, and waits until it and the topic of groups are there. */
async function prepared(side: Side): Promise<Connection> {
  const brokers = [parseAddress(side.address()) as Address];
  await using client = await connect({ brokers, env });
  await client.admin.createTopics([{ name: "t", partitions: PARTITIONS }]);
  const connection = await dial(side);
  // The question makes the topic of groups.
  await connection.requestAt(findCoordinator, FIND_VERSION, { coordinatorKeys: ["ready-0"] });
  await untilReady(connection);
  return connection;
}

/** Until groups of every partition of the topic of groups are served. */
async function untilReady(connection: Connection): Promise<void> {
  for (let group = 0; group < READY_GROUPS; group++) {
    await untilAccepted(connection, commitOf(`ready-${group}`));
  }
}

type Commit = RequestInput<typeof offsetCommit>;

function commitOf(groupId: string, partitions: readonly number[] = [0]): Commit {
  return {
    groupId,
    memberId: "",
    generationIdOrMemberEpoch: -1,
    topics: [{
      name: "t",
      partitions: partitions.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: 7,
        committedMetadata: "",
      })),
    }],
  };
}

async function untilAccepted(connection: Connection, commit: Commit): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    const { topics } = await connection.requestAt(offsetCommit, COMMIT_VERSION, commit);
    if (topics[0]?.partitions.every(({ errorCode }) => errorCode === 0) === true) return;
    await moment(TRY_MS);
  }
  throw new Error(`Cannot wait longer for a coordinator of ${commit.groupId}`);
}

async function benchCommits(side: Side): Promise<void> {
  const first = await prepared(side);
  const rest = await Promise.all(Array.from({ length: MANY - 1 }, () => dial(side)));
  for (
    const [title, connections, inFlight] of [
      [`1 connection, ${IN_FLIGHT} under way`, [first], IN_FLIGHT],
      ["100 connections", [first, ...rest], 1],
    ] as const
  ) {
    await committing(connections, inFlight, 1); // so that compilers have seen it
    const cpuBefore = cpuSeconds(side.pid());
    const count = await committing(connections, inFlight, SECONDS);
    const micros = (cpuSeconds(side.pid()) - cpuBefore) / count * 1e6;
    const rate = Math.round(count / SECONDS).toLocaleString("en");
    report(
      `commits a second, ${title}`,
      side.who,
      `${rate}/s, ${micros.toFixed(0)} µs of CPU each`,
    );
  }
  for (const connection of [first, ...rest]) connection.close();
}

/** How many commits are accepted within so many seconds. */
async function committing(
  connections: readonly Connection[],
  inFlight: number,
  seconds: number,
): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let count = 0;
  await Promise.all(connections.flatMap((connection, index) => {
    const commit = commitOf(`commits-${index}`);
    return Array.from({ length: inFlight }, async () => {
      while (performance.now() < end) {
        const { topics } = await connection.requestAt(offsetCommit, COMMIT_VERSION, commit);
        if (topics[0]?.partitions[0]?.errorCode !== 0) throw new Error("A commit was refused");
        count++;
      }
    });
  }));
  return count;
}

async function benchBeats(side: Side): Promise<void> {
  const connection = await prepared(side);
  const classic = await Promise.all(Array.from({ length: MANY }, async (_, index) => {
    const groupId = `classic-${index}`;
    const { memberId, generationId } = await connection.requestAt(joinGroup, JOIN_VERSION, {
      groupId,
      sessionTimeoutMs: 300_000,
      rebalanceTimeoutMs: 300_000,
      memberId: "",
      protocolType: "bench",
      protocols: [{ name: "p", metadata: new Uint8Array(0) }],
    });
    const member = { groupId, memberId, generationId };
    const assignments = [{ memberId, assignment: Uint8Array.of(1) }];
    const names = { protocolType: "bench", protocolName: "p" };
    await connection.requestAt(syncGroup, SYNC_VERSION, { ...member, ...names, assignments });
    return member;
  }));
  await beating(
    side,
    "classic",
    (index) =>
      connection.requestAt(heartbeat, BEAT_VERSION, classic[index] as (typeof classic)[number]),
  );
  const consumers = await Promise.all(Array.from({ length: MANY }, async (_, index) => {
    const groupId = `consumer-${index}`;
    const { memberEpoch } = await connection.requestAt(consumerGroupHeartbeat, 1, {
      groupId,
      memberId: "m",
      memberEpoch: 0,
      rebalanceTimeoutMs: 300_000,
      subscribedTopicNames: ["t"],
      topicPartitions: [],
    });
    return { groupId, memberId: "m", memberEpoch };
  }));
  await beating(side, "consumer", (index) =>
    connection.requestAt(
      consumerGroupHeartbeat,
      1,
      consumers[index] as (typeof consumers)[number],
    ));
  connection.close();
}

async function beating(
  side: Side,
  protocol: string,
  beat: (index: number) => Promise<{ readonly errorCode: number }>,
): Promise<void> {
  let left = 0;
  const all = async (count: number): Promise<void> => {
    left = count;
    await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
      while (left > 0) {
        const { errorCode } = await beat(--left % MANY);
        if (errorCode !== 0) throw new Error(`A heartbeat was refused: ${errorCode}`);
      }
    }));
  };
  let ms = Infinity;
  for (let round = 0; round < BEAT_ROUNDS; round++) {
    const before = cpuSeconds(side.pid());
    await all(BEATS);
    ms = Math.min(ms, (cpuSeconds(side.pid()) - before) / (BEATS / 1000) * 1000);
  }
  report(`CPU for 1,000 heartbeats, ${protocol}`, side.who, `${ms.toFixed(1)} ms`);
}

async function benchRestart(side: Side): Promise<void> {
  const connection = await prepared(side);
  const partitions = Array.from({ length: PARTITIONS }, (_, index) => index);
  for (let group = 0; group < RESTART_GROUPS; group++) {
    await untilAccepted(connection, commitOf(`restart-${group}`, partitions));
  }
  connection.close();
  await moment(SETTLE_MS);
  await side.kill();
  const began = performance.now();
  const started = side.start();
  await untilAnswered(side, "restart-0", 1);
  const first = performance.now() - began;
  await untilAnswered(side, "restart-", PARTITIONS);
  const last = performance.now() - began;
  await started;
  report(
    `restart with ${RESTART_GROUPS * PARTITIONS} offsets until the coordinators serve`,
    side.who,
    `first group ${first.toFixed(0)} ms, last ${last.toFixed(0)} ms`,
  );
}

/** Asks again and again, over new connections where one breaks, until all groups have their offsets. */
async function untilAnswered(side: Side, prefix: string, partitions: number): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  const names = partitions === 1
    ? [prefix]
    : Array.from({ length: RESTART_GROUPS }, (_, group) => `${prefix}${group}`);
  const groups = names.map((groupId) => ({ groupId, topics: null }));
  while (performance.now() < end) {
    try {
      const connection = await dial(side);
      const answer = await connection.requestAt(offsetFetch, FETCH_VERSION, { groups });
      connection.close();
      const isWhole = answer.groups.every(({ errorCode, topics }) =>
        errorCode === 0 && topics[0]?.partitions.length === PARTITIONS
      );
      if (isWhole) return;
    } catch {
      // It does not listen yet.
    }
    await moment(TRY_MS);
  }
  throw new Error("Cannot wait longer for the coordinators");
}

async function benchMemory(side: Side): Promise<void> {
  const connection = await prepared(side);
  await moment(SETTLE_MS);
  await side.kill();
  await side.start();
  await moment(SETTLE_MS);
  const empty = await side.memoryBytes();
  connection.close();
  let left = GROUPS;
  await Promise.all(Array.from({ length: MANY }, async () => {
    const filling = await dial(side);
    while (left > 0) await untilAccepted(filling, commitOf(`idle-${--left}`));
    filling.close();
  }));
  await moment(SETTLE_MS);
  const filled = await side.memoryBytes();
  await side.kill();
  await side.start();
  const again = await dial(side);
  await untilReady(again);
  again.close();
  await moment(SETTLE_MS);
  const loaded = await side.memoryBytes();
  const each = (bytes: number): string => `${((bytes - empty) / GROUPS / 1024).toFixed(2)} KiB`;
  report(
    `memory of each of ${GROUPS} idle groups`,
    side.who,
    `${each(filled)} as made, ${each(loaded)} after a restart (${
      (empty / 1e6).toFixed(0)
    } MB without)`,
  );
}

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

function moment(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) await main(process.argv.slice(2));
