/**
 * `mq log repair` as one call: lock, examine, plan, carry out, examine again.
 *
 * Without `isExecuted` nothing is locked or changed, so a plan can be had beside a running broker.
 */
import type { DiskLock } from "../../env/disk.ts";
import type { Ms } from "../../ground/numbers.ts";
import { type DataDirectory, hintsOf, lockDirectory, readDataDirectory } from "./data_directory.ts";
import type { PartitionReport } from "./partition_report.ts";
import { planRepair, type RepairPlan } from "./repair_plan.ts";
import { executeRepair } from "./repair.ts";
import {
  directoriesOf,
  verifyLogs,
  type VerifyReport,
  type VerifyTask,
} from "./verify_directory.ts";
import { verifyPartition } from "./verify_partition.ts";

export interface RepairTask extends VerifyTask {
  readonly isExecuted: boolean;
  readonly now: Ms;
  /** Before and after each partition is repaired. */
  onPlan?(plan: RepairPlan): Promise<void> | void;
  onRepaired?(repaired: RepairedPartition): Promise<void> | void;
}

export interface RepairedPartition {
  readonly plan: RepairPlan;
  /** Where what was taken out lies now. */
  readonly folder: string;
  /** The examination afterwards. */
  readonly after: PartitionReport;
}

export interface RepairReport {
  readonly before: VerifyReport;
  /** Of the partitions where there is something to do, or where nothing can be done. */
  readonly plans: readonly RepairPlan[];
  readonly repaired: readonly RepairedPartition[];
}

/** A broker has the directory. */
export class DirectoryInUse extends Error {
  override readonly name = "DirectoryInUse";
  readonly code = "IN_USE";
  readonly hint = "Stop the broker first; without --yes the plan is shown beside a running one";
}

export async function repairLogs(task: RepairTask): Promise<RepairReport> {
  const locks = task.isExecuted ? lockAll(task) : new Map<string, DiskLock>();
  try {
    const before = await verifyLogs({ ...task, ownDirectories: new Set(locks.keys()) });
    const plans = before.partitions.map(planRepair)
      .filter(({ steps, refusal }) => steps.length > 0 || refusal !== undefined);
    const repaired: RepairedPartition[] = [];
    for (const plan of plans) {
      // deno-lint-ignore no-await-in-loop -- one after the other, each told as it is done
      await task.onPlan?.(plan);
      if (!task.isExecuted || plan.steps.length === 0) continue;
      // deno-lint-ignore no-await-in-loop -- as above
      const done = await repairOne(task, plan);
      repaired.push(done);
      // deno-lint-ignore no-await-in-loop -- as above
      await task.onRepaired?.(done);
    }
    return { before, plans, repaired };
  } finally {
    for (const lock of locks.values()) lock.release();
  }
}

function lockAll(task: RepairTask): ReadonlyMap<string, DiskLock> {
  const locks = new Map<string, DiskLock>();
  try {
    for (const path of directoriesOf(task)) {
      const lock = lockDirectory(task.disk, path);
      if (lock === undefined) {
        throw new DirectoryInUse(`Cannot repair ${path}: a broker has the directory`);
      }
      locks.set(path, lock);
    }
    return locks;
  } catch (fault) {
    for (const lock of locks.values()) lock.release();
    throw fault;
  }
}

async function repairOne(task: RepairTask, plan: RepairPlan): Promise<RepairedPartition> {
  const { disk, crc32c, now } = task;
  const { partition, path, hints } = plan.report;
  const around = path.slice(0, path.lastIndexOf("/")) || "/";
  const read = (): DataDirectory | undefined =>
    hints.state === "unknown" ? undefined : readDataDirectory(disk, around, true);
  // Read anew: the partition before may have changed the checkpoints.
  const folder = await executeRepair({ disk, now }, plan, read());
  const directory = read();
  const after = await verifyPartition({
    disk,
    crc32c,
    path,
    partition,
    hints: directory === undefined || partition === undefined
      ? hints
      : hintsOf(directory, partition, hints.isCompacted),
  });
  return { plan, folder, after };
}
