/** A look into the coordinators of running nodes: which groups they have, and what their logs say of them. */
import { Prng } from "../../../src/ground/prng.ts";
import { type Offset, toOffset } from "../../../src/ground/numbers.ts";
import { DEFAULT_GROUP_SETTINGS, defaultGroupConfig } from "../../../src/group/group_settings.ts";
import { GroupShard } from "../../../src/group/group_shard.ts";
import type { GroupSlot } from "../../../src/group/group_slot.ts";
import type { ClusterImage } from "../../../src/metadata/image.ts";
import { BatchWalk } from "../../../src/record/batch_walk.ts";
import { RecordCursor } from "../../../src/record/record_cursor.ts";
import { GroupCoordinator } from "../../../src/runtime/coordinator/coordinator.ts";
import { groupPartition } from "../../../src/runtime/coordinator/group_partition.ts";
import { decodeRecord } from "../../../src/runtime/coordinator/record_codec.ts";
import { replace } from "../replace.ts";
import type { SimNode } from "../sim_node.ts";

const TOPIC = "__consumer_offsets";

export class Coordinators {
  readonly #nodes: readonly SimNode[];
  readonly #of = new Map<string, { readonly lifeNumber: number; readonly it: GroupCoordinator }>();

  constructor(nodes: readonly SimNode[]) {
    this.#nodes = nodes;
  }

  /** Until the function that it gives back is called. */
  watch(
    lifeOf: () => { readonly processName: string; readonly number: number } | undefined,
  ): () => void {
    const { start } = GroupCoordinator.prototype;
    const note = (it: GroupCoordinator): void => {
      const life = lifeOf();
      if (life !== undefined) this.#of.set(life.processName, { lifeNumber: life.number, it });
    };
    return replace(GroupCoordinator.prototype, "start", function (this: GroupCoordinator): void {
      note(this);
      start.call(this);
    });
  }

  /** Its place at the node that serves it now. */
  slotOf(groupId: string): GroupSlot | undefined {
    for (const { slot } of this.#slots()) if (slot.groupId === groupId) return slot;
    return undefined;
  }

  /** Ids of members that the group has now, as durable records of consumer groups have them. */
  membersOf(groupId: string): ReadonlySet<string> {
    const group = this.slotOf(groupId)?.group;
    if (group?.kind === "classic") {
      return new Set([...group.members()].map(({ memberId }) => memberId));
    }
    const { members = [] } = (group?.dump() ?? {}) as { members?: readonly { memberId: string }[] };
    return new Set(members.map(({ memberId }) => memberId));
  }

  /** Offsets whose topic is not there any more, or is another one of its name. */
  *staleOffsets(): Iterable<string> {
    for (const { node, shard } of this.#shards()) {
      const { image } = node.metadata ?? {};
      if (image === undefined) continue;
      const stale: string[] = [];
      for (const slot of shard.groups()) {
        slot.forEachOffset((topic, partition, { topicId }) => {
          if (image.topic(topic)?.topicId === topicId) return;
          stale.push(`${slot.groupId} keeps an offset of ${topic}-${partition}, which was deleted`);
        });
      }
      yield* stale;
    }
  }

  /** What a shard holds that its log does not say, or the other way round. */
  *differences(): Iterable<string> {
    for (const { node, shard, partitionId } of this.#shards()) {
      const { image } = node.metadata ?? {};
      const partition = node.logs?.partitions.get(TOPIC, partitionId);
      if (image === undefined || partition?.isOnline !== true || !partition.isLeader) continue;
      const end: number = partition.log.logEndOffset;
      const folder = `/data/${TOPIC}-${partitionId}/`;
      if (isBeingCleaned(node, folder)) continue;
      const fresh = replayed(node, folder, { image, end });
      const [live, again] = [JSON.stringify(shard.dump()), JSON.stringify(fresh.dump())];
      if (live !== again) {
        yield `${node.process.name} ${TOPIC}-${partitionId}: ${live}\nand ${again}`;
      }
    }
  }

  *#slots(): Iterable<{ readonly slot: GroupSlot }> {
    for (const { shard } of this.#shards()) {
      for (const slot of shard.groups()) yield { slot: slot as GroupSlot };
    }
  }

  *#shards(): Iterable<
    { readonly node: SimNode; readonly shard: GroupShard; readonly partitionId: number }
  > {
    for (const node of this.#nodes) {
      const { name, life } = node.process;
      const known = this.#of.get(name);
      if (known === undefined || known.lifeNumber !== life?.number) continue;
      const count = node.metadata?.image.topic(TOPIC)?.partitions.length ?? 1;
      for (const machine of known.it.shards()) {
        const shard = machine as GroupShard;
        const [first] = shard.groups();
        if (first === undefined) continue;
        yield { node, shard, partitionId: groupPartition(first.groupId, count) };
      }
    }
  }
}

/** Segments change places: for a moment their names do not tell what the log is. */
function isBeingCleaned({ process: { media } }: SimNode, folder: string): boolean {
  return [...media.files()].some(({ path }) => path.startsWith(folder) && path.endsWith(".swap"));
}

/** The whole log, as the page cache has it, in an empty shard. */
function replayed(
  node: SimNode,
  folder: string,
  { image, end }: { readonly image: ClusterImage; readonly end: number },
): GroupShard {
  const shard = new GroupShard({
    settings: DEFAULT_GROUP_SETTINGS,
    image,
    random: new Prng(1),
    regexes: { compile: () => undefined },
    configOf: () => defaultGroupConfig(DEFAULT_GROUP_SETTINGS),
  });
  const cursor = new RecordCursor({ decompress: (_, bytes) => bytes, inflatedBytesMax: 0 });
  const logs = [...node.process.media.files()].filter(({ path }) =>
    path.startsWith(folder) && path.endsWith(".log")
  ).sort((one, other) => one.path < other.path ? -1 : 1);
  for (const { file: { cached } } of logs) {
    const walk = new BatchWalk(cached.view(0, cached.length));
    while (walk.next() && walk.batch.baseOffset() < end) {
      cursor.open(walk.batch);
      while (cursor.next()) {
        const record = decodeRecord(cursor.key(), cursor.value());
        if (record === undefined || record.kind === "unknown") continue;
        shard.replay(toOffset(cursor.offset()) as Offset, record);
      }
    }
  }
  return shard;
}
