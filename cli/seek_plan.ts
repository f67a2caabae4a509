/**
 * Where a group would be moved to: settled partition by partition before anything is changed.
 *
 * A partition that cannot be moved there keeps a failure in the plan; the others are not hindered.
 */
import type { Context } from "./context.ts";
import { Failure, usageFailure } from "./failure.ts";
import { groupFailure, missingGroupOf } from "./group_view.ts";
import { type OffsetLine, parseOffsetLines } from "./offset_lines.ts";
import { type OffsetPoint, parsePoint } from "./offset_range.ts";
import { parsePartitions } from "./quantity.ts";
import { readInput } from "./read_input.ts";
import type { Client } from "./session.ts";

export interface SeekChange {
  readonly topic: string;
  readonly partition: number;
  /** Null where nothing was committed. */
  readonly from: number | null;
  readonly to: number;
  readonly failure?: Failure;
}

/** What was typed. */
export type SeekTarget =
  | { readonly kind: "point"; readonly point: OffsetPoint }
  | { readonly kind: "group"; readonly groupId: string }
  | { readonly kind: "offsets"; readonly offsets: readonly OffsetLine[] };

/** Throws a usage failure. */
export async function seekTargetOf(context: Context): Promise<SeekTarget> {
  const { flags, io } = context;
  const given = ["to", "to-group", "to-file"].filter((name) => flags.isSet(name));
  const [kind] = given;
  if (given.length !== 1 || kind === undefined) {
    throw usageFailure(
      given.length === 0
        ? "Missing flag --to: where shall the group go?"
        : `Conflicting flags ${given.map((name) => `--${name}`).join(" and ")}`,
      "One of --to start|end|N|-N|@TIME, --to-group GROUP, --to-file FILE",
    );
  }
  const text = flags.text(kind) ?? "";
  if (kind === "to-group") return { kind: "group", groupId: text };
  if (kind === "to-file") {
    const name = text === "-" ? "stdin" : text;
    return { kind: "offsets", offsets: parseOffsetLines(await readInput(context, text), name) };
  }
  const point = parsePoint(text, io.now());
  if (point !== undefined) return { kind: "point", point };
  throw usageFailure(
    `Invalid --to '${text}': one offset or time is wanted, not a range`,
    "A group goes on from there: --to start, --to end, --to @-1h, --to @2026-01-02T09:00Z, --to 1000",
  );
}

/** Which partitions are meant. */
export interface SeekScope {
  /** Empty = those of which something is committed. */
  readonly topics: readonly string[];
  readonly partitions: readonly number[] | undefined;
}

export function seekScopeOf({ flags }: Context): SeekScope {
  const list = flags.text("partition");
  return {
    topics: flags.list("topics").flatMap((text) => text.split(",")).filter((name) => name !== ""),
    partitions: list === undefined ? undefined : parsePartitions(list),
  };
}

/** In the order of topics and partitions. Throws where the groups or topics are not there. */
export async function planSeek(
  context: Context,
  client: Client,
  { groupId, target, scope }: {
    readonly groupId: string;
    readonly target: SeekTarget;
    readonly scope: SeekScope;
  },
): Promise<readonly SeekChange[]> {
  const committed = await committedBy(client, groupId);
  const wanted = target.kind === "point"
    ? await pointOffsets(context, client, { point: target.point, scope, committed, groupId })
    : chosen(await givenOffsets(client, target), scope);
  const changes = await Promise.all(
    [...new Set(wanted.map(({ topic }) => topic))].map((topic) =>
      bounded(client, topic, wanted.filter((one) => one.topic === topic))
    ),
  );
  return changes.flat()
    .map((change) => ({ ...change, from: committed.get(keyOf(change)) ?? null }))
    .toSorted((one, other) =>
      one.topic === other.topic ? one.partition - other.partition : one.topic < other.topic ? -1 : 1
    );
}

function keyOf({ topic, partition }: Pick<SeekChange, "topic" | "partition">): string {
  return `${topic} ${partition}`;
}

