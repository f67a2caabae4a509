/**
 * Three nodes, groups of each kind that read and commit, and a coordinator that dies, stops or stands
 * still: the members go on, with nobody else told and nothing lost.
 *
 * A group's records are on its coordinator alone, for records are not copied between brokers: no other
 * broker takes its place by itself, and a group goes on when its coordinator is back. An operator can give
 * it to another one, and gives up with that what was committed.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { findCoordinator } from "../../src/api/find_coordinator.ts";
import { metadata } from "../../src/api/metadata.ts";
import { offsetCommit } from "../../src/api/offset_commit.ts";
import type { ResponseOf } from "../../src/api/schema.ts";
import { Client } from "../../src/client/client.ts";
import type { Address } from "../../src/env/network.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { bytesOf } from "../../src/ground/text.ts";
import { createHostEnv, parseAddress, type Producer } from "../../src/mod.ts";
import { Cluster, type ClusterNode } from "../harness/cluster.ts";
import { NodeConnections } from "../harness/node_connections.ts";
import { lasting, until, untilAsync } from "../harness/until.ts";
import { CREW_SETTINGS, GroupCrew, KINDS } from "./group_crew.ts";

const TOPIC = "t";
const OFFSETS_TOPIC = "__consumer_offsets";
const PARTITIONS = 6;
const MEMBERS = 3;
const SETTINGS = [
  "broker.session.timeout.ms=1000",
  "broker.heartbeat.interval.ms=200",
  "offsets.topic.num.partitions=3",
  ...CREW_SETTINGS,
];
/** Longer than a node that stands still. */
const PATIENCE_MS = 20_000;
const ROUND_MS = 20;

let cluster: Cluster;
let client: Client;
let connections: NodeConnections;

beforeAll(async () => {
  cluster = await Cluster.start({ words: () => SETTINGS.flatMap((each) => ["-X", each]) });
  client = new Client({ brokers: addresses(), env: createHostEnv(), requestTimeoutMs: 1500 });
  connections = new NodeConnections("asks", PATIENCE_MS);
  const [made] = await client.admin.createTopics([
    { name: TOPIC, partitions: PARTITIONS, replicationFactor: MEMBERS },
  ]);
  if (made?.error !== undefined) throw made.error;
});
afterAll(async () => {
  connections.close();
  await client.close();
  await cluster[Symbol.asyncDispose]();
});

function addresses(): readonly Address[] {
  return cluster.nodes.map(({ kafka }) => parseAddress(kafka) as Address);
}

async function coordinatorOf(group: string, asked: ClusterNode): Promise<number> {
  const body = { key: group, coordinatorKeys: [group] };
  const { coordinators } = await connections.request(asked, findCoordinator, body);
  const [found] = coordinators;
  return found?.errorCode === ErrorCode.None ? found.nodeId : -1;
}

/** What a node answers to somebody who is no member and commits the offset 0. */
async function commitAt(node: ClusterNode, groupId: string): Promise<number | undefined> {
  const { topicId } = await topicOf(TOPIC);
  const answer = await connections.request(node, offsetCommit, {
    groupId,
    memberId: "",
    generationIdOrMemberEpoch: -1,
    topics: [{
      name: TOPIC,
      topicId,
      partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: "" }],
    }],
  });
  return answer.topics[0]?.partitions[0]?.errorCode;
}

let names = 0;

/** A group name that is coordinated by a node. */
async function groupAt(node: number): Promise<string> {
  for (;;) {
    const name = `group-${++names}`;
    // deno-lint-ignore no-await-in-loop -- one after the other
    if (await coordinatorOf(name, cluster.node(node)) === node) return name;
  }
}

/** Records to every partition, which do not wait for each other; `ends` is what was acknowledged. */
class Source implements AsyncDisposable {
  readonly ends: number[] = Array.from({ length: PARTITIONS }, () => 0);
  readonly #life = new AbortController();
  readonly #producer: Producer = client.producer({ lingerMs: 0, signal: this.#life.signal });
  readonly #loops: Promise<void>[];
  #isOver = false;

