import { describe, expect, test } from "bun:test";
import { parseListener } from "../../src/broker/addresses.ts";
import { advertisedOf, listenersOf, withBoundPorts } from "../../src/broker/listeners.ts";
import { planOf } from "../../src/broker/node_plan.ts";
import { BrokerSettings } from "../../src/runtime/broker_settings.ts";

type Texts = Readonly<Record<string, string>>;

const THREE = { "controller.quorum.voters": "1@a:1,2@b:1,3@c:1" };

function settingsOf(texts: Texts): BrokerSettings {
  return new BrokerSettings(new Map(Object.entries(texts)));
}

/** "scope host:port" of each. */
function listenersBy(texts: Texts): readonly string[] {
  const settings = settingsOf(texts);
  return listenersOf(settings, planOf(settings))
    .map(({ address: { host, port }, scope }) => `${scope} ${host}:${port}`);
}

/** "name host:port" of each, where port 7 was bound. */
function advertisedBy(texts: Texts): readonly string[] {
  const settings = settingsOf(texts);
  const listeners = listenersOf(settings, planOf(settings));
  const bound = listeners.map(({ address }) => ({ ...address, port: 7 }));
  return withBoundPorts(advertisedOf(settings, listeners), listeners, bound)
    .map(({ name, host, port }) => `${name} ${host}:${port}`);
}

describe("listenersOf()", () => {
  test("leaves out those for controllers where the node stands alone", () => {
    expect(listenersBy({
      "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
      "controller.listener.names": "CONTROLLER",
    })).toEqual(["all 0.0.0.0:9092"]);
  });

  test("takes peers everywhere, or where the names say", () => {
    const listeners = "PLAINTEXT://h:1,CONTROLLER://h:2";
    const map = { "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT" };
    expect(listenersBy({ listeners, ...map, ...THREE })).toEqual(["all h:1", "all h:2"]);
    const named = { listeners, ...map, ...THREE, "controller.listener.names": "CONTROLLER" };
    expect(listenersBy(named)).toEqual(["clients h:1", "peers h:2"]);
  });

  test("reads the protocol by the name, and refuses what is not served", () => {
    const map = { "listener.security.protocol.map": "INTERNAL:PLAINTEXT, OUTSIDE:SSL" };
    expect(listenersBy({ listeners: "INTERNAL://h:1,h:3", ...map })).toEqual([
      "all h:1",
      "all h:3",
    ]);
    expect(() => listenersBy({ listeners: "OUTSIDE://h:2", ...map })).toThrow(
      "Invalid listener 'SSL://h:2'",
    );
    expect(() => listenersBy({ listeners: "CONTROLLER://:9093" })).toThrow(
      "Invalid listener 'CONTROLLER://:9093'",
    );
    expect(parseListener("SSL://h:4")).toMatch(/only PLAINTEXT is served yet, not SSL/);
  });

  test("wants one", () => {
    expect(() => listenersBy({ listeners: "" })).toThrow("Cannot start without listeners");
  });
});

describe("advertisedOf()", () => {
  test("tells what is listened on, with the port that was bound", () => {
    expect(advertisedBy({ listeners: "PLAINTEXT://h:0" })).toEqual(["PLAINTEXT h:7"]);
    expect(advertisedBy({ listeners: "PLAINTEXT://h:5" })).toEqual(["PLAINTEXT h:5"]);
  });

  test("tells what settings say, but nothing of listeners for controllers", () => {
    expect(advertisedBy({
      ...THREE,
      "listeners": "PLAINTEXT://:1,CONTROLLER://:2",
      "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
      "controller.listener.names": "CONTROLLER",
      "advertised.listeners": "PLAINTEXT://me:1,CONTROLLER://me:2",
    })).toEqual(["PLAINTEXT me:1"]);
  });

  test("refuses every address", () => {
    expect(() => advertisedBy({ listeners: "PLAINTEXT://:1" })).toThrow("which is every address");
  });
});
