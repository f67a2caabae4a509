/** Addresses of brokers as text. */
import type { Address } from "../env/network.ts";

/** "host:port", with an IPv6 host in brackets. */
export function addressText(address: Address): string {
  return address.host.includes(":")
    ? `[${address.host}]:${address.port}`
    : `${address.host}:${address.port}`;
}

export const PORT_DEFAULT = 9092;

/**
 * The address that `text` writes: "host", "host:port", "[::1]:9092" or "::1"; undefined where it is
 * none.
 */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text.trim());
  if (match === null) {
    const isBareIpv6 = /^[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*$/i.test(text.trim());
    return isBareIpv6 ? { host: text.trim(), port: PORT_DEFAULT } : undefined;
  }
  const port = match[3] === undefined ? PORT_DEFAULT : Number(match[3]);
  if (port < 1 || port > 65535) return undefined;
  return { host: (match[1] ?? match[2]) as string, port };
}
