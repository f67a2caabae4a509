import { describe, expect, test } from "bun:test";
import { type NodePlan, planOf, refuseUnformatted } from "../../src/broker/node_plan.ts";
import { BrokerSettings } from "../../src/runtime/broker_settings.ts";
import { MemoryDisk } from "../log/memory_disk.ts";

type Texts = Readonly<Record<string, string>>;

function settingsOf(texts: Texts): BrokerSettings {
  return new BrokerSettings(new Map(Object.entries(texts)));
}

function plan(texts: Texts): NodePlan {
  return planOf(settingsOf(texts));
}

const THREE = { "controller.quorum.voters": "1@a:9092,2@b:9092,3@[::1]:9093" };

describe("planOf()", () => {
  test("a node that names nobody, or itself alone, stands alone", () => {
    expect(plan({})).toEqual({
      nodeId: 1,
      isBroker: true,
      isController: true,
      voters: [],
      bootstrap: [],
      asksItself: false,
      standsAlone: true,
      isFirstVoter: false,
    });
    expect(plan({ "controller.quorum.voters": "1@localhost:9093" }).standsAlone).toBeTrue();
  });

  test("a node among others is a voter, a follower, or waits to be added", () => {
    expect(plan({ ...THREE, "node.id": "3" })).toEqual({
      nodeId: 3,
      isBroker: true,
      isController: true,
      voters: [
        { id: 1, host: "a", port: 9092 },
        { id: 2, host: "b", port: 9092 },
        { id: 3, host: "::1", port: 9093 },
      ],
      bootstrap: [],
      asksItself: false,
      standsAlone: false,
      isFirstVoter: true,
    });
    const follower = plan({ ...THREE, "node.id": "4", "process.roles": "broker" });
    expect([follower.isController, follower.isFirstVoter]).toEqual([false, false]);
    const toBe = plan({ "controller.quorum.bootstrap.servers": "a:9092", "node.id": "4" });
    expect([toBe.standsAlone, toBe.isFirstVoter]).toEqual([false, false]);
    expect(toBe.bootstrap).toEqual([{ host: "a", port: 9092 }]);
    const all = plan({ "controller.quorum.bootstrap.servers": "a:9092,127.0.0.1:9092" });
    expect([all.standsAlone, all.asksItself]).toEqual([false, true]);
  });

  test("what contradicts itself is refused, with the remedy", () => {
    expect(() => plan({ "process.roles": "" })).toThrow("without a role");
    expect(() => plan({ "process.roles": "broker" })).toThrow("without controllers");
    expect(() => plan({ ...THREE, "process.roles": "broker" })).toThrow("names it");
    expect(() => plan({ "controller.quorum.voters": "1@a:1,1@b:2" })).toThrow("node 1 twice");
    expect(() => plan({ "controller.quorum.voters": "1@a:0" })).toThrow("Invalid address");
    expect(() => plan({ "controller.quorum.bootstrap.servers": ":9" })).toThrow("Invalid address");
  });
});

describe("refuseUnformatted()", () => {
  const directories = ["/data"];

  function refuse(texts: Texts, disk = new MemoryDisk()): void {
    const settings = settingsOf(texts);
    refuseUnformatted(disk, directories, { settings, plan: planOf(settings) });
  }

  test("an empty directory among others needs the name of the cluster", () => {
    expect(() => refuse(THREE)).toThrow("belongs to no cluster yet");
    refuse({ ...THREE, "mq.cluster.id": "c" });
    refuse({ ...THREE, "cluster.id": "c" });
    refuse({});
  });

  test("one that was formatted does not", () => {
    const disk = new MemoryDisk();
    disk.makeDirectory("/data");
    disk.open("/data/meta.properties", "write").write(0, [new Uint8Array(1)]);
    refuse(THREE, disk);
  });
});
