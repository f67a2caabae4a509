/** A batch is proposed to who thinks it leads, at times to all who do, now and then a burst. */
import type { Deed } from "../deed.ts";
import { supposedLeader } from "../victim.ts";

export const propose: Deed = {
  name: "propose",
  number: 10,
  endsWithSafety: false,
  perform(world, random): void {
    const count = random.oneIn(16) ? random.between(2, 12) : 1;
    for (let index = 0; index < count; index++) supposedLeader(world, random)?.propose();
  },
};
