/**
 * A look inside running nodes, without a change of production code: what `LogManager.open` gives is
 * noted by the `Env` that it was given, which belongs to one life of one node.
 */
import type { Env } from "../../src/env/env.ts";
import { LogManager } from "../../src/runtime/log_manager.ts";
import { PartitionTable } from "../../src/runtime/partition_table.ts";

export type OnOpened = (env: Env, logs: LogManager) => void;

/** How often any node's table of partitions has changed. */
export interface TableChanges {
  count: number;
}

/** Until the function that it gives back is called. */
export function watchNodes(tables: TableChanges, onOpened: OnOpened): () => void {
  const original = LogManager.open;
  LogManager.open = async (options) => {
    const logs = await original.call(LogManager, options);
    onOpened(options.env, logs);
    return logs;
  };
  const { prototype } = PartitionTable;
  const { add, removeTopic } = prototype;
  prototype.add = function (this: PartitionTable, partition): void {
    tables.count++;
    add.call(this, partition);
  };
  prototype.removeTopic = function (this: PartitionTable, topicId): ReturnType<typeof removeTopic> {
    tables.count++;
    return removeTopic.call(this, topicId);
  };
  return () => {
    LogManager.open = original;
    Object.assign(prototype, { add, removeTopic });
  };
}
