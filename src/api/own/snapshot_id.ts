/** Which snapshot of the metadata log: everything below `offset` is in it, up to a batch of `term`. */
import { type Offset, toOffset } from "../../ground/numbers.ts";
import { Fields } from "./shape.ts";

export interface SnapshotName {
  readonly offset: Offset;
  readonly term: number;
}

/** Beyond it no quorum gets: ten elections a second for three years. */
export const TERM_MAX = 0x4000_0000;

export function asSnapshotName(value: unknown, path: string): SnapshotName | string {
  const fields = new Fields(value, path);
  const offset = fields.count("offset");
  const term = fields.int("term", 0, TERM_MAX);
  return fields.failure ?? { offset: toOffset(offset), term };
}