  constructor() {
    this.#loops = this.ends.map((_, partition) => this.#produce(partition));
    for (const loop of this.#loops) loop.catch(() => undefined); // `stop` tells
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #produce(partition: number): Promise<void> {
    while (!this.#isOver) {
      const record = { key: null, value: bytesOf("x"), partition };
      // deno-lint-ignore no-await-in-loop -- one after the other
      const { offset } = await this.#producer.send(TOPIC, record);
      this.ends[partition] = offset + 1;
      // deno-lint-ignore no-await-in-loop -- a steady load, not a burst
      await lasting(ROUND_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    await this.stop().catch(() => undefined); // where it was not stopped, the test has failed already
  }
}

interface Scene extends AsyncDisposable {
  readonly source: Source;
  readonly crews: readonly GroupCrew[];
  /** The coordinator of all of the groups. */
  readonly node: ClusterNode;
}

/** A group of each kind, settled, each coordinated by the same node. */
async function scene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const node = cluster.node(await coordinatorOf("first", cluster.node(1)));
  const source = stack.use(new Source());
  const crews: GroupCrew[] = [];
  for (const kind of Object.values(KINDS)) {
    const group = await groupAt(node.id);
    const options = { brokers: addresses(), topic: TOPIC, group, count: MEMBERS, kind };
    crews.push(stack.use(new GroupCrew(options)));
  }
  for (const crew of crews) crew.start();
  for (const crew of crews) {
    await until(`${crew.group} is settled`, () => crew.isSettled(PARTITIONS));
    await until("there are commits", () => crew.committed(0) > 0);
  }
  // An owner that has just got a partition asks the coordinator where to begin.
  await expectReading({ crews, source }, [...source.ends.keys()]);
  const owned = stack.move();
  return { source, crews, node, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** All that is acknowledged is read and committed, and nothing was that must not be. */
async function expectWhole({ source, crews }: Scene): Promise<void> {
  await source.stop();
  for (const crew of crews) {
    for (const [partition, end] of source.ends.entries()) {
      await until(
        `${crew.group} has committed ${partition} at ${end}`,
        () => crew.committed(partition) === end,
      );
      expect(crew.missing(partition, end)).toBeUndefined();
    }
    expect(crew.faults).toEqual([]);
  }
}

/** What a node that does not stand still knows of a topic. */
async function topicOf(name: string): Promise<ResponseOf<typeof metadata>["topics"][number]> {
  const asked = cluster.nodes.find(({ isPaused, isRunning }) => isRunning && !isPaused);
  const topics = [{ name, topicId: ZERO_UUID }];
  const body = { topics, allowAutoTopicCreation: false };
  const answer = await connections.request(asked as ClusterNode, metadata, body);
  const [topic] = answer.topics;
  if (topic?.errorCode !== ErrorCode.None) throw new Error(`Cannot find ${name}`);
  return topic;
}

/** The leaders of partitions, -1 where there is none. */
async function leadersOf(name: string): Promise<readonly number[]> {
  const { partitions } = await topicOf(name);
  return partitions.toSorted((one, other) => one.partitionIndex - other.partitionIndex)
    .map(({ leaderId }) => leaderId);
}

/** Until the others know that nobody leads what this node has led. */
async function untilLeaderless(node: ClusterNode): Promise<void> {
  await untilAsync(`${node.id} leads nothing`, async () => {
    return !(await leadersOf(OFFSETS_TOPIC)).includes(node.id);
  });
}

/** These are read on, whether anything can be committed or not. */
async function expectReading(
  { crews, source }: Pick<Scene, "crews" | "source">,
  partitions: readonly number[],
): Promise<void> {
  for (const crew of crews) {
    for (const partition of partitions) {
      const before = crew.seenCount(partition);
      await until("others are read on", () => crew.seenCount(partition) > before)
        .catch((error: unknown) => {
          const seen = source.ends.map((end, at) => `${crew.seenCount(at)} of ${end}`);
          throw new Error(`${error}: ${crew.group}, partition ${partition}: ${seen}`);
        });
    }
  }
}

describe("a coordinator", () => {
  for (
    const [how, fall, rise] of [
      ["is killed", (node: ClusterNode) => node.kill(), (node: ClusterNode) => node.start()],
      ["is stopped", (node: ClusterNode) => node.stop(), (node: ClusterNode) => node.start()],
      [
        "stands still until it counts as dead",
        async (node: ClusterNode) => {
          node.pause();
          await untilLeaderless(node);
        },
        (node: ClusterNode) => Promise.resolve(node.resume()),
      ],
    ] as const
  ) {
    test(`that ${how} is waited for: no member loses its place`, async () => {
      await using live = await scene();
      const { crews, node } = live;
      const places = crews.map((crew) => [crew.assignments(), ...crew.memberIds(), ...crew.moves]);
      const leaders = await leadersOf(TOPIC);
      const elsewhere = [...leaders.keys()].filter((at) => leaders[at] !== node.id);
      await fall(node);
      await expectReading(live, elsewhere);
      await rise(node);
      await expectWhole(live);
      expect(crews.map((crew) => [crew.assignments(), ...crew.memberIds(), ...crew.moves]))
        .toEqual(places);
    }, PATIENCE_MS * 3);
  }

  test("whose groups an operator gives to another is believed no more", async () => {
    await using live = await scene();
    const { crews, node } = live;
    const leaders = await leadersOf(OFFSETS_TOPIC);
    const partitions = [...leaders.keys()].filter((at) => leaders[at] === node.id);
    node.pause();
    await untilLeaderless(node);
    for (const crew of crews) crew.mayLose = true; // its records are gone with it
    const given = await client.admin.electLeaders([{ name: OFFSETS_TOPIC, partitions }], {
      type: "unclean",
    });
    expect(given.map(({ error }) => error)).toEqual(partitions.map(() => undefined));
    const other = cluster.nodes.find((each) => each !== node) as ClusterNode;
    for (const { group } of crews) expect(await coordinatorOf(group, other)).not.toBe(node.id);
    node.resume();
    await untilAsync("it has heard", async () => {
      return await commitAt(node, crews[0]?.group ?? "") === ErrorCode.NotCoordinator;
    });
    await expectWhole(live);
    for (const crew of crews) {
      await until(`${crew.group} is settled`, () => crew.isSettled(PARTITIONS));
      expect(await commitAt(node, crew.group)).toBe(ErrorCode.NotCoordinator);
    }
  }, PATIENCE_MS * 3);
});
