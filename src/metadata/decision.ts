/** The contract of a decision about metadata (design: decide, append, replay, reply). */
import type { MetadataRecord } from "./record.ts";

/** Nothing has changed when a decision is made; its records, once durable, will change the image. */
export interface Decision<Reply> {
  readonly records: readonly MetadataRecord[];
  readonly reply: Reply;
}
