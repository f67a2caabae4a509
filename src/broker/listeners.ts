/**
 * The listeners of a node: where it listens and for whom, and what the cluster is told of it.
 *
 * Any listener takes other nodes too, unless `controller.listener.names` names those that do. A node
 * that stands alone does not open those: Kafka's own files name one, and nobody would come to it.
 */
import type { Address } from "../env/network.ts";
import type { ListenerAddress } from "../metadata/record.ts";
import type { BrokerSettings } from "../runtime/broker_settings.ts";
import { addressesOf, formatAddress, protocolOf, withPort } from "./addresses.ts";
import { BrokerFault } from "./broker_fault.ts";
import type { ScopedListener } from "./door.ts";
import type { NodePlan } from "./node_plan.ts";

/** A listener with its name; the address is bound later. */
export interface NamedListener extends ScopedListener {
  readonly name: string;
}

const DEFAULT_NAME = "PLAINTEXT";

/** Throws a `BrokerFault`. */
export function listenersOf(
  settings: BrokerSettings,
  { standsAlone }: NodePlan,
): readonly NamedListener[] {
  const ofControllers = new Set(settings.get("controller.listener.names") ?? []);
  const texts = (settings.get("listeners") ?? []).filter((text) => {
    return !standsAlone || !ofControllers.has(nameOf(text));
  });
  const addresses = addressesOf(texts.map((text) => protocolOf(text, settings)));
  return addresses.map((address, index) => {
    const name = nameOf(texts[index] as string);
    const isShared = standsAlone || ofControllers.size === 0;
    return {
      name,
      address,
      scope: isShared ? "all" : ofControllers.has(name) ? "peers" : "clients",
    };
  });
}

/** What clients and other brokers are told, the first first. Throws a `BrokerFault`. */
export function advertisedOf(
  settings: BrokerSettings,
  listeners: readonly NamedListener[],
): readonly ListenerAddress[] {
  const ofControllers = new Set(settings.get("controller.listener.names") ?? []);
  const given = (settings.get("advertised.listeners") ?? []).filter((text) => {
    return !ofControllers.has(nameOf(text));
  });
  const addresses = addressesOf(given.map((text) => protocolOf(text, settings)), listeners);
  const advertised = given.length > 0
    ? addresses.map((address, index) => ({ name: nameOf(given[index] as string), ...address }))
    : listeners.filter(({ scope }) => scope !== "peers")
      .map(({ name, address }) => ({ name, ...address }));
  const wrong = advertised.find(({ host }) => host === "0.0.0.0" || host === "::");
  if (wrong !== undefined) {
    throw new BrokerFault(
      "BAD_SETTING",
      `Cannot tell clients to connect to ${formatAddress(wrong)}, which is every address`,
      "set advertised.listeners (--advertise HOST:PORT) to the address that clients can reach",
    );
  }
  return advertised;
}

/** Port 0 stands for the port that was bound for the listener of that name. */
export function withBoundPorts(
  advertised: readonly ListenerAddress[],
  listeners: readonly NamedListener[],
  bound: readonly Address[],
): readonly ListenerAddress[] {
  return advertised.map((one) => {
    const at = Math.max(listeners.findIndex(({ name }) => name === one.name), 0);
    return { name: one.name, ...withPort(one, bound[at] as Address) };
  });
}

function nameOf(text: string): string {
  return /^\s*([^:/]+):\/\//.exec(text)?.[1] ?? DEFAULT_NAME;
}
