/**
 * A topic was deleted, and another of its name was made, while the log of groups took no records (a full
 * disk): until the tombstones of its offsets were written, consumers of the new topic were told to begin
 * where those of the old one had been.
 */
import { expect, test } from "bun:test";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { Coordinator } from "../group/coordinator.ts";
import { commit, fetchOffsets } from "../group/requests.ts";

function committedBy(coordinator: Coordinator): readonly number[] {
  const named = [{ name: "topic", topicId: ZERO_UUID, partitionIndexes: [0] }];
  return [null, named].flatMap((topics) =>
    coordinator.ask(fetchOffsets({ topics })).topics.flatMap(({ partitions }) =>
      partitions.map(({ committedOffset }) => committedOffset)
    )
  );
}

test("a new topic has none of the offsets of the one that had its name", () => {
  const coordinator = new Coordinator();
  coordinator.createTopic("topic", 1);
  coordinator.ask(commit({ offset: 5 }));
  expect(committedBy(coordinator)).toEqual([5, 5]);
  coordinator.isFull = true;
  coordinator.deleteTopic("topic");
  coordinator.createTopic("topic", 1);
  expect(committedBy(coordinator)).toEqual([-1]);
  coordinator.isFull = false;
  coordinator.ask(commit({ offset: 2 }));
  expect(committedBy(coordinator)).toEqual([2, 2]);
});
