/**
 * A broker that has ended, and of which nothing is heard for two sessions and some time to decide, is
 * fenced in the image of whoever leads all that time, undisturbed and with a disk that it can write to.
 */
import type { MetadataQuorum } from "../../../src/runtime/quorum/metadata_quorum.ts";
import type { SimNode } from "../sim_node.ts";
import type { Invariant } from "./invariant.ts";

const MS = 1000;
const DECIDE_MS = 5000;
/** An event loop that stood still longer has not led undisturbed. */
const GAP_US = 400 * MS;
const EVERY = 16;
const ROOM_BYTES = 100_000;

interface Reign {
  sinceUs: number;
  lastUs: number;
  eventCount: number;
}

export function theSilentAreFenced(nodes: readonly SimNode[], sessionMs: number): Invariant {
  const reigns = new WeakMap<MetadataQuorum, Reign>();
  return {
    name: "the silent are fenced",
    onNodeEvent(node): string | undefined {
      const { quorum, nowUs } = node;
      if (nodes.length === 1 || quorum?.isLeader !== true) {
        if (quorum !== undefined) reigns.delete(quorum);
        return undefined;
      }
      const reign = reigns.get(quorum) ?? { sinceUs: nowUs, lastUs: nowUs, eventCount: 0 };
      reigns.set(quorum, reign);
      if (nowUs - reign.lastUs > GAP_US || isDiskIll(node)) reign.sinceUs = nowUs;
      reign.lastUs = nowUs;
      if (reign.eventCount++ % EVERY > 0) return undefined;
      const boundUs = (2 * sessionMs + DECIDE_MS) * MS;
      const silent = nodes.findIndex((other, index) => {
        const { downSinceUs, isBroker, process } = other;
        if (other === node || !isBroker || downSinceUs === undefined || process.isUp) return false;
        const silentUs = nowUs - Math.max(downSinceUs, reign.sinceUs);
        return silentUs > boundUs && quorum.image.isUnfenced(index + 1);
      });
      return silent === -1 ? undefined : `broker ${silent + 1} is silent, and not fenced`;
    },
  };
}

function isDiskIll({ process: { media, faults } }: SimNode): boolean {
  return faults.isBroken || faults.stallUs > 0 ||
    media.capacityBytes - media.usedBytes < ROOM_BYTES;
}
