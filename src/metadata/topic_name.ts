/** Which names a topic may have (Kafka: Topic.validate, Topic.unifyCollisionChars). */

const LENGTH_MAX = 249;

/** The reason why a topic may not have this name, or undefined where it may. */
export function refuseTopicName(name: string): string | undefined {
  if (name === "") return "the topic name is empty";
  if (name === "." || name === "..") return `the topic name '${name}' is a directory of its own`;
  if (name.length > LENGTH_MAX) {
    return `the topic name is ${name.length} characters long, and may have ${LENGTH_MAX}`;
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `the topic name '${name}' holds characters other than letters, digits, '.', '_' and '-'`;
  }
  return undefined;
}

/** Two names that differ only in '.' and '_' would have equal metric names, and so collide. */
export function unifiedName(name: string): string {
  return name.replaceAll(".", "_");
}

/** Topics that belong to the broker itself. */
export function isInternalTopic(name: string): boolean {
  return name === OFFSETS_TOPIC || name === TRANSACTIONS_TOPIC || name === METADATA_TOPIC;
}

/** Groups and their committed offsets. */
export const OFFSETS_TOPIC = "__consumer_offsets";
export const TRANSACTIONS_TOPIC = "__transaction_state";

export const METADATA_TOPIC = "__cluster_metadata";
