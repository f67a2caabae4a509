/**
 * The settings a broker is started with, from all the places they may stand in.
 *
 * Precedence: flag, then -X, then the file of -c, then what --dev implies, then the default. Names are
 * Kafka's. Not here: which settings there are and what values they take; the library judges that.
 */
import { formatAddress, parseAddress } from "./address.ts";
import { usageFailure } from "./failure.ts";
import type { Flags } from "./parse_line.ts";
import { parseProperties } from "./properties.ts";
import { parseAssignment, requireWhole } from "./quantity.ts";

export interface BrokerPlaces {
  /** The text of -c; undefined where it was not given. */
  readonly file: string | undefined;
  /** Where data is kept unless said otherwise. */
  readonly dataDirectory: string;
}

/** Throws a usage failure. `isDataGiven` tells whether anything but the default chose the directory. */
export function brokerSettings(
  flags: Flags,
  places: BrokerPlaces,
): { readonly settings: ReadonlyMap<string, string>; readonly isDataGiven: boolean } {
  const settings = new Map<string, string>(flags.isSet("dev") ? devSettings : []);
  for (const [name, value] of parseProperties(places.file ?? "")) settings.set(name, value);
  for (const text of flags.list("set")) settings.set(...parseAssignment(text, "set"));
  for (const [name, value] of flagSettings(flags)) settings.set(name, value);
  const isDataGiven = settings.has("log.dirs") || settings.has("log.dir");
  if (!isDataGiven) settings.set("log.dirs", places.dataDirectory);
  return { settings, isDataGiven };
}

/** Any free port, so that several run side by side; nothing that is thrown away waits for a disk. */
const devSettings: readonly (readonly [string, string])[] = [
  ["listeners", "PLAINTEXT://127.0.0.1:0"],
  ["mq.http.listener", "127.0.0.1:0"],
  ["auto.create.topics.enable", "true"],
  ["mq.durability", "memory"],
];

function* flagSettings(flags: Flags): Generator<readonly [string, string]> {
  const directory = flags.text("data-dir");
  if (directory === "") {
    throw usageFailure("Invalid value '' for --data-dir: a directory is wanted");
  }
  if (directory !== undefined) yield ["log.dirs", directory];
  const listen = flags.text("listen");
  if (listen !== undefined) yield ["listeners", listeners(listen, "listen")];
  const advertise = flags.text("advertise");
  if (advertise !== undefined) yield ["advertised.listeners", listeners(advertise, "advertise")];
  const http = flags.text("http");
  if (http !== undefined) yield ["mq.http.listener", http === "off" ? http : address(http, "http")];
  const node = flags.text("node-id");
  if (node !== undefined) {
    yield ["node.id", String(requireWhole(node, "node-id", [0, 0x7fffffff]))];
  }
}

/** A list of addresses; one that names its listener (`NAME://…`) is passed on as it is. */
function listeners(text: string, flag: string): string {
  return text.split(",").map((part) =>
    /^[A-Za-z_]+:\/\//.test(part) ? part : `PLAINTEXT://${address(part, flag)}`
  ).join(",");
}

/** A port alone is on the loopback interface; `:port` is on all of them, as in Kafka. */
function address(text: string, flag: string): string {
  const host = text.startsWith(":") ? "0.0.0.0" : "127.0.0.1";
  const port = flag === "http" ? 9644 : 9092;
  const parsed = parseAddress(text, { host, port });
  if (parsed !== undefined) return formatAddress(parsed);
  throw usageFailure(
    `Invalid address '${text}' for --${flag}`,
    "An address is HOST:PORT, PORT or :PORT (all interfaces); port 0 takes a free one",
  );
}