/** By partition; a group that is not there has committed nothing. */
async function committedBy(client: Client, groupId: string): Promise<ReadonlyMap<string, number>> {
  const offsets = await client.admin.groups.groupOffsets(groupId).catch((error: unknown) => {
    const failure = groupFailure(error, groupId);
    if (failure.code === "GROUP_ID_NOT_FOUND") return [];
    throw failure;
  });
  return new Map(
    offsets.filter(({ offset }) => offset >= 0).map((one) => [keyOf(one), one.offset]),
  );
}

async function givenOffsets(
  client: Client,
  target: Exclude<SeekTarget, { readonly kind: "point" }>,
): Promise<readonly OffsetLine[]> {
  if (target.kind === "offsets") {
    if (target.offsets.length > 0) return target.offsets;
    throw usageFailure("There are no offsets in that file", "A line is: topic partition offset");
  }
  const { groupId } = target;
  const offsets = await client.admin.groups.groupOffsets(groupId).catch((error: unknown) => {
    throw groupFailure(error, groupId);
  });
  const known = offsets.filter(({ offset }) => offset >= 0);
  if (known.length === 0) throw await missingGroupOf(client, groupId);
  return known.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
}

function chosen(offsets: readonly OffsetLine[], scope: SeekScope): readonly OffsetLine[] {
  const { topics, partitions } = scope;
  const missing = topics.find((name) => !offsets.some(({ topic }) => topic === name));
  if (missing !== undefined) {
    throw new Failure("NOT_FOUND", `There is no offset for topic ${missing} to go to`, {
      hint: "--topics names topics of that group or file; without it all of them are taken",
    });
  }
  return offsets.filter(({ topic, partition }) =>
    (topics.length === 0 || topics.includes(topic)) && partitions?.includes(partition) !== false
  );
}

async function pointOffsets(
  context: Context,
  client: Client,
  { point, scope, committed, groupId }: {
    readonly point: OffsetPoint;
    readonly scope: SeekScope;
    readonly committed: ReadonlyMap<string, number>;
    readonly groupId: string;
  },
): Promise<readonly OffsetLine[]> {
  const { resolveOffsets } = await context.library();
  const known = [...committed.keys()].map((key) => key.split(" ")[0] as string);
  const topics = scope.topics.length > 0 ? scope.topics : [...new Set(known)];
  if (topics.length === 0) {
    throw new Failure("GROUP_ID_NOT_FOUND", `Group ${groupId} has committed nothing`, {
      hint: "Say which topics are meant: --topics NAME,…; mq group list lists the groups",
    });
  }
  const options = scope.partitions === undefined ? {} : { partitions: scope.partitions };
  const resolved = await Promise.all(
    topics.map((topic) => resolveOffsets(client, topic, { from: point }, options)),
  );
  return resolved.flat().map(({ topic, partition, from }) => ({ topic, partition, offset: from }));
}

/** An offset that is not, or no longer, there would make the group begin wherever it is told to. */
async function bounded(
  client: Client,
  topic: string,
  wanted: readonly OffsetLine[],
): Promise<readonly Omit<SeekChange, "from">[]> {
  const [described] = await client.admin.describeTopics([topic]);
  if (described?.error !== undefined) throw described.error;
  const present = new Set(described?.topic?.partitions.map(({ partition }) => partition));
  const partitions = wanted.map(({ partition }) => partition).filter((one) => present.has(one));
  const [starts, ends] = await Promise.all([
    client.admin.listOffsets(topic, "start", { partitions }),
    client.admin.listOffsets(topic, "end", { partitions }),
  ]);
  return wanted.map(({ partition, offset }) => {
    const place = { topic, partition, to: offset };
    if (!present.has(partition)) {
      const message = `Topic ${topic} has no partition ${partition}`;
      return { ...place, failure: new Failure("UNKNOWN_TOPIC_OR_PARTITION", message) };
    }
    const start = starts.find((listed) => listed.partition === partition)?.offset ?? 0;
    const end = ends.find((listed) => listed.partition === partition)?.offset ?? offset;
    if (offset >= start && offset <= end) return place;
    const message =
      `Cannot seek ${topic}-${partition} to ${offset}: it goes from ${start} to ${end}`;
    const hint = "--to start or --to end, or an offset between the two";
    return { ...place, failure: new Failure("OFFSET_OUT_OF_RANGE", message, { hint }) };
  });
}
