/** Every fault that a simulation knows, in the order in which chance is drawn for them. */
export const FAULT_NAMES = [
  "kill",
  "power-loss",
  "crash-in-call",
  "graceful-restart",
  "pause",
  "slow",
  "partition",
  "one-way-partition",
  "clog",
  "cut-connections",
  "refuse-connections",
  "wall-jump",
  "full-disk",
  "read-error",
  "write-error",
  "sync-error",
  "entry-error",
  "broken-disk",
  "slow-disk",
  "bit-rot",
  "lost-write",
  "misdirected-write",
  "isolated-controller",
  "paused-controller",
  "full-controller-disk",
  "kill-in-voter-change",
  "empty-disk",
  "swapped-disks",
  "corrupt-quorum-state",
] as const;

/** Of clusters alone, each drawn from a generator of its own: what a seed draws of others stays. */
export const LATER_FAULT_NAMES = ["corrupt-snapshot"] as const;

export type FaultName = (typeof FAULT_NAMES)[number] | (typeof LATER_FAULT_NAMES)[number];

/** Disks that lie: behind them a lone node can promise nothing but that values are real. */
export const DAMAGING_FAULTS: readonly FaultName[] = ["bit-rot", "lost-write", "misdirected-write"];
