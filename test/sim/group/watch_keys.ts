/**
 * Looks at what shards append and what they load, key by key of the log, without a change of production
 * code.
 *
 *     GroupShard      replay, loaded     what was appended, and what a load has found
 */
import type { GroupRecord } from "../../../src/api/coordinator_record/group_record.ts";
import type { Offset } from "../../../src/ground/numbers.ts";
import type { Decision } from "../../../src/group/decision.ts";
import { groupIdOfRecord } from "../../../src/group/group_replay.ts";
import { GroupShard } from "../../../src/group/group_shard.ts";
import { replace } from "../replace.ts";
import { type GroupShadow, type KeyHistory, keyOf } from "./group_shadow.ts";

export interface KeyWatch {
  readonly groups: GroupShadow;
  /** Whether the program whose event this is has a life. */
  readonly isAlive: () => boolean;
  readonly onBroken: (what: string, message: string) => void;
}

interface KeyValue {
  readonly key: string;
  readonly groupId: string;
  /** Of an offset itself, of a group its generation or epoch; -1 = a tombstone. */
  readonly value: number;
}

interface Found extends KeyValue {
  readonly recordOffset: number;
}

/** Until the function that it gives back is called. */
export function watchKeys({ groups, isAlive, onBroken }: KeyWatch): () => void {
  const { replay, loaded } = GroupShard.prototype;
  const loading = new WeakMap<GroupShard, Map<string, Found>>();
  const serving = new WeakSet<GroupShard>();
  const undo = [
    replace(
      GroupShard.prototype,
      "replay",
      function (this: GroupShard, offset: Offset, record: GroupRecord): void {
        replay.call(this, offset, record);
        const told = keyValueOf(record);
        if (told === undefined || !isAlive()) return;
        const { key, groupId, value } = told;
        const recordOffset = Number(offset);
        if (serving.has(this)) {
          groups.history(key, groupId).written.push({ recordOffset, value });
          return;
        }
        const found = loading.get(this) ?? new Map<string, Found>();
        loading.set(this, found.set(key, { ...told, recordOffset }));
      },
    ),
    replace(
      GroupShard.prototype,
      "loaded",
      function (this: GroupShard, now): Decision {
        const found = loading.get(this) ?? new Map<string, Found>();
        serving.add(this);
        const [first] = found.values();
        if (groups.isTrusted && first !== undefined) {
          for (const [key, history] of groups.historiesBeside(first.groupId)) {
            const lost = compare(history, found.get(key));
            if (lost !== undefined) onBroken("an acknowledged commit is kept", `${key}: ${lost}`);
          }
        }
        return loaded.call(this, now);
      } as GroupShard["loaded"],
    ),
  ];
  return () => {
    for (const one of undo) one();
  };
}

/** What a load must not have lost; what it lost rightly is forgotten here too. */
function compare(history: KeyHistory, found: Found | undefined): string | undefined {
  const { written, acknowledged } = history;
  // Of a tombstone nothing may be left: the cleaner takes it away after its time.
  const index = written.findLastIndex(({ recordOffset, value }) =>
    found === undefined ? value < 0 : recordOffset === found.recordOffset && value === found.value
  );
  history.written = written.slice(0, index + 1);
  if (index >= acknowledged) return undefined;
  return `a load gives ${found?.value}, not ${written[acknowledged]?.value}`;
}

function keyValueOf(record: GroupRecord): KeyValue | undefined {
  const groupId = groupIdOfRecord(record);
  switch (record.kind) {
    case "OffsetCommit": {
      const { topic, partition } = record.key;
      return {
        key: keyOf({ groupId, topic, partition }),
        groupId,
        value: record.value?.offset ?? -1,
      };
    }
    case "GroupMetadata":
      return { key: `${groupId} classic`, groupId, value: record.value?.generation ?? -1 };
    case "ConsumerGroupMetadata":
      return { key: `${groupId} consumer`, groupId, value: record.value?.epoch ?? -1 };
    default:
      return undefined;
  }
}
