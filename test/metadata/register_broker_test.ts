import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import type { RegisterBrokerRequest } from "../../src/metadata/decide/register_broker.ts";
import { decideUnregisterBroker } from "../../src/metadata/decide/unregister_broker.ts";
import { METADATA_VERSION } from "../../src/metadata/feature.ts";
import { Cluster, uuid } from "./cluster.ts";

const OTHER = uuid(99, 99);

function refusal(
  cluster: Cluster,
  brokerId: number,
  fields: Partial<RegisterBrokerRequest>,
): readonly unknown[] {
  const before = cluster.log.length;
  const { errorCode, errorMessage, brokerEpoch } = cluster.register(brokerId, fields);
  expect(cluster.log.length).toBe(before);
  expect(brokerEpoch).toBe(-1);
  return [errorCode, errorMessage];
}

describe("decideRegisterBroker()", () => {
  test("makes a broker that is fenced, with the offset of its record as its epoch", () => {
    const cluster = Cluster.of();
    const offset = cluster.image.nextOffset;
    expect(cluster.register(1, { rack: "a" })).toEqual({
      errorCode: ErrorCode.None,
      errorMessage: null,
      brokerEpoch: undefined,
    });
    const broker = cluster.image.broker(1);
    expect([broker?.brokerEpoch, broker?.isFenced, broker?.rack]).toEqual([offset, true, "a"]);
    expect([broker?.host, broker?.port]).toEqual(["host-1", 9092]);
    expect(cluster.image.isActive(1)).toBe(false);
  });

  test("refuses a broker of another cluster", () => {
    expect(refusal(Cluster.of(), 1, { clusterId: "another" })).toEqual([
      ErrorCode.InconsistentClusterId,
      "Expected cluster ID a cluster, but got cluster ID another",
    ]);
  });

  test("refuses another incarnation while the one before is heard of, and takes it afterwards", () => {
    const cluster = Cluster.of(1);
    const asked = { incarnationId: OTHER, isInContact: true };
    expect(refusal(cluster, 1, asked)).toEqual([
      ErrorCode.DuplicateBrokerRegistration,
      "Another broker is registered with that broker id. If the broker was recently restarted this " +
      "should self-resolve once the heartbeat manager expires the broker's session.",
    ]);
    cluster.fence(1); // its session is over
    const before = cluster.epochOf(1);
    expect(cluster.register(1, asked).errorCode).toBe(ErrorCode.None);
    expect(cluster.epochOf(1)).toBeGreaterThan(before);
  });

  test("the same incarnation keeps its epoch and its state, and writes only what it changes", () => {
    const cluster = Cluster.of(1);
    const before = cluster.epochOf(1);
    const { incarnationId } = cluster.image.broker(1) as { readonly incarnationId: typeof OTHER };
    const again = cluster.register(1, { incarnationId, isInContact: true });
    expect([again.errorCode, again.brokerEpoch]).toEqual([ErrorCode.None, before]);
    expect(cluster.written).toHaveLength(0);
    cluster.register(1, { incarnationId, rack: "b" });
    expect(cluster.written).toHaveLength(1);
    expect(cluster.epochOf(1)).toBe(before);
    expect(cluster.image.isActive(1)).toBe(true);
    expect(cluster.image.broker(1)?.rack).toBe("b");
  });

  test("refuses directories that are none, not its own, or named twice", () => {
    const cluster = Cluster.of(1);
    const of = (...directoryIds: readonly (typeof ZERO_UUID)[]): readonly unknown[] =>
      refusal(cluster, 2, { directoryIds });
    const { InvalidRegistration } = ErrorCode;
    expect(of()).toEqual([InvalidRegistration, "No directories specified in request"]);
    expect(of(ZERO_UUID)).toEqual([InvalidRegistration, "Reserved directory ID in request"]);
    expect(of(OTHER, OTHER)).toEqual([InvalidRegistration, "Duplicate directory ID in request"]);
    const ofOne = cluster.image.broker(1)?.directoryIds[0] as typeof ZERO_UUID;
    expect(of(ofOne)).toEqual([
      InvalidRegistration,
      `Broker 1 is already registered with directory ${ofOne}`,
    ]);
    expect(refusal(cluster, 2, { listeners: [] })).toEqual([
      InvalidRegistration,
      "No listeners specified in request",
    ]);
  });

  test("refuses a broker that does not know the level in force, or says nothing of it", () => {
    const cluster = Cluster.of();
    const { UnsupportedVersion } = ErrorCode;
    const features = [{ name: METADATA_VERSION, minVersion: 4, maxVersion: 9 }];
    expect(refusal(cluster, 1, { features })).toEqual([
      UnsupportedVersion,
      "Unable to register because the broker does not support finalized version 3 of " +
      "metadata.version. The broker wants a version between 4 and 9, inclusive.",
    ]);
    expect(refusal(cluster, 1, { features: [] })).toEqual([
      ErrorCode.InvalidRegistration,
      "Request features do not contain 'metadata.version'",
    ]);
  });

  test("one that comes back leaves the ISRs in which somebody else stays", () => {
    const cluster = Cluster.of(1, 2, 3);
    cluster.create("t", [1, 2, 3], [2, 1, 3]);
    cluster.alterIsr("t", [1, 2, 3]);
    cluster.alterIsr("t", [2, 1], { partitionId: 1 });
    cluster.restart(1);
    expect(cluster.state("t", 0)).toEqual([2, 1, [2, 3], 2]);
    expect(cluster.state("t", 1)).toEqual([2, 0, [2], 2]);
  });

  test("where it leads on with followers it does so in an epoch of its own, unless all is there", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("t", [1, 2]);
    cluster.create("alone", [1]);
    const previousBrokerEpoch = cluster.epochOf(1);
    cluster.restart(1, { isClean: true, previousBrokerEpoch });
    expect(cluster.state("t")).toEqual([1, 0, [1], 0]);
    // Clean, but of an earlier life than the one that is registered.
    cluster.restart(1, { isClean: true, previousBrokerEpoch });
    expect(cluster.state("t")).toEqual([1, 1, [1], 1]);
    cluster.restart(1);
    expect(cluster.state("t")).toEqual([1, 2, [1], 2]);
    expect(cluster.state("alone")).toEqual([1, 0, [1], 0]);
  });

  test("a node alone that starts anew writes one record, however many partitions it has", () => {
    const cluster = Cluster.of(1);
    cluster.create("t", [1], [1], [1]);
    cluster.restart(1, { startsUnfenced: true });
    expect(cluster.written.map(({ kind }) => kind)).toEqual(["register-broker"]);
    expect(cluster.image.isActive(1)).toBe(true);
  });

  test("one that serves at once takes over what nobody leads", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("t", [1, 2]);
    cluster.settings.set("unclean.leader.election.enable", "true");
    cluster.fence(2);
    cluster.fence(1);
    expect(cluster.state("t")).toEqual([1, 0, [1], 0]);
    cluster.restart(2, { startsUnfenced: true });
    expect(cluster.state("t")).toEqual([2, 1, [2], 1]);
  });

  test("what only it has is not given away when it serves at once", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("t", [1, 2]);
    const { brokerValue } = cluster;
    cluster.decide((image) => decideUnregisterBroker(image, { brokerId: 1, brokerValue }));
    expect(cluster.state("t")).toEqual([-1, 1, [1], 1]);
    cluster.settings.set("unclean.leader.election.enable", "true");
    cluster.restart(1, { startsUnfenced: true });
    expect(cluster.state("t")).toEqual([1, 2, [1], 2]);
  });

  test("at the level of a node alone it has the form from before", () => {
    const cluster = new Cluster();
    expect(cluster.register(1).errorCode).toBe(ErrorCode.None);
    expect(cluster.written.map(({ kind, version }) => [kind, version])).toEqual([
      ["register-broker", 0],
    ]);
    expect(cluster.image.isActive(1)).toBe(true);
    expect(cluster.image.broker(1)?.listeners).toEqual([
      { name: "PLAINTEXT", host: "host-1", port: 9092 },
    ]);
  });
});
