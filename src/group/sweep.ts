/**
 * A walk over all groups of a shard that is done in steps, so that a shard of a hundred thousand groups
 * never holds up the others for long, nor writes a batch without bound.
 *
 * What was written in one step is looked at again in the next: where the log refused the records, they
 * are written again.
 */
import type { GroupSlot } from "./group_slot.ts";
import type { ShardTurn } from "./shard_turn.ts";

/** Groups that are looked at in one step, where a look is cheap, and records after which a step ends. */
const GROUPS_PER_STEP = 5000;
const RECORDS_PER_STEP = 500;
/** Where programs are made of patterns. */
const PATTERN_GROUPS_PER_STEP = 8;

export class Sweep {
  readonly #rest: Iterator<GroupSlot>;
  readonly #visit: (turn: ShardTurn, slot: GroupSlot) => void;
  readonly #groupsPerStep: number;
  #again: GroupSlot[] = [];
  #isAtEnd = false;

  /** Shape: `slots` may change while the walk is under way, as a Map's values may. */
  constructor(
    slots: Iterable<GroupSlot>,
    visit: (turn: ShardTurn, slot: GroupSlot) => void,
    groupsPerStep = GROUPS_PER_STEP,
  ) {
    this.#rest = slots[Symbol.iterator]();
    this.#visit = visit;
    this.#groupsPerStep = groupsPerStep;
  }

  /** Goes on; true once there is nothing left to look at. */
  step(turn: ShardTurn): boolean {
    const before = turn.records.length;
    const again = this.#again;
    this.#again = [];
    for (const slot of again) this.#look(turn, slot);
    for (let looked = 0; looked < this.#groupsPerStep && !this.#isAtEnd; looked++) {
      if (turn.records.length - before >= RECORDS_PER_STEP) break;
      const next = this.#rest.next();
      if (next.done === true) this.#isAtEnd = true;
      else this.#look(turn, next.value);
    }
    return this.#isAtEnd && this.#again.length === 0;
  }

  #look(turn: ShardTurn, slot: GroupSlot): void {
    const before = turn.records.length;
    turn.groupId = slot.groupId;
    this.#visit(turn, slot);
    if (turn.records.length > before) this.#again.push(slot);
  }
}

/** Asks groups with patterns whether one of them means a topic that is new. */
export function patternSweep(slots: Iterable<GroupSlot>, names: readonly string[]): Sweep {
  const patterned = [...slots].filter(({ group }) => {
    return group?.kind === "consumer" && group.hasPatterns;
  });
  const visit = (turn: ShardTurn, { group }: GroupSlot): void => {
    if (group?.kind === "consumer") group.patternsMayMeanMore(turn, names);
  };
  return new Sweep(patterned, visit, PATTERN_GROUPS_PER_STEP);
}
