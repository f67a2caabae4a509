/** All faults, by name. */
import {
  corruptQuorumState,
  corruptSnapshot,
  emptyDisk,
  fillControllerDisk,
  isolateController,
  killInVoterChange,
  pauseController,
  swapDisks,
} from "./cluster_faults.ts";
import type { Fault } from "./fault.ts";
import type { FaultName } from "./fault_names.ts";
import {
  breakDisk,
  failEntry,
  failRead,
  failSync,
  failWrite,
  fillDisk,
  loseWrite,
  misdirectWrite,
  rot,
  slowDisk,
} from "./disk_faults_of_nodes.ts";
import {
  clog,
  cutConnections,
  partition,
  partitionOneWay,
  refuseConnections,
} from "./network_faults.ts";
import {
  crashInCall,
  jumpWall,
  kill,
  losePower,
  pause,
  restartGracefully,
  slow,
} from "./process_faults.ts";

export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  kill,
  "power-loss": losePower,
  "crash-in-call": crashInCall,
  "graceful-restart": restartGracefully,
  pause,
  slow,
  partition,
  "one-way-partition": partitionOneWay,
  clog,
  "cut-connections": cutConnections,
  "refuse-connections": refuseConnections,
  "wall-jump": jumpWall,
  "full-disk": fillDisk,
  "read-error": failRead,
  "write-error": failWrite,
  "sync-error": failSync,
  "entry-error": failEntry,
  "broken-disk": breakDisk,
  "slow-disk": slowDisk,
  "bit-rot": rot,
  "lost-write": loseWrite,
  "misdirected-write": misdirectWrite,
  "isolated-controller": isolateController,
  "paused-controller": pauseController,
  "full-controller-disk": fillControllerDisk,
  "kill-in-voter-change": killInVoterChange,
  "empty-disk": emptyDisk,
  "swapped-disks": swapDisks,
  "corrupt-quorum-state": corruptQuorumState,
  "corrupt-snapshot": corruptSnapshot,
};
