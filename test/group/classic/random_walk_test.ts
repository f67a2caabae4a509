/**
 * Members of all kinds that join, sync, heartbeat, fall silent, come back under their name, leave, while
 * time passes, the log refuses records and the coordinator fails. After every step:
 *
 *   - the group that lives is the group that its records make (checked by `World`)
 *   - every request that waits is some member's, and every member that waits has one
 *   - the leader is a member; no more members than allowed join; names of static members are their own
 *
 * And once nobody disturbs: within a bounded number of rounds everybody has an assignment of one
 * generation; when all are gone the group is empty and sleeps.
 */
import { describe, expect, test } from "bun:test";
import process from "node:process";
import { ErrorCode } from "../../../src/api/error_code.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { World } from "./world.ts";

const SEEDS = process.env["MQ_SEED"] === undefined
  ? Array.from({ length: 60 }, (_, seed) => seed + 1)
  : [Number(process.env["MQ_SEED"])];
const STEPS = 400;
/** Those whose clients forgot who they were have to be thrown out first: they have up to 60 s. */
const ROUNDS_MAX = 40;
const ROUND_MS = 3000;

const NAMES = ["a", "b", "c", "d", "s", "t"];

function started(random: Prng): World {
  const world = new World();
  world.settings = {
    ...world.settings,
    groupInitialRebalanceDelayMs: random.oneIn(2) ? 0 : 3000,
    groupMaxSize: random.oneIn(3) ? 4 : 100,
  };
  for (const name of ["s", "t"]) world.client(name).instance = `i-${name}`;
  return world;
}

/** What may happen next; what stands here twice happens more often. */
const ACTIONS: readonly ((world: World, random: Prng, name: string) => void)[] = [
  randomJoin,
  randomJoin,
  randomJoin,
  (world, _random, name) => void world.sync(name),
  (world, _random, name) => void world.sync(name),
  (world, _random, name) => void world.heartbeat(name),
  (world, _random, name) => void world.heartbeat(name),
  (world, _random, name) => void world.leaveAlone(name),
  (world, _random, name) => void world.commit(name),
  (world, _random, name) => {
    world.client(name).memberId = "";
  },
  (world, random) => {
    if (random.oneIn(4)) world.crash();
  },
  (world, random) => {
    world.isLogOpen = !random.oneIn(4);
  },
  (world, _random, name) => {
    const { instance, memberId } = world.client(name);
    world.leave("admin", [
      { memberId: "", groupInstanceId: instance, reason: null },
      { memberId, groupInstanceId: null, reason: null },
    ], 3);
  },
  (world, random) => world.pass(random.oneIn(5) ? random.below(70_000) : random.below(3000)),
];

function step(world: World, random: Prng): void {
  const name = NAMES[random.below(NAMES.length)] as string;
  ACTIONS[random.below(ACTIONS.length)]?.(world, random, name);
}

function randomJoin(world: World, random: Prng, name: string): void {
  world.join(name, {
    version: world.client(name).instance === null ? random.between(0, 9) : random.between(5, 9),
    sessionMs: random.oneIn(4) ? 60_000 : 6000,
    rebalanceMs: random.oneIn(4) ? 0 : 5000,
    protocols: random.oneIn(4) ? [["sticky", "x"], ["range", name]] : [["range", name]],
  });
}

function check(world: World): void {
  const members = [...world.group.members()];
  const waiting = members.reduce(
    (count, { waitingJoin, waitingSync }) =>
      count + (waitingJoin === undefined ? 0 : 1) + (waitingSync === undefined ? 0 : 1),
    0,
  );
  if (waiting !== world.waitingCount) {
    throw new Error(`${world.waitingCount} wait for an answer, of ${waiting} it is known`);
  }
  const leaderId = world.group.leaderId();
  if ((leaderId === undefined) !== (members.length === 0)) throw new Error("no leader");
  if (leaderId !== undefined && !members.some(({ memberId }) => memberId === leaderId)) {
    throw new Error("the leader is no member");
  }
  const names = members.map(({ groupInstanceId }) => groupInstanceId).filter((id) => id !== null);
  if (new Set(names).size !== names.length) throw new Error("two of one name");
  if (world.group.isEmpty !== (members.length === 0 && world.group.state() === "Empty")) {
    throw new Error("an empty group has members");
  }
}

/** Real clients, with nothing in their way: they join again whenever they are told to. */
function calmDown(world: World): void {
  world.isLogOpen = true;
  world.settings = { ...world.settings, groupMaxSize: 100 };
  for (let round = 0; round < ROUNDS_MAX; round++) {
    for (const name of NAMES) {
      if (world.heartbeat(name) === ErrorCode.None && isAssigned(world, name)) continue;
      for (let attempt = 0; attempt < 3; attempt++) {
        const answer = world.join(name, { version: 9, sessionMs: 300_000, rebalanceMs: 5000 });
        if (answer === undefined || answer.errorCode === ErrorCode.None) break;
        if (answer.errorCode === ErrorCode.FencedInstanceId) world.client(name).memberId = "";
      }
    }
    world.syncAll(...NAMES);
    world.pass(ROUND_MS);
    check(world);
    const isAlone = world.group.memberCount === NAMES.length;
    const isStable = world.group.state() === "Stable";
    if (isAlone && isStable && NAMES.every((name) => isAssigned(world, name))) return;
  }
  throw new Error(`not at rest after ${ROUNDS_MAX} rounds: ${world.group.state()}`);
}

function isAssigned(world: World, name: string): boolean {
  const { memberId, generation } = world.client(name);
  for (const member of world.group.members()) {
    if (member.memberId === memberId) {
      return generation === world.group.generationId() && member.assignment.length > 0;
    }
  }
  return false;
}

describe("a random walk of a classic group", () => {
  for (const seed of SEEDS) {
    test(`keeps what it promises and comes to rest: seed ${seed}`, () => {
      const random = new Prng(seed);
      const world = started(random);
      for (let at = 0; at < STEPS; at++) {
        step(world, random);
        check(world);
      }
      calmDown(world);
      expect(world.group.memberCount).toBe(NAMES.length);
      for (const name of NAMES) {
        const { memberId, instance } = world.client(name);
        world.leave(name, [{ memberId, groupInstanceId: instance, reason: null }]);
      }
      expect(world.group.memberCount).toBe(0);
      expect(world.waitingCount).toBe(0);
      world.pass(400_000); // ids that were given out and not used
      expect(world.group.state()).toBe("Empty");
      expect(world.group.wakeAt).toBeUndefined();
    });
  }
});
