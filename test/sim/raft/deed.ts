/**
 * What is done to a world from outside: faults, and operations of its users. One file each; this is the
 * table, in the order of the options.
 */
import type { Prng } from "../../../src/ground/prng.ts";
import { clog } from "./fault/clog.ts";
import { crash } from "./fault/crash.ts";
import { crashAll } from "./fault/crash_all.ts";
import { cutOneWay } from "./fault/cut_one_way.ts";
import { emptyDisk } from "./fault/empty_disk.ts";
import { isolate } from "./fault/isolate.ts";
import { pause } from "./fault/pause.ts";
import { restart } from "./fault/restart.ts";
import { slow } from "./fault/slow.ts";
import { split } from "./fault/split.ts";
import { swapDisks } from "./fault/swap_disks.ts";
import { changeVoters } from "./operation/change_voters.ts";
import { propose } from "./operation/propose.ts";
import { read } from "./operation/read.ts";
import { snapshot } from "./operation/snapshot.ts";
import { transfer } from "./operation/transfer.ts";
import type { DeedName } from "./options.ts";
import type { World } from "./world.ts";

export interface Deed {
  readonly name: DeedName;
  /** Seeds the deed's own generator: it stays the same when deeds are added to the table. */
  readonly number: number;
  /** Not done in the liveness phase. */
  readonly endsWithSafety: boolean;
  perform(world: World, random: Prng): void;
}

export const deeds: readonly Deed[] = [
  crash,
  crashAll,
  pause,
  slow,
  isolate,
  split,
  cutOneWay,
  clog,
  emptyDisk,
  swapDisks,
  restart,
  propose,
  read,
  changeVoters,
  transfer,
  snapshot,
];
