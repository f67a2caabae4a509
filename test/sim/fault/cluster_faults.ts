/**
 * What goes wrong with a quorum: its leader isolated or paused, disks lost or exchanged, state that is
 * damaged, changes of voters that are cut short.
 *
 * A quorum outlives the loss of a minority of its disks: so only one voter at a time is in somebody's
 * hands, and only while all others have their own.
 */
import type { FileNode } from "../env/disk_nodes.ts";
import { METADATA_FOLDER, type SimNode } from "../sim_node.ts";
import { durationUs, type Fault, type FaultContext, pickNode } from "./fault.ts";
import { isAnyDiskInHands, isQuorumWhole } from "../cluster_state.ts";

const MS = 1000;
/** As long as it is there, the log may be whole without any snapshot. */
const FIRST_SEGMENT = "00000000000000000000.log";
const CAPACITY_BYTES = 64 * 1024 * 1024 * 1024;

function activeController({ nodes }: FaultContext): SimNode | undefined {
  return nodes.find(({ isActiveController, process: { isUp } }) => isUp && isActiveController);
}

/** The leader hears everybody and nobody hears it, or the other way round. */
export const isolateController: Fault = (context) => {
  const { network, nodes, scheduler, chance } = context;
  const leader = activeController(context);
  if (leader === undefined || nodes.length === 1) return false;
  const isOut = chance.oneIn(2);
  const { name } = leader.process;
  const others = nodes.filter((node) => node !== leader).map(({ process }) => process.name);
  for (const other of others) network.cut(isOut ? name : other, isOut ? other : name);
  scheduler.after(durationUs(chance, 200, 30_000), { label: "heal" }, () => {
    for (const other of others) network.heal(isOut ? name : other, isOut ? other : name);
  });
  return true;
};

/** For one session time-out, or ten. */
export const pauseController: Fault = (context) => {
  const leader = activeController(context);
  if (leader === undefined || leader.process.life?.isPaused !== false) return false;
  const { scheduler, sessionMs, chance } = context;
  const { process } = leader;
  process.pause();
  const lengthUs = (chance.oneIn(2) ? 1 : 10) * sessionMs * MS;
  scheduler.after(lengthUs, { label: "resume" }, () => process.resume());
  return true;
};

export const fillControllerDisk: Fault = (context) => {
  const leader = activeController(context);
  if (leader === undefined) return false;
  const { scheduler, chance } = context;
  const { process } = leader;
  process.media.capacityBytes = process.media.usedBytes + chance.below(3000);
  scheduler.after(durationUs(chance, 200, 20_000), { label: "room" }, () => {
    process.media.capacityBytes = CAPACITY_BYTES;
  });
  return true;
};

/** A voter shall leave and come back; whoever leads, or the one that goes, is killed meanwhile. */
export const killInVoterChange: Fault = (context) => {
  const { nodes, operator, scheduler, chance } = context;
  const node = pickNode(context);
  if (nodes.length === 1 || !node.mayVote || !isQuorumWhole(nodes)) return false;
  operator.leaving = node;
  const before = operator.changeCount;
  const kill = (triesLeft: number): void => {
    scheduler.after(20 * MS, { label: "look" }, () => {
      if (operator.changeCount === before) {
        if (triesLeft > 0) kill(triesLeft - 1);
        return;
      }
      const victim = chance.oneIn(3) ? node : activeController(context) ?? node;
      scheduler.after(chance.below(200 * MS), { label: "kill" }, () => {
        victim.kill(durationUs(chance, 1, 8000));
      });
    });
  };
  kill(500);
  return true;
};

/** The node comes back with an empty disk, and has lost its vote with it. */
export const emptyDisk: Fault = (context) => {
  const { nodes, operator, shadow, scheduler, chance } = context;
  const node = pickNode(context);
  if (nodes.length === 1 || operator.leaving !== undefined || !isQuorumWhole(nodes)) return false;
  node.hold();
  if (node.isBroker) shadow.onDiskLost();
  node.loseDisk();
  scheduler.after(durationUs(chance, 100, 5000), { label: "start" }, () => node.release());
  return true;
};

