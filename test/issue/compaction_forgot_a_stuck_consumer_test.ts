/**
 * Since when a committed offset has stood still was told by the run of its commits alone: when the log
 * had been compacted and was loaded again, a consumer that had been stuck for hours had just moved.
 */
import { expect, test } from "bun:test";
import type { GroupRecord } from "../../src/api/coordinator_record/group_record.ts";
import { decodeRecord, encodeRecord } from "../../src/runtime/coordinator/record_codec.ts";
import { Coordinator, START } from "../group/coordinator.ts";
import { commit, fetchOffsets } from "../group/requests.ts";

const HOUR_MS = 3_600_000;

function progressOf(coordinator: Coordinator): unknown {
  const { topics } = coordinator.ask(fetchOffsets({ includeProgress: true }));
  return topics[0]?.partitions[0]?.progress;
}

test("the newest commit alone tells since when its offset has stood still", () => {
  const coordinator = new Coordinator();
  coordinator.createTopic("topic", 1);
  for (let hour = 0; hour < 3; hour++) {
    coordinator.ask(commit({ offset: 5 }));
    coordinator.advance(HOUR_MS);
  }
  const progress = { committedAtMs: START + 2 * HOUR_MS, advancedAtMs: START };
  expect(progressOf(coordinator)).toEqual(progress);
  const { key, value } = encodeRecord(coordinator.log.at(-1) as GroupRecord);
  const again = new Coordinator();
  again.restartWith(decodeRecord(key, value) as GroupRecord);
  expect(progressOf(again)).toEqual(progress);
});
