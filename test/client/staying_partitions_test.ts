/**
 * What a rebalance costs the partitions that stay where they are, measured on the wire: in the Fetch
 * requests of the member that has them, while a third one joins and all are written to all the time. Each
 * member hears of it by its own next heartbeat: that is how long the eager protocol keeps the first waiting.
 */
import { describe, expect, test } from "bun:test";
import { fetch } from "../../src/api/fetch.ts";
import { connect } from "../../src/client/client.ts";
import type { AssignorName, GroupProtocol } from "../../src/client/group_options.ts";
import type { Address, DialOptions, Network, Stream } from "../../src/env/network.ts";
import { Reader } from "../../src/ground/reader.ts";
import { requestReader } from "../../src/wire/codec.ts";
import { FrameSplitter } from "../../src/wire/frame.ts";
import { readRequestHeader } from "../../src/wire/header.ts";
import { startBroker } from "../broker/broker_fixture.ts";
import { Member } from "./grouping.ts";
import { valued } from "./harness.ts";
import type { ManualClock } from "./manual_clock.ts";

const STEP_MS = 20;
const PARTITIONS = 6;
/** Between two heartbeats of the second member, under the classic protocol. */
const SLOW_MS = 5000;

/** A network that notes when which partition was asked for. */
class Tapped implements Network {
  readonly streamsMax = Infinity;
  readonly askedAt: { readonly atMs: number; readonly partition: number }[] = [];
  readonly #inner: Network;
  readonly #clock: ManualClock;

  constructor(inner: Network, clock: ManualClock) {
    this.#inner = inner;
    this.#clock = clock;
  }

  listen: Network["listen"] = (address, onStream) => this.#inner.listen(address, onStream);

  async dial(address: Address, options?: DialOptions): Promise<Stream> {
    const stream = await this.#inner.dial(address, options);
    const onFrame = (frame: Uint8Array): void => this.#note(frame);
    const splitter = new FrameSplitter({ frameBytesMax: 1 << 20, onFrame });
    const write = stream.write.bind(stream);
    stream.write = (bytes) => {
      splitter.push(bytes.slice());
      return write(bytes);
    };
    return stream;
  }

  #note(frame: Uint8Array): void {
    const reader = new Reader(frame);
    const { apiKey, apiVersion } = readRequestHeader(reader);
    if (apiKey !== fetch.key) return;
    const atMs = this.#clock.monotonicMs();
    for (const { partitions } of requestReader(fetch, apiVersion)(reader).topics) {
      for (const { partition } of partitions) this.askedAt.push({ atMs, partition });
    }
  }
}

interface Cost {
  /** Milliseconds: the longest between two requests for a partition that stays, during the rebalance. */
  readonly longestMs: number;
  readonly stayed: number;
}

async function measure(protocol: GroupProtocol, assignor: AssignorName): Promise<Cost> {
  const { broker, clock, env } = await startBroker();
  const brokers = [{ host: "127.0.0.1", port: 9092 }];
  const client = await clock.until(connect({ brokers, env }));
  await clock.until(client.admin.createTopics([{ name: "a", partitions: PARTITIONS }]));
  const producer = client.producer({ lingerMs: 0 });
  const tapped = new Tapped(env.network, clock);
  const member = async (
    name: string,
    network: Network,
    heartbeatIntervalMs: number,
  ): Promise<Member> => {
    const own = await clock.until(connect({ brokers, env: { ...env, network }, clientId: name }));
    const start = { groupId: "g", topics: ["a"], from: { kind: "start" }, protocol } as const;
    return new Member(name, own, { ...start, assignors: [assignor], heartbeatIntervalMs }).start();
  };
  const writeFor = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        producer.send("a", { ...valued("v"), partition }).catch(() => undefined);
      }
      await clock.advance(STEP_MS);
    }
  };
  const one = await member("one", tapped, 1000);
  await writeFor(5000);
  const two = await member("two", env.network, SLOW_MS);
  await writeFor(17_000); // between two of its heartbeats
  const before = one.partitions;
  expect([before.length, two.partitions.length]).toEqual([PARTITIONS / 2, PARTITIONS / 2]);
  const beganMs = clock.monotonicMs();
  const three = await member("three", env.network, 1000);
  await writeFor(15_000);
  expect(three.partitions).toHaveLength(PARTITIONS / 3);
  const staying = one.partitions.filter((partition) => before.includes(partition));
  const asked = tapped.askedAt.filter(({ atMs }) => atMs >= beganMs - STEP_MS);
  const gaps = staying.flatMap((partition) => {
    const times = asked.filter((ask) => ask.partition === partition).map(({ atMs }) => atMs);
    return times.slice(1).map((atMs, index) => atMs - (times[index] as number));
  });
  await Promise.all([one, two, three].map((each) => clock.until(each.consumer.close())));
  await clock.until(client.close());
  await clock.until(broker.stop());
  return { longestMs: Math.max(...gaps), stayed: staying.length };
}

describe("partitions that stay with their member in a rebalance", () => {
  for (const protocol of ["classic", "consumer"] as const) {
    test(`are asked for as at rest, ${protocol} protocol, cooperative`, async () => {
      const { longestMs, stayed } = await measure(protocol, "cooperative-sticky");
      expect(stayed).toBe(PARTITIONS / 3);
      expect(longestMs).toBeLessThanOrEqual(2 * STEP_MS);
    });
  }

  test("stand still for up to a heartbeat of the slowest where the assignor is eager", async () => {
    const { longestMs } = await measure("classic", "range");
    expect(longestMs).toBeGreaterThan(SLOW_MS / 5);
    expect(longestMs).toBeLessThanOrEqual(SLOW_MS + 2 * STEP_MS);
  });
});
