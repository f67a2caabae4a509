import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import {
  decideUnregisterBroker,
  type UnregisteredBroker,
} from "../../src/metadata/decide/unregister_broker.ts";
import { Cluster } from "./cluster.ts";

function unregister(cluster: Cluster, brokerId: number): UnregisteredBroker {
  const { brokerValue } = cluster;
  return cluster.decide((image) => decideUnregisterBroker(image, { brokerId, brokerValue }));
}

describe("decideUnregisterBroker()", () => {
  test("takes a broker out of the cluster and out of the ISRs of others", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("t", [1, 2]);
    cluster.alterIsr("t", [1, 2]);
    expect(unregister(cluster, 1)).toEqual({ errorCode: ErrorCode.None, errorMessage: null });
    expect(cluster.image.broker(1)).toBeUndefined();
    expect(cluster.state("t")).toEqual([2, 1, [2], 2]);
    expect(cluster.partition("t").replicas).toEqual([1, 2]);
  });

  test("what only it has is led by nobody until it is there again", () => {
    const cluster = Cluster.of(1, 2);
    cluster.create("t", [1, 2]);
    unregister(cluster, 1);
    expect(cluster.state("t")).toEqual([-1, 1, [1], 1]);
    cluster.restart(1);
    expect(cluster.state("t")).toEqual([-1, 1, [1], 1]);
    cluster.heartbeat(1);
    expect(cluster.state("t")).toEqual([1, 2, [1], 2]);
  });

  test("knows only who is registered", () => {
    expect(unregister(Cluster.of(1), 7)).toEqual({
      errorCode: ErrorCode.BrokerIdNotRegistered,
      errorMessage: "Broker ID 7 is not currently registered",
    });
  });

  test("needs the level of clusters", () => {
    const cluster = new Cluster();
    cluster.register(1);
    expect(unregister(cluster, 1).errorCode).toBe(ErrorCode.UnsupportedVersion);
  });
});
