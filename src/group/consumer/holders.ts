/**
 * Which member holds which partition of a group. Where two claim one, the later claim stands; giving up
 * takes away only what is one's own.
 */
import type { Uuid } from "../../ground/uuid.ts";
import type { Partitions } from "./partitions.ts";

/** No topic has more partitions; a record that says so does not cost the memory for them. */
const PARTITION_ID_MAX = 1_000_000;

export class Holders {
  /** By partition id, without holes, which would make it a slow table; no list ends with nobody. */
  readonly #holders = new Map<Uuid, (string | undefined)[]>();

  isHeld(topicId: Uuid, partitionId: number): boolean {
    return this.#holders.get(topicId)?.[partitionId] !== undefined;
  }

  hold(memberId: string, partitions: Partitions): void {
    for (const [topicId, ids] of partitions) {
      let holders = this.#holders.get(topicId);
      if (holders === undefined) this.#holders.set(topicId, holders = []);
      for (const id of ids) {
        if (id < 0 || id > PARTITION_ID_MAX) continue;
        while (holders.length < id) holders.push(undefined);
        holders[id] = memberId;
      }
    }
  }

  release(memberId: string, partitions: Partitions): void {
    for (const [topicId, ids] of partitions) {
      const holders = this.#holders.get(topicId);
      if (holders === undefined) continue;
      for (const id of ids) if (holders[id] === memberId) holders[id] = undefined;
      while (holders.length > 0 && holders.at(-1) === undefined) holders.pop();
      if (holders.length === 0) this.#holders.delete(topicId);
    }
  }
}
