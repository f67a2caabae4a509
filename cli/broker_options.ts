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

export interface ChosenSettings {
  readonly settings: ReadonlyMap<string, string>;
  /** Whether anything but the default chose the directory. */
  readonly isDataGiven: boolean;
  /** One sentence for each setting that was given by a flag and, otherwise, by -X. */
  readonly conflicts: readonly string[];
}

/** Throws a usage failure. `roles` are given by a command that is of one kind only. */
export function brokerSettings(
  flags: Flags,
  places: BrokerPlaces,
  roles?: string,
): ChosenSettings {
  const settings = new Map<string, string>(flags.isSet("dev") ? devSettings : []);
  for (const [name, value] of parseProperties(places.file ?? "")) settings.set(name, value);
  const typed = new Map(flags.list("set").map((text) => parseAssignment(text, "set")));
  for (const [name, value] of typed) settings.set(name, value);
  const conflicts: string[] = [];
  if (roles !== undefined) settings.set("process.roles", roles);
  for (const [flag, name, value] of flagSettings(flags)) {
    settings.set(name, value);
    const same = typed.has(name) ? name : ALIASES[name] ?? name;
    const other = typed.get(same);
    if (other === undefined || other === value) continue;
    conflicts.push(`--${flag} goes before -X ${same}=${other}: ${name} is ${value}`);
  }
  const isDataGiven = settings.has("log.dirs") || settings.has("log.dir");
  if (!isDataGiven) settings.set("log.dirs", places.dataDirectory);
  return { settings, isDataGiven, conflicts };
}

/** Any free port, so that several run side by side; nothing that is thrown away waits for a disk. */
const devSettings: readonly (readonly [string, string])[] = [
  ["listeners", "PLAINTEXT://127.0.0.1:0"],
  ["mq.http.listener", "127.0.0.1:0"],
  ["auto.create.topics.enable", "true"],
  ["mq.durability", "memory"],
];

/** Kafka takes the first of these names before the second. */
const ALIASES: Readonly<Record<string, string>> = { "log.dirs": "log.dir" };

/** The flag, the setting that it stands for, and the value. */
function* flagSettings(flags: Flags): Generator<readonly [string, string, string]> {
  const directory = flags.text("data-dir");
  if (directory === "") {
    throw usageFailure("Invalid value '' for --data-dir: a directory is wanted");
  }
  if (directory !== undefined) yield ["data-dir", "log.dirs", directory];
  const listen = flags.text("listen");
  if (listen !== undefined) yield ["listen", "listeners", listeners(listen, "listen")];
  const advertise = flags.text("advertise");
  if (advertise !== undefined) {
    yield ["advertise", "advertised.listeners", listeners(advertise, "advertise")];
  }
  const http = flags.text("http");
  if (http !== undefined) {
    yield ["http", "mq.http.listener", http === "off" ? http : address(http, "http")];
  }
  const node = flags.text("node-id");
  if (node !== undefined) {
    yield ["node-id", "node.id", String(requireWhole(node, "node-id", [0, 0x7fffffff]))];
  }
  yield* clusterSettings(flags);
}

function* clusterSettings(flags: Flags): Generator<readonly [string, string, string]> {
  const roles = flags.text("roles");
  if (roles !== undefined) yield ["roles", "process.roles", rolesOf(roles)];
  const quorum = flags.text("controller-quorum");
  if (quorum !== undefined) yield ["controller-quorum", ...quorumSetting(quorum)];
  for (const [flag, name] of [["cluster-id", "mq.cluster.id"], ["rack", "broker.rack"]] as const) {
    const value = flags.text(flag);
    if (value === "") throw usageFailure(`Empty value for --${flag}`);
    if (value !== undefined) yield [flag, name, value];
  }
}

function rolesOf(text: string): string {
  const roles = text.split(",").map((role) => role.trim());
  const unknown = roles.find((role) => role !== "broker" && role !== "controller");
  if (unknown === undefined) return roles.join(",");
  throw usageFailure(
    `Invalid role '${unknown}' for --roles`,
    "A node is broker, controller, or broker,controller",
  );
}

/**
 * `1@h1:9092,2@h2:9092` are the voters; `h1:9092,h2:9092` are some of them, for a node that is none yet
 * and learns the rest.
 */
function quorumSetting(text: string): readonly [name: string, value: string] {
  const parts = text.split(",").map((part) => part.trim());
  const isVoters = parts[0]?.includes("@") === true;
  const wanted = parts.map((part) => {
    const [, id, place = ""] = /^(?:(\d+)@)?(.*)$/.exec(part) ?? [];
    const parsed = parseAddress(place, { host: "127.0.0.1", port: 9092 });
    if (parsed !== undefined && parsed.port > 0 && (id !== undefined) === isVoters) {
      return id === undefined ? formatAddress(parsed) : `${id}@${formatAddress(parsed)}`;
    }
    throw usageFailure(
      `Invalid '${part}' in --controller-quorum`,
      "Name voters as ID@HOST:PORT,… or, for a node that joins later, some of them as HOST:PORT,…",
    );
  });
  return [
    isVoters ? "controller.quorum.voters" : "controller.quorum.bootstrap.servers",
    wanted.join(","),
  ];
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
