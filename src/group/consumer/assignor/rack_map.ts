/**
 * Where members and replicas are, as numbers: racks that members have, and classes of partitions whose
 * replicas are in the same of those racks. Racks that no member is in do not matter here.
 */
import type { Uuid } from "../../../ground/uuid.ts";
import type { AssignorInput, AssignorMember } from "./assignor.ts";

export class RackMap {
  readonly rackCount: number;
  /** By the member's place: its rack, or `rackCount`, the place for those that do not say where they are. */
  readonly ofMember: Int32Array;
  readonly #input: AssignorInput;
  readonly #rackIndexes: ReadonlyMap<string, number>;
  readonly #classes = new Map<string, number>();
  /** By class: the racks that have a replica, ascending. */
  readonly #racksIn: (readonly number[])[] = [];

  /** Undefined where no member says where it is: then racks change nothing. */
  static of(input: AssignorInput, members = input.members): RackMap | undefined {
    return members.some(({ rackId }) => rackId !== null) ? new RackMap(input, members) : undefined;
  }

  private constructor(input: AssignorInput, members: readonly AssignorMember[]) {
    const rackIndexes = new Map<string, number>();
    for (const { rackId } of members) {
      if (rackId !== null && !rackIndexes.has(rackId)) rackIndexes.set(rackId, rackIndexes.size);
    }
    this.rackCount = rackIndexes.size;
    this.ofMember = Int32Array.from(
      members,
      ({ rackId }) => rackId === null ? rackIndexes.size : rackIndexes.get(rackId) as number,
    );
    this.#input = input;
    this.#rackIndexes = rackIndexes;
  }

  racksIn(classIndex: number): readonly number[] {
    return this.#racksIn[classIndex] as readonly number[];
  }

  isIn(rack: number, classIndex: number): boolean {
    return this.racksIn(classIndex).includes(rack);
  }

  /** Whether that member would have to read from another rack, though it says where it is. */
  isElsewhere(memberIndex: number, classIndex: number): boolean {
    const rack = this.ofMember[memberIndex] as number;
    return rack !== this.rackCount && !this.isIn(rack, classIndex);
  }

  /** The classes of a topic's partitions, put into `classes`. */
  classify(topicId: Uuid, classes: Int32Array): void {
    for (let id = 0; id < classes.length; id++) {
      const racks = this.#input.racksOf(topicId, id).flatMap((rack) =>
        this.#rackIndexes.get(rack) ?? []
      );
      classes[id] = this.#classOf([...new Set(racks)].sort((one, other) => one - other));
    }
  }

  /** The class of what is only where both are. */
  both(one: number, other: number): number {
    if (one === other) return one;
    return this.#classOf(this.racksIn(one).filter((rack) => this.isIn(rack, other)));
  }

  #classOf(racks: readonly number[]): number {
    const key = racks.join(",");
    const known = this.#classes.get(key);
    if (known !== undefined) return known;
    this.#classes.set(key, this.#racksIn.length);
    return this.#racksIn.push(racks) - 1;
  }
}
