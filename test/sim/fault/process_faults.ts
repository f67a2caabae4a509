/** Kills, losses of power, pauses, slowness, clean restarts. */
import type { PowerLoss } from "../env/disk_media.ts";
import { durationUs, type Fault, type FaultContext, pickNode, pickProcess } from "./fault.ts";

const POWER_LOSSES: readonly PowerLoss[] = ["lost", "subset", "torn-512", "torn-4096"];
const CALLS_MAX = 60;
const LONG_US = 30_000_000;

function powerLoss({ chance }: FaultContext): PowerLoss {
  return POWER_LOSSES[chance.below(POWER_LOSSES.length)] as PowerLoss;
}

export const kill: Fault = (context) => {
  const { clients, chance } = context;
  if (chance.oneIn(5)) {
    clients[chance.below(clients.length)]?.kill();
    return true;
  }
  // Among several also for so long that the others must do without it.
  const isLong = context.nodes.length > 1 && chance.oneIn(8);
  return pickNode(context).kill(isLong ? LONG_US : durationUs(chance, 1, 5000));
};

export const losePower: Fault = (context) => {
  const node = pickNode(context);
  return node.losePower(powerLoss(context), context.chance, durationUs(context.chance, 10, 15_000));
};

/** In the middle of one of the next calls to the disk. */
export const crashInCall: Fault = (context) => {
  const node = pickNode(context);
  const { chance } = context;
  const isKill = chance.oneIn(3);
  const loss = powerLoss(context);
  const downUs = durationUs(chance, 10, 5000);
  node.process.faults.onCallsLeft = () => {
    if (isKill) node.kill(downUs);
    else node.losePower(loss, chance, downUs);
  };
  node.process.faults.callsLeft = 1 + chance.below(CALLS_MAX);
  return node.process.isUp;
};

export const restartGracefully: Fault = (context) => {
  return pickNode(context).stopGracefully(durationUs(context.chance, 1, 5000));
};

export const pause: Fault = (context) => {
  const process = pickProcess(context);
  if (!process.isUp) return false;
  process.pause();
  const lengthUs = durationUs(context.chance, 20, 25_000);
  context.scheduler.after(lengthUs, { label: "resume" }, () => process.resume());
  return true;
};

export const slow: Fault = (context) => {
  const { life } = pickProcess(context);
  if (life === undefined) return false;
  life.eventCostUs = 100 + context.chance.below(5000);
  context.scheduler.after(durationUs(context.chance, 500, 20_000), { label: "fast-again" }, () => {
    life.eventCostUs = 0;
  });
  return true;
};

export const jumpWall: Fault = (context) => {
  const { machine } = pickProcess(context);
  const rangeMs = context.chance.oneIn(3) ? 20_000_000 : 30_000;
  machine.wallOffsetMs += context.chance.between(-rangeMs, rangeMs);
  return true;
};
