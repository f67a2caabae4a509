/** Addresses as settings write them: `PLAINTEXT://host:port`, `host:port`, `:port`. */
import type { Address } from "../env/network.ts";
import { BrokerFault } from "./broker_fault.ts";
import type { BrokerSettings } from "../runtime/broker_settings.ts";

const PORT_MAX = 65535;

/** The address, or the reason why the text is none. */
export function parseListener(text: string): Address | string {
  const match = /^(?:([A-Za-z0-9_.-]+):\/\/)?(\[[0-9a-fA-F:.]+\]|[^:/\s]*):(\d{1,5})$/.exec(
    text.trim(),
  );
  if (match === null) {
    return `Invalid listener '${text}': write PLAINTEXT://HOST:PORT, for instance PLAINTEXT://127.0.0.1:9092`;
  }
  const [, protocol, host = "", port] = match;
  if (protocol !== undefined && protocol !== "PLAINTEXT") {
    return `Invalid listener '${text}': only PLAINTEXT is served yet, not ${protocol}`;
  }
  if (Number(port) > PORT_MAX) {
    return `Invalid listener '${text}': the port must be from 0 to ${PORT_MAX}`;
  }
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  return { host: bare === "" ? "0.0.0.0" : bare, port: Number(port) };
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A listener's address with the security protocol in place of its name. */
export function protocolOf(text: string, settings: BrokerSettings): string {
  const listener = /^\s*([^:/]+):\/\//.exec(text)?.[1];
  if (listener === undefined) return text;
  for (const entry of settings.get("listener.security.protocol.map") ?? []) {
    const [name = "", protocol = ""] = entry.split(":");
    if (name.trim() === listener) return text.replace(listener, protocol.trim());
  }
  return text;
}

/** Throws a `BrokerFault` for the first that is no address; for none at all where there is no other. */
export function addressesOf(
  texts: readonly string[],
  others: readonly unknown[] = [],
): readonly Address[] {
  if (texts.length + others.length === 0) {
    throw new BrokerFault(
      "BAD_SETTING",
      "Cannot start without listeners",
      "name an address to listen on",
    );
  }
  return texts.map((text) => {
    const address = parseListener(text);
    if (typeof address !== "string") return address;
    const [message, hint = ""] = address.split(": ");
    throw new BrokerFault("BAD_SETTING", message as string, hint);
  });
}

/** Port 0 stands for the port that was bound. */
export function withPort({ host, port }: Address, bound: Address): Address {
  return { host, port: port === 0 ? bound.port : port };
}