/** Somebody puts the disks of two machines into each other: neither starts, and nothing is touched. */
export const swapDisks: Fault = (context) => {
  const { nodes, scheduler, chance } = context;
  const first = pickNode(context);
  const others = nodes.filter((node) => node !== first);
  const second = others[chance.below(Math.max(1, others.length))];
  if (second === undefined || isAnyDiskInHands(nodes)) return false;
  const isFormatted = [first, second].every((node) => node.directoryId() !== undefined);
  if (!isFormatted) return false;
  const swap = (): void => {
    for (const node of [first, second]) node.hold();
    const { media } = first.process;
    first.process.media = second.process.media;
    second.process.media = media;
  };
  swap();
  for (const node of [first, second]) {
    node.expectRefusal(/belongs to node|node\.id|Cannot find the metadata log/);
  }
  scheduler.after(durationUs(chance, 1000, 10_000), { label: "swap-back" }, () => {
    if (!first.isRefusing || !second.isRefusing) return; // healed, or the machine lost its power
    swap();
    for (const node of [first, second]) node.endRefusal();
  });
  return true;
};

/** A bit of the file that says for whom the node has voted has flipped while it was down. */
export const corruptQuorumState: Fault = (context) => {
  const { nodes, scheduler, chance } = context;
  const node = pickNode(context);
  if (!node.mayVote || isAnyDiskInHands(nodes)) return false;
  const state = [...node.process.media.files()].find(({ path }) => isState(path));
  if (state === undefined || state.file.cached.length === 0) return false;
  node.hold();
  const at = chance.below(state.file.cached.length);
  const mask = 1 << chance.below(8);
  flip(state.file, at, mask);
  node.expectRefusal(/quorum-state/);
  scheduler.after(durationUs(chance, 1000, 8000), { label: "repair" }, () => {
    node.hold();
    const now = [...node.process.media.files()].find(({ path }) => path === state.path);
    if (now !== undefined) flip(now.file, at, mask);
    node.endRefusal();
  });
  return true;
};

/**
 * Bits of snapshots have flipped while the node was down. Where no other snapshot and log stand for them it
 * must not start, touches nothing, and the others go on; somebody gives it an empty disk then.
 */
export const corruptSnapshot: Fault = (context) => {
  const { nodes, operator, shadow, scheduler, chance } = context;
  const node = pickNode(context);
  if (!node.mayVote || operator.leaving !== undefined || !isQuorumWhole(nodes)) return false;
  const files = [...node.process.media.files()];
  const snapshots = files.filter(({ path, file }) => isSnapshot(path) && file.cached.length > 0);
  if (snapshots.length === 0) return false;
  node.hold();
  const isAll = chance.below(4) > 0;
  for (const { file } of isAll ? snapshots : snapshots.slice(-1)) {
    flip(file, chance.below(file.cached.length), 1 << chance.below(8));
  }
  const isLogWhole = files.some(({ path }) => path === `${METADATA_FOLDER}/${FIRST_SEGMENT}`);
  node.expectRefusal(/damaged snapshot|no older snapshot/, !isAll || isLogWhole);
  scheduler.after(durationUs(chance, 2000, 10_000), { label: "exchange" }, () => {
    if (!node.isRefusing) return;
    node.hold();
    if (node.isBroker) shadow.onDiskLost();
    node.loseDisk();
    node.endRefusal();
  });
  return true;
};

function isSnapshot(path: string): boolean {
  return path.startsWith(`${METADATA_FOLDER}/`) && path.endsWith(".checkpoint");
}

function isState(path: string): boolean {
  return path === `${METADATA_FOLDER}/quorum-state`;
}

function flip(file: FileNode, at: number, mask: number): void {
  for (const content of [file.cached, file.durable]) {
    if (at >= content.length) continue;
    const byte = content.view(at, at + 1)[0] as number;
    content.write(at, Uint8Array.of(byte ^ mask));
  }
}
