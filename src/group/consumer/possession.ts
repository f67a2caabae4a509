/**
 * Who reads what as a classic group goes on as a consumer group, as far as the coordinator can know.
 *
 *     first   what the leader assigned to each member
 *     then    what a member said in its JoinGroup that it has, and that nobody was assigned
 *
 * A member that rebalances cooperatively goes on reading what it has until it is told otherwise, and
 * nobody gets that before it has joined again without it (KIP-429). Taken for free, it would be read
 * beside by whoever comes: where the leader has not assigned anything (yet, or no more), or has just
 * taken it away.
 */
import { Holders } from "./holders.ts";
import { filtered, NO_PARTITIONS, type Partitions, union } from "./partitions.ts";

export interface Possessor {
  readonly assigned: Partitions;
  /** What it says that it has. */
  readonly owned: Partitions;
  /** In which generation it got that; −1 where it did not say. */
  readonly ownedSince: number;
}

/** What each is taken to have, in their order: of two that say the same, the later generation's. */
export function possessions(members: readonly Possessor[]): readonly Partitions[] {
  const holders = new Holders();
  const found = members.map(({ assigned }, at) => {
    holders.hold(String(at), assigned);
    return assigned;
  });
  const claims = members.map(({ owned, ownedSince }, at) => ({ owned, ownedSince, at }))
    .sort((one, other) => other.ownedSince - one.ownedSince);
  for (const { at, owned } of claims) {
    const free = filtered(owned, (topicId, id) => !holders.isHeld(topicId, id));
    holders.hold(String(at), free);
    found[at] = union(found[at] ?? NO_PARTITIONS, free);
  }
  return found;
}
