import { describe, expect, test } from "bun:test";
import { apiVersions } from "../../src/api/api_versions.ts";
import { describeCluster } from "../../src/api/describe_cluster.ts";
import { metadata } from "../../src/api/metadata.ts";
import { parseAddress } from "../../src/client/address.ts";
import { Connection } from "../../src/client/connection.ts";
import { ConnectionPool } from "../../src/client/connection_pool.ts";
import type { FakeBroker } from "./fake_broker.ts";
import { codeOf, type Harness, startHarness } from "./harness.ts";

const ALL_TOPICS = { topics: null };

function open(harness: Harness, options: { signal?: AbortSignal } = {}): Promise<Connection> {
  const { address } = harness.brokers[0] as FakeBroker;
  return harness.clock.until(
    Connection.open({
      address,
      clientId: "t",
      requestTimeoutMs: 1000,
      env: harness.env,
      ...options,
    }),
  );
}

describe("Connection", () => {
  test("request() pipelines: answers find their requests", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    harness.cluster.createTopic("a");
    const connection = await open(harness);
    const gate = Promise.withResolvers<void>();
    broker.script(metadata, { kind: "hold", when: gate.promise });
    const first = connection.request(metadata, ALL_TOPICS);
    const second = connection.request(describeCluster, {
      includeClusterAuthorizedOperations: false,
    });
    await harness.clock.settle();
    expect(broker.requests).toHaveLength(3); // both left without waiting for an answer
    expect(connection.pendingCount).toBe(2);
    gate.resolve();
    expect((await harness.clock.until(first)).topics[0]?.name).toBe("a");
    expect((await harness.clock.until(second)).clusterId).toBe("fake");
    expect(connection.pendingCount).toBe(0);
  });

  test("request() reads answers that come byte by byte", async () => {
    const harness = await startHarness();
    harness.network.pieceBytes = 1;
    harness.cluster.createTopic("a", 3);
    const connection = await open(harness);
    const answer = await harness.clock.until(connection.request(metadata, ALL_TOPICS));
    expect(answer.topics[0]?.partitions).toHaveLength(3);
  });

  test("open() asks ApiVersions again in the version the broker has", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    broker.versions.set(apiVersions.key, [0, 2]);
    broker.versions.set(metadata.key, [0, 5]);
    const connection = await open(harness);
    expect(broker.requestsOf(apiVersions).map(({ version }) => version)).toEqual([2]);
    expect(connection.versionOf(metadata)).toBe(5);
  });

  test("versionOf() is the highest that both sides speak, or undefined", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    broker.versions.set(metadata.key, [99, 100]);
    const connection = await open(harness);
    expect(connection.versionOf(metadata)).toBeUndefined();
    expect(connection.versionOf(describeCluster)).toBe(2);
    expect(connection.versionOf(describeCluster, 1)).toBe(1);
    expect(await codeOf(connection.request(metadata, ALL_TOPICS))).toBe("UNSUPPORTED_VERSION");
  });

  test("an answer that is not the next one ends the connection: nothing can be trusted", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    const connection = await open(harness);
    broker.script(metadata, { kind: "skip" });
    const first = codeOf(connection.request(metadata, ALL_TOPICS));
    const second = codeOf(connection.request(metadata, ALL_TOPICS));
    expect(await harness.clock.until(first)).toBe("PROTOCOL");
    expect(await harness.clock.until(second)).toBe("PROTOCOL");
    expect(connection.isOpen).toBeFalse();
  });

  test("request() fails with TIMEOUT where nothing comes", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    const connection = await open(harness);
    broker.script(metadata, { kind: "silence" });
    const before = harness.clock.monotonicMs();
    const code = codeOf(connection.request(metadata, ALL_TOPICS));
    const behind = codeOf(connection.request(metadata, ALL_TOPICS, { timeoutMs: 5000 }));
    expect(await harness.clock.until(code)).toBe("TIMEOUT");
    expect(await harness.clock.until(behind)).toBe("TIMEOUT");
    expect(harness.clock.monotonicMs() - before).toBe(1000);
    expect(connection.isOpen).toBeFalse();
    expect(await codeOf(connection.request(metadata, ALL_TOPICS))).toBe("TIMEOUT");
  });

  test("a broker that closes fails what waits with UNREACHABLE", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    const connection = await open(harness);
    broker.script(metadata, { kind: "close", isServed: true });
    let isClosed = false;
    connection.onClose(() => isClosed = true);
    const code = codeOf(connection.request(metadata, ALL_TOPICS));
    expect(await harness.clock.until(code)).toBe("UNREACHABLE");
    expect(isClosed).toBeTrue();
  });

  test("an answer that cannot be read is PROTOCOL, and ends the connection", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    const connection = await open(harness);
    broker.script(metadata, { kind: "raw", bytes: Uint8Array.of(0, 0, 0, 6, 0, 0, 0, 2, 0, 9) });
    const code = codeOf(connection.request(metadata, ALL_TOPICS));
    expect(await harness.clock.until(code)).toBe("PROTOCOL");
    expect(connection.isOpen).toBeFalse();
  });

  test("a frame over the limit is PROTOCOL", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    const connection = await open(harness);
    broker.script(metadata, { kind: "raw", bytes: Uint8Array.of(0x48, 0x54, 0x54, 0x50, 0x2f) });
    const code = codeOf(connection.request(metadata, ALL_TOPICS));
    expect(await harness.clock.until(code)).toBe("PROTOCOL");
  });

  test("a request's signal stops its waiting and nothing else", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    const connection = await open(harness);
    const gate = Promise.withResolvers<void>();
    broker.script(metadata, { kind: "hold", when: gate.promise });
    const stopping = new AbortController();
    const first = codeOf(connection.request(metadata, ALL_TOPICS, { signal: stopping.signal }));
    const second = connection.request(metadata, ALL_TOPICS);
    await harness.clock.settle();
    stopping.abort();
    expect(await harness.clock.until(first)).toBe("ABORTED");
    gate.resolve();
    expect((await harness.clock.until(second)).clusterId).toBe("fake");
    expect(await codeOf(connection.request(metadata, ALL_TOPICS, { signal: stopping.signal })))
      .toBe("ABORTED");
  });

  test("the connection's signal ends it", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    const stopping = new AbortController();
    const connection = await open(harness, { signal: stopping.signal });
    broker.script(metadata, { kind: "silence" });
    const code = codeOf(connection.request(metadata, ALL_TOPICS));
    stopping.abort();
    expect(await harness.clock.until(code)).toBe("ABORTED");
    expect(connection.isOpen).toBeFalse();
  });
});

