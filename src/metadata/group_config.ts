/**
 * The settings that one group may have of its own (config resource GROUP), one line each. The broker's
 * setting of the name in `synonym` is in force where a group has none; the others bound what it may have.
 * Source: kafka: GroupConfig.validateValues.
 */
import { parseSetting, type Setting, shown } from "./setting.ts";
import { nearestName } from "../ground/nearest.ts";
import type { BrokerValue } from "./topic_config.ts";

export interface GroupSetting extends Setting {
  readonly default: string;
  readonly synonym: string;
  /** Names of the broker's settings with the bounds, and what those are where nothing was given. */
  readonly least: readonly [name: string, fallback: number];
  readonly most: readonly [name: string, fallback: number];
}

const SESSION_TIMEOUT = "consumer.session.timeout.ms";
const HEARTBEAT_INTERVAL = "consumer.heartbeat.interval.ms";

// deno-fmt-ignore
export const GROUP_SETTINGS: readonly GroupSetting[] = [
  { name: SESSION_TIMEOUT, type: "int", default: "45000", min: 1, synonym: "group.consumer.session.timeout.ms", least: ["group.consumer.min.session.timeout.ms", 45_000], most: ["group.consumer.max.session.timeout.ms", 60_000], doc: "How long a member of the group (KIP-848) may be silent, in milliseconds." },
  { name: HEARTBEAT_INTERVAL, type: "int", default: "5000", min: 1, synonym: "group.consumer.heartbeat.interval.ms", least: ["group.consumer.min.heartbeat.interval.ms", 5000], most: ["group.consumer.max.heartbeat.interval.ms", 15_000], doc: "How often members of the group (KIP-848) are told to send heartbeats, in milliseconds." },
];

export function groupSetting(name: string): GroupSetting | undefined {
  return GROUP_SETTINGS.find((setting) => setting.name === name);
}

/** The reason why a group may not have all of these together, or undefined where it may. */
export function refuseGroupConfigs(
  own: ReadonlyMap<string, string>,
  brokerValue: BrokerValue,
): string | undefined {
  for (const [name, value] of own) {
    const setting = groupSetting(name);
    if (setting === undefined) return unknownName(name);
    const parsed = parseSetting(setting, value);
    if (parsed.kind === "refused") return parsed.message;
  }
  // Only what is given is held to bounds: those of the broker were looked at when it started.
  for (const { name, least, most } of GROUP_SETTINGS.filter((setting) => own.has(setting.name))) {
    const value = Number(own.get(name));
    if (value < number(brokerValue, least)) {
      return `${name} must be greater than or equal to ${least[0]}`;
    }
    if (value > number(brokerValue, most)) {
      return `${name} must be less than or equal to ${most[0]}`;
    }
  }
  return groupConfigValue(SESSION_TIMEOUT, own, brokerValue) <=
      groupConfigValue(HEARTBEAT_INTERVAL, own, brokerValue)
    ? `${SESSION_TIMEOUT} must be greater than ${HEARTBEAT_INTERVAL}`
    : undefined;
}

/** A value as the group's own config, else the broker's, else Kafka's. */
export function groupConfigValue(
  name: typeof SESSION_TIMEOUT | typeof HEARTBEAT_INTERVAL,
  own: ReadonlyMap<string, string>,
  brokerValue: BrokerValue,
): number {
  const setting = groupSetting(name) as GroupSetting;
  return Number(own.get(name) ?? brokerValue(setting.synonym) ?? setting.default);
}

function number(brokerValue: BrokerValue, [name, fallback]: GroupSetting["least"]): number {
  const text = brokerValue(name);
  return text === undefined ? fallback : Number(text);
}

function unknownName(name: string): string {
  const nearest = nearestName(shown(name), GROUP_SETTINGS.map((setting) => setting.name));
  const question = nearest === undefined ? "" : `; did you mean '${nearest}'?`;
  return `Unknown group config name: ${shown(name)}${question}`;
}
