/**
 * An answer in words that two brokers, or two runs, can have in common: ids by the order in which they
 * were met, error codes by name, no addresses, every list sorted, and nothing that only mq says.
 */
import { errorName } from "../../../src/api/error_code.ts";
import { type Uuid, ZERO_UUID } from "../../../src/ground/uuid.ts";

export interface Names {
  readonly group: string;
  readonly topicIds: ReadonlyMap<string, Uuid>;
  /** Ids that a broker has made, numbered as they were met. */
  readonly ids: Map<string, string>;
}

const LEFT_OUT = new Set(["throttleTimeMs", "history", "progress"]);
/** A uuid in hexadecimal, or as Kafka prints its own. */
const ID =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![\w-])[\w-]{22}(?![\w-])/g;
/** As long as an id. */
const NO_ID = "ConsumerGroupHeartbeat";
const LONG = 80;

export function plainAnswer(value: unknown, names: Names): unknown {
  return plain("", value, names);
}

function plain(name: string, value: unknown, names: Names): unknown {
  if (value instanceof Uint8Array) return plainBytes(value, names);
  if (Array.isArray(value)) {
    return value.filter((each) => isOfCase(each, names))
      .map((each) => plain("", each, names))
      .map((each) => ({ each, text: JSON.stringify(each) }))
      .toSorted((one, other) => (one.text < other.text ? -1 : 1))
      .map(({ each }) => each);
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(([key]) => !LEFT_OUT.has(key));
    return Object.fromEntries(entries.map(([key, each]) => [key, plain(key, each, names)]));
  }
  if (typeof value === "string") return plainText(name, value, names);
  if (name === "errorCode") return errorName(Number(value));
  return name === "port" && Number(value) > 0 ? "port" : value;
}

/** A list of groups has those of other cases too. */
function isOfCase(each: unknown, names: Names): boolean {
  const isListed = typeof each === "object" && each !== null && "groupType" in each &&
    "groupId" in each;
  return !isListed || String(each.groupId).startsWith(names.group);
}

function plainText(name: string, text: string, names: Names): string {
  if (name === "clientHost" || name === "host") return text === "" ? "" : "host";
  const known = text.replaceAll(names.group, "<group>").replaceAll(ID, (id) => {
    if (id === NO_ID) return id;
    if (id === ZERO_UUID) return "<no id>";
    for (const [topic, topicId] of names.topicIds) if (id === topicId) return `<id of ${topic}>`;
    const number = names.ids.get(id) ?? `<${names.ids.size + 1}>`;
    names.ids.set(id, number);
    return number;
  });
  return known.length <= LONG || name === "errorMessage"
    ? known
    : `${known.slice(0, 8)}… ${known.length} characters`;
}

function plainBytes(bytes: Uint8Array, names: Names): string {
  const isText = bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  if (isText) return plainText("", new TextDecoder().decode(bytes), names);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
