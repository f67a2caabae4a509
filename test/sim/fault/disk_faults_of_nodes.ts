/** What goes wrong with the disks of nodes. */
import type { DiskFaultKind } from "../../../src/env/disk.ts";
import type { DiskCallKind } from "../env/disk_faults.ts";
import { FileNode } from "../env/disk_nodes.ts";
import { durationUs, type Fault, pickNode } from "./fault.ts";

const CAPACITY_BYTES = 64 * 1024 * 1024 * 1024;

export const fillDisk: Fault = (context) => {
  const { process } = pickNode(context);
  const { media } = process;
  media.capacityBytes = media.usedBytes + context.chance.below(6000);
  context.scheduler.after(durationUs(context.chance, 200, 15_000), { label: "room" }, () => {
    process.media.capacityBytes = CAPACITY_BYTES; // a loss of power has made a new one meanwhile
  });
  return true;
};

function failNext(calls: readonly DiskCallKind[], kind: DiskFaultKind): Fault {
  return (context) => {
    const { faults } = pickNode(context).process;
    faults.failNext(calls[context.chance.below(calls.length)] as DiskCallKind, kind);
    return true;
  };
}

export const failRead: Fault = failNext(["read"], "unreadable");
export const failWrite: Fault = failNext(["write", "truncate"], "io");
export const failSync: Fault = failNext(["sync", "sync", "syncDirectory"], "io");
export const failEntry: Fault = failNext(
  ["open", "rename", "remove", "makeDirectory", "list"],
  "io",
);

export const breakDisk: Fault = (context) => {
  const { faults } = pickNode(context).process;
  faults.isBroken = true;
  context.scheduler.after(durationUs(context.chance, 10, 10_000), { label: "exchange" }, () => {
    faults.isBroken = false;
  });
  return true;
};

export const slowDisk: Fault = (context) => {
  const { faults } = pickNode(context).process;
  faults.stallUs = durationUs(context.chance, 5, 5000);
  context.scheduler.after(durationUs(context.chance, 100, 20_000), { label: "fast-disk" }, () => {
    faults.stallUs = 0;
  });
  return true;
};

/** In a log of records, so that the node itself can go on. */
export const rot: Fault = (context) => {
  const { chance, shadow } = context;
  const { media } = pickNode(context).process;
  const logs = [...media.files()].filter(({ path, file }) => {
    return isRecords(path) && file.durable.length > 0;
  });
  const log = logs[chance.below(logs.length)];
  if (log === undefined) return false;
  rotFile(log.file, chance.below(log.file.durable.length), 1 << chance.below(8));
  shadow.onDamage();
  return true;
};

function rotFile(file: FileNode, at: number, mask: number): void {
  for (const content of [file.cached, file.durable]) {
    if (at >= content.length) continue;
    const byte = content.view(at, at + 1)[0] as number;
    content.write(at, Uint8Array.of(byte ^ mask));
  }
}

function lie(kind: "lost" | "misdirected"): Fault {
  return (context) => {
    pickNode(context).process.faults.nextWrite = kind;
    context.shadow.onDamage();
    return true;
  };
}

export const loseWrite: Fault = lie("lost");
export const misdirectWrite: Fault = lie("misdirected");

export function isRecords(path: string): boolean {
  return path.endsWith(".log") && !path.includes("/__");
}
