/**
 * Who reads what as a classic group goes on as a consumer group, as far as the coordinator can know.
 *
 *     first   what the leader assigned to each member
 *     then    while a rebalance goes on, where there is no assignment (yet, or no more): what the member
 *             said in its JoinGroup that it has, and that nobody else has
 *
 * A member that rebalances cooperatively goes on reading what it has until it is told otherwise
 * (KIP-429). Taken for one that has nothing, it would be read beside by whoever comes.
 */
import { Holders } from "./holders.ts";
import { filtered, NO_PARTITIONS, type Partitions } from "./partitions.ts";

export interface Possessor {
  /** Undefined where its leader has not assigned anything to it. */
  readonly assigned: Partitions | undefined;
  /** What it says that it has. */
  readonly owned: Partitions;
  /** In which generation it got that; −1 where it did not say. */
  readonly ownedSince: number;
}

/** What each is taken to have, in their order: of two that claim the same, the later generation's. */
export function possessions(members: readonly Possessor[]): readonly Partitions[] {
  const holders = new Holders();
  const found = members.map(({ assigned = NO_PARTITIONS }, at) => {
    holders.hold(String(at), assigned);
    return assigned;
  });
  const claims = members.map((member, at) => ({ ...member, at }))
    .filter(({ assigned }) => assigned === undefined)
    .sort((one, other) => other.ownedSince - one.ownedSince);
  for (const { at, owned } of claims) {
    const free = filtered(owned, (topicId, id) => !holders.isHeld(topicId, id));
    holders.hold(String(at), free);
    found[at] = free;
  }
  return found;
}
