import { describe, expect, test } from "bun:test";
import { clientListeners, parseListener } from "../../src/broker/addresses.ts";
import { BrokerSettings } from "../../src/runtime/broker_settings.ts";

function listenersOf(texts: Readonly<Record<string, string>>): readonly string[] {
  return clientListeners("listeners", new BrokerSettings(new Map(Object.entries(texts))));
}

describe("clientListeners()", () => {
  test("leaves out those for controllers", () => {
    expect(listenersOf({
      "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
      "controller.listener.names": "CONTROLLER",
    })).toEqual(["PLAINTEXT://:9092"]);
  });

  test("has the protocol in place of the name", () => {
    expect(listenersOf({
      "listeners": "INTERNAL://h:1,OUTSIDE://h:2,h:3,SSL://h:4",
      "listener.security.protocol.map": "INTERNAL:PLAINTEXT, OUTSIDE:SSL",
    })).toEqual(["PLAINTEXT://h:1", "SSL://h:2", "h:3", "SSL://h:4"]);
  });

  test("keeps what is not for controllers, to be refused by its name", () => {
    const [text = ""] = listenersOf({ listeners: "CONTROLLER://:9093" });
    expect(parseListener(text)).toMatch(/only PLAINTEXT is served yet, not CONTROLLER/);
  });
});
