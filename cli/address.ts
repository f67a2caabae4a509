/** Addresses as people write them: `host:port`, `:port`, `port`, `[::1]:port`, with or without `PLAINTEXT://`. */
import { usageFailure } from "./failure.ts";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const PORT_MAX = 65_535;

/** Undefined where it is no address; what is left out is taken from `defaults`. */
export function parseAddress(text: string, defaults: HostPort): HostPort | undefined {
  const bare = text.trim().replace(/^(plaintext|kafka|tcp):\/\//i, "");
  const match = /^(?:\[([0-9a-f:.%]+)\]|([^:\s/[\]]*))(?::(\d{1,5}))?$/i.exec(bare);
  if (match === null || bare === "") return undefined;
  const host = match[1] ?? match[2] ?? "";
  if (match[3] === undefined && /^\d+$/.test(host)) return withPort(defaults.host, Number(host));
  return withPort(
    host === "" ? defaults.host : host,
    match[3] === undefined ? defaults.port : Number(match[3]),
  );
}

function withPort(host: string, port: number): HostPort | undefined {
  return port <= PORT_MAX ? { host, port } : undefined;
}

/** The list of `-b` and MQ_BROKERS. */
export function parseBrokers(text: string): readonly HostPort[] {
  const defaults = { host: "127.0.0.1", port: 9092 };
  const addresses: HostPort[] = [];
  for (const part of text.split(",")) {
    if (part.trim() === "") continue;
    const address = parseAddress(part, defaults);
    if (address === undefined || address.port === 0) {
      throw usageFailure(
        `Invalid broker address '${part.trim()}'`,
        "Brokers are HOST:PORT, divided by commas: -b kafka1:9092,kafka2:9092",
      );
    }
    addresses.push(address);
  }
  if (addresses.length > 0) return addresses;
  throw usageFailure("Empty list of brokers", "Give -b HOST:PORT or set MQ_BROKERS");
}

/** `host:port` with brackets around an IPv6 host. */
export function formatAddress(address: HostPort): string {
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}
