/** What happens to a world, by chance. */
import { SIMPLE, type World } from "./world.ts";

export type Act = readonly [name: string, does: (world: World) => unknown];

/** As often as they stand here. */
export const ACTS: readonly Act[] = [
  ...repeated(30, ["time passes", (world) => world.pass(world.random.below(2000))]),
  ...repeated(3, ["much time passes", (world) => world.pass(world.random.between(5000, 60_000))]),
  ["the clock is set back", (world) => world.setBack(world.random.below(5000))],
  ...repeated(6, ["a client comes", (world) => world.startClient()]),
  ...repeated(3, ["a client leaves", (world) => world.stopClient(false)]),
  ...repeated(2, ["a client is killed", (world) => world.stopClient(true)]),
  ...repeated(3, ["a client stands still", (world) => world.pauseClient()]),
  ...repeated(6, ["a client commits", (world) => world.commit(false)]),
  ...repeated(2, ["a client commits of the past", (world) => world.commit(true)]),
  ...repeated(2, [
    "a consumer without membership commits",
    (world) => world.commitFromOutside(SIMPLE),
  ]),
  ["somebody commits for a group", (world) => world.commitFromOutside(world.anyGroup())],
  ["offsets are deleted", (world) => world.deleteSomeOffsets()],
  ["a group is deleted", (world) => world.deleteSomeGroup()],
  ["a topic is deleted", (world) => world.random.oneIn(4) && world.deleteTopic()],
  ["a topic gets a partition", (world) => world.growTopic()],
  ...repeated(2, ["the coordinator restarts", (world) => world.restart()]),
  ["the log is full", (world) => {
    world.coordinator.isFull = true;
  }],
  ...repeated(4, ["the log is open", (world) => {
    world.coordinator.isFull = false;
    world.pass(0);
  }]),
];

function repeated(times: number, act: Act): readonly Act[] {
  return Array.from({ length: times }, () => act);
}
