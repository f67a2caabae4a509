/** A node never has more files open than its disk allows. */
import { SimDisk } from "../env/sim_disk.ts";
import type { Invariant } from "./invariant.ts";

export function filesAreBounded(): Invariant {
  return {
    name: "files are bounded",
    onNodeEvent(node): string | undefined {
      const disk = node.env?.disk;
      if (!(disk instanceof SimDisk) || disk.openCount <= disk.filesMax) return undefined;
      return `${disk.openCount} files are open, and ${disk.filesMax} may be`;
    },
  };
}