describe("ConnectionPool", () => {
  function pool(harness: Harness, ports: readonly number[]): ConnectionPool {
    return new ConnectionPool({
      bootstrap: ports.map((port) => ({ host: "broker", port })),
      clientId: "t",
      requestTimeoutMs: 1000,
      env: harness.env,
      signal: new AbortController().signal,
    });
  }

  test("any() goes on to the next address, and stays with what is open", async () => {
    const harness = await startHarness(2);
    const connections = pool(harness, [9999, 9002]);
    const first = await harness.clock.until(connections.any());
    expect(first.address.port).toBe(9002);
    expect(await harness.clock.until(connections.any())).toBe(first);
    expect(harness.network.dials.get("broker:9999")).toBe(1);
  });

  test("any() says what happened at every address", async () => {
    const harness = await startHarness();
    const connections = pool(harness, [9998, 9999]);
    let message = "";
    await harness.clock.until(connections.any().catch((error: Error) => message = error.message));
    expect(message).toContain("broker:9998");
    expect(message).toContain("broker:9999");
  });

  test("broker() dials once for all who ask, and once per lane", async () => {
    const harness = await startHarness();
    const connections = pool(harness, [9001]);
    connections.setBrokers(new Map([[1, { host: "broker", port: 9001 }]]));
    const [first, second] = await harness.clock.until(
      Promise.all([connections.broker(1), connections.broker(1)]),
    );
    expect(first).toBe(second);
    const fetching = await harness.clock.until(connections.broker(1, "fetch"));
    expect(fetching).not.toBe(first);
    expect(connections.opened(1)).toBe(first);
    expect(connections.opened(1, "fetch")).toBe(fetching);
    expect(harness.network.dials.get("broker:9001")).toBe(2);
  });

  test("broker() leaves one that could not be reached alone for a moment", async () => {
    const harness = await startHarness();
    const [broker] = harness.brokers as [FakeBroker];
    await broker.stop();
    const connections = pool(harness, [9001]);
    connections.setBrokers(new Map([[1, broker.address]]));
    expect(await harness.clock.until(codeOf(connections.broker(1)))).toBe("UNREACHABLE");
    const before = harness.clock.monotonicMs();
    await broker.start();
    await harness.clock.until(connections.broker(1));
    expect(harness.clock.monotonicMs() - before).toBeGreaterThanOrEqual(16);
  });

  test("broker() does not know everybody", async () => {
    const harness = await startHarness();
    expect(await codeOf(pool(harness, [9001]).broker(7))).toBe("UNREACHABLE");
  });
});

describe("parseAddress()", () => {
  test("reads host, port and IPv6", () => {
    expect(parseAddress("a")).toEqual({ host: "a", port: 9092 });
    expect(parseAddress("a.b:1")).toEqual({ host: "a.b", port: 1 });
    expect(parseAddress("[::1]:2")).toEqual({ host: "::1", port: 2 });
    expect(parseAddress("::1")).toEqual({ host: "::1", port: 9092 });
  });

  test("refuses what is none", () => {
    for (const text of ["", "a:", "a:0", "a:65536", "a:b", "a b", "[::1"]) {
      expect(parseAddress(text)).toBeUndefined();
    }
  });
});
