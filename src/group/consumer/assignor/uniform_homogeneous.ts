/**
 * "uniform" where all members are subscribed to the same topics.
 *
 * Of P partitions and n members each gets ⌊P/n⌋, and P mod n of them one more. Those that have more
 * than ⌊P/n⌋ are the first to be allowed it, so nothing moves without need; then the others in the
 * order of their ids. Whoever has too many gives up some of each topic, in proportion, and what is free
 * is dealt like cards: a topic with much traffic is shared by all members, not held by one.
 *
 * Where racks are known, partitions are exchanged, and who has the odd ones is changed, as long as that
 * brings one home.
 */
import type { Partitions } from "../partitions.ts";
import { type AssignorInput, NO_OWNER, Ownership } from "./assignor.ts";
import { RackMap } from "./rack_map.ts";
import { areasOf, matchRacks, moveOddOnes } from "./rack_matching.ts";

export function assignHomogeneous(input: AssignorInput): ReadonlyMap<string, Partitions> {
  const first = input.members[0];
  if (first === undefined) return new Map();
  const topicIds = new Set(first.topicIds);
  const ownership = new Ownership(input, (_, topicId) => topicIds.has(topicId));
  const before = ownership.all.slice();
  const quotas = quotasOf(ownership);
  giveUp(ownership, quotas);
  deal(ownership, quotas);
  bringHome(input, ownership, before);
  return ownership.targets();
}

function bringHome(input: AssignorInput, ownership: Ownership, before: Int32Array): void {
  const racks = RackMap.of(input);
  if (racks === undefined) return;
  const dealt = ownership.all.slice();
  const { all } = areasOf(ownership, before, racks);
  const least = Math.floor(all.owners.length / input.members.length);
  // Each of them opens ways for the other.
  while (matchRacks(all, racks) || moveOddOnes(all, racks, ownership.loads, least));
  ownership.exchanged(dealt);
}

function quotasOf({ owners, loads }: Ownership): Int32Array {
  let partitionCount = 0;
  for (const ownersOfTopic of owners.values()) partitionCount += ownersOfTopic.length;
  const memberCount = loads.length;
  const least = Math.floor(partitionCount / memberCount);
  let odd = partitionCount % memberCount;
  const quotas = new Int32Array(memberCount).fill(least);
  for (let member = 0; member < memberCount && odd > 0; member++) {
    if ((loads[member] as number) <= least) continue;
    quotas[member] = least + 1;
    odd--;
  }
  for (let member = 0; member < memberCount && odd > 0; member++) {
    if (quotas[member] !== least) continue;
    quotas[member] = least + 1;
    odd--;
  }
  return quotas;
}

/**
 * Takes from whoever is above its quota, of each topic in proportion to what it has of it.
 *
 * The sum is exact because at every topic it is what is left to take of what is left to look at; the
 * odd ones of the division go to the first topics.
 */
function giveUp(ownership: Ownership, quotas: Int32Array): void {
  const { loads } = ownership;
  const memberCount = loads.length;
  const surplus = new Int32Array(memberCount);
  let isAny = false;
  for (let member = 0; member < memberCount; member++) {
    surplus[member] = Math.max(0, (loads[member] as number) - (quotas[member] as number));
    if (surplus[member] !== 0) isAny = true;
  }
  if (!isAny) return;
  const heldLeft = Int32Array.from(loads);
  const held = new Int32Array(memberCount);
  for (const owners of ownership.owners.values()) {
    countHeld(owners, held);
    for (let member = 0; member < memberCount; member++) {
      const ofTopic = held[member] as number;
      const left = heldLeft[member] as number;
      heldLeft[member] = left - ofTopic;
      // From here on: how many of this topic it gives up.
      held[member] = left === 0 ? 0 : Math.ceil(ofTopic * (surplus[member] as number) / left);
      (surplus[member] as number) -= held[member] as number;
    }
    for (let id = owners.length - 1; id >= 0; id--) {
      const owner = owners[id] as number;
      if (owner === NO_OWNER || held[owner] === 0) continue;
      (held[owner] as number)--;
      ownership.take(owners, id);
    }
  }
}

function countHeld(owners: Int32Array, held: Int32Array): void {
  held.fill(0);
  const count = owners.length;
  for (let id = 0; id < count; id++) {
    const owner = owners[id] as number;
    if (owner !== NO_OWNER) (held[owner] as number)++;
  }
}

/** Gives what is free to those below their quotas, one each in turn. */
function deal(ownership: Ownership, quotas: Int32Array): void {
  const { loads } = ownership;
  const isUnfilled = (member: number): boolean =>
    (loads[member] as number) < (quotas[member] as number);
  let unfilled = Array.from(loads, (_, member) => member).filter(isUnfilled);
  let turn = 0;
  for (const owners of ownership.owners.values()) {
    const count = owners.length;
    for (let id = 0; id < count; id++) {
      if (owners[id] !== NO_OWNER) continue;
      if (turn === unfilled.length) {
        turn = 0;
        unfilled = unfilled.filter(isUnfilled);
      }
      ownership.give(owners, id, unfilled[turn++] as number);
    }
  }
}
