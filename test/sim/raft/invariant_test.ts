/**
 * Every invariant of the simulation can fail: each looks at a healthy cluster and finds nothing, and then at
 * the same cluster with one fact doctored.
 *
 * A row a case, so that the file is longer than most.
 */
import { describe, expect, test } from "bun:test";
import { toOffset } from "../../../src/ground/numbers.ts";
import type { ReplicaKey } from "../../../src/raft/configuration.ts";
import type { Message } from "../../../src/raft/message.ts";
import type { Outgoing } from "../../../src/raft/ready.ts";
import type { Invariant, Verdict } from "./invariant/invariant.ts";
import { invariantMakers } from "./invariants.ts";
import { idleOptions, swarmOptions } from "./options.ts";
import { SimDisk } from "./sim_disk.ts";
import type { SimNode } from "./sim_node.ts";
import { SimState } from "./sim_state.ts";
import { type Stored, StoredLog } from "./stored_log.ts";
import { World } from "./world.ts";

/** A cluster of three after five quiet seconds. */
interface Healthy {
  readonly world: World;
  readonly leader: SimNode;
  readonly follower: SimNode;
  readonly third: SimNode;
  /** The last batch that is committed. */
  readonly last: Stored;
}

function healthy(): Healthy {
  const world = new World(idleOptions(1, 5));
  expect(world.run().violation).toBeUndefined();
  const leader = world.nodes.find(({ soft }) => soft.role === "leader") as SimNode;
  const [follower, third] = world.nodes.filter((node) => node !== leader);
  return {
    world,
    leader,
    follower: follower as SimNode,
    third: third as SimNode,
    last: world.history.batches.at(-1) as Stored,
  };
}

function vote(from: ReplicaKey, to: ReplicaKey, term: number): Message {
  return { kind: "VoteReply", from, to, term, isGranted: true };
}

function candidacy(from: ReplicaKey, to: ReplicaKey, term: number): Message {
  return {
    kind: "VoteRequest",
    from,
    to,
    term,
    lastTerm: 1,
    lastOffset: toOffset(1),
    isTransfer: false,
  };
}

function answer(from: ReplicaKey, to: ReplicaKey, term: number): Message {
  return {
    kind: "AppendReply",
    from,
    to,
    term,
    isAccepted: true,
    matchOffset: toOffset(1),
    readSequence: 0,
  };
}

interface Case {
  /** Finds nothing. */
  right(invariant: Invariant, cluster: Healthy): Verdict;
  /** The same with one fact changed. */
  wrong(invariant: Invariant, cluster: Healthy): Verdict;
}

const MUCH = toOffset(1_000_000);

const cases: Readonly<Record<string, Case>> = {
  "state machine safety": {
    right: (each, { follower, world }) => each.afterStep?.(follower, world),
    wrong: (each, { follower, world, last }) => {
      world.history.batches[world.history.batches.length - 1] = { ...last, payload: -1 };
      return each.afterStep?.(follower, world);
    },
  },
  "election safety": {
    right: (each, { leader, world }) => each.onLead?.(leader, world),
    wrong: (each, { leader, follower, world }) => {
      each.onLead?.(leader, world);
      follower.soft = leader.soft;
      return each.onLead?.(follower, world);
    },
  },
  "log matching": {
    right: (each, { leader, last }) => {
      const log = new StoredLog();
      log.resetTo({ offset: last.entry.baseOffset, term: last.entry.term });
      return each.onAppend?.(leader, last, log) ?? each.onAppend?.(leader, last, log);
    },
    wrong: (each, { leader, last }) => {
      const log = new StoredLog();
      log.resetTo({ offset: last.entry.baseOffset, term: last.entry.term });
      each.onAppend?.(leader, last, log);
      return each.onAppend?.(leader, { ...last, payload: -1 }, log);
    },
  },
  "leader completeness": {
    right: (each, { follower, leader, world }) => {
      follower.soft = { ...leader.soft, term: leader.term + 1 };
      return each.onLead?.(follower, world);
    },
    wrong: (each, { follower, leader, world, last }) => {
      follower.soft = { ...leader.soft, term: leader.term + 1 };
      follower.log.truncateTo(last.entry.baseOffset);
      return each.onLead?.(follower, world);
    },
  },
  "applied is a prefix of history": {
    right: (each, { follower, world }) => {
      follower.state = new SimState(follower, world, undefined);
      return each.onApply?.(follower, world.history.batches[0] as Stored, world);
    },
    wrong: (each, { follower, world }) => {
      follower.state = new SimState(follower, world, undefined);
      follower.state.hash++;
      return each.onApply?.(follower, world.history.batches[0] as Stored, world);
    },
  },
  "no truncation below commit": {
    right: (each, { follower, world }) => each.onTruncate?.(follower, follower.commitOffset, world),
    wrong: (each, { follower, world, last }) => {
      follower.commitOffset = 0; // it does not know; the history does
      return each.onTruncate?.(follower, last.entry.baseOffset, world);
    },
  },
  "reads are linearizable": {
    right: (each, { leader }) =>
      each.onRead?.(leader, { askedAtMs: 0, askedAtEnd: 0, promisedOffset: 5, answeredOffset: 5 }),
    wrong: (each, { leader }) =>
      each.onRead?.(leader, { askedAtMs: 0, askedAtEnd: 0, promisedOffset: 5, answeredOffset: 4 }),
  },
  "read index covers every commit": {
    right: (each, { leader }) =>
      each.onRead?.(leader, { askedAtMs: 0, askedAtEnd: 5, promisedOffset: 0, answeredOffset: 5 }),
    wrong: (each, { leader }) =>
      each.onRead?.(leader, { askedAtMs: 0, askedAtEnd: 5, promisedOffset: 0, answeredOffset: 4 }),
  },
  "committed is durable": {
    right: (each, { leader, third, world, last }) => {
      third.disk = new SimDisk(); // two of three have it
      return each.onCommit?.(leader, [last], world);
    },
    wrong: (each, { leader, follower, third, world, last }) => {
      third.disk = new SimDisk();
      follower.disk.log.truncateTo(last.entry.baseOffset);
      return each.onCommit?.(leader, [last], world);
    },
  },
  "monotonic term and commit": {
    right: (each, { leader, world }) =>
      each.afterStep?.(leader, world) ?? each.afterStep?.(leader, world),
    wrong: (each, { leader, world }) => {
      each.afterStep?.(leader, world);
      leader.commitOffset--;
      return each.afterStep?.(leader, world);
    },
  },
  "persisted vote": {
    right: (each, { leader, world }) => each.afterStep?.(leader, world),
    wrong: (each, { leader, follower, world }) => {
      leader.votedFor = follower.key;
      return each.afterStep?.(leader, world);
    },
  },
  "vote once": {
    right: (each, { leader, follower, third, world }) =>
      each.onSend?.(follower, vote(follower.key, leader.key, 9), world) ??
        each.onSend?.(follower, vote(follower.key, leader.key, 9), world) ??
        each.onSend?.(follower, vote(follower.key, third.key, 10), world),
    wrong: (each, { leader, follower, third, world }) => {
      each.onSend?.(follower, vote(follower.key, leader.key, 9), world);
      return each.onSend?.(follower, vote(follower.key, third.key, 9), world);
    },
  },
  "reply is durable": {
    right: (each, { leader, follower, world }) => {
      follower.disk.hardState = { term: 9, votedFor: leader.key };
      return each.onSend?.(follower, vote(follower.key, leader.key, 9), world);
    },
    wrong: (each, { leader, follower, world }) => {
      follower.disk.hardState = { term: 9 };
      return each.onSend?.(follower, vote(follower.key, leader.key, 9), world);
    },
  },
  "configuration is the last in the log": {
    right: (each, { follower, world }) => each.afterStep?.(follower, world),
    wrong: (each, { follower, world }) => {
      follower.configuration = { voters: [], learners: [] };
      return each.afterStep?.(follower, world);
    },
  },
  "voters change through a joint state": {
    right: (each, { leader, last }) =>
      each.onAppend?.(leader, withVoters(leader, last, 3), leader.log),
    wrong: (each, { leader, last }) =>
      each.onAppend?.(leader, withVoters(leader, last, 2), leader.log),
  },
  "applied is durable here": {
    right: (each, { follower, world, last }) => each.onApply?.(follower, last, world),
    wrong: (each, { follower, world, last }) => {
      follower.disk.log.truncateTo(last.entry.baseOffset);
      return each.onApply?.(follower, last, world);
    },
  },
  "only voters campaign": {
    right: (each, { leader, follower, world }) => {
      follower.soft = { role: "candidate", term: 9, isReadyToDecide: false };
      return each.onSend?.(follower, candidacy(follower.key, leader.key, 9), world);
    },
    wrong: (each, { leader, follower, world }) => {
      follower.soft = { role: "candidate", term: 9, isReadyToDecide: false };
      follower.key = world.keyOf(follower.index, 1); // another disk
      return each.onSend?.(follower, candidacy(follower.key, leader.key, 9), world);
    },
  },
  "a campaign is asked for": {
    right: (each, { leader, follower, world }) => {
      const { key } = follower;
      const message: Message = {
        kind: "PreVoteReply",
        from: leader.key,
        to: key,
        term: 9,
        isGranted: true,
      };
      each.afterInput?.(follower, { kind: "message", message }, world);
      return each.onSend?.(follower, candidacy(key, leader.key, 9), world);
    },
    wrong: (each, { leader, follower, world }) =>
      each.onSend?.(follower, candidacy(follower.key, leader.key, 9), world),
  },
  "a leader decides on everything": {
    right: (each, { leader, world }) => each.afterStep?.(leader, world),
    wrong: (each, { leader, world }) => {
      leader.soft = { ...leader.soft, term: leader.soft.term + 1 };
      return each.afterStep?.(leader, world);
    },
  },
  "a pre-vote changes nothing": {
    right: (each, { follower, world }) => asked(each, follower, world),
    wrong: (each, { follower, world }) => {
      follower.term--;
      return asked(each, follower, world);
    },
  },
  "a leader hears a majority": {
    right: (each, cluster) => listened(each, cluster, true),
    wrong: (each, cluster) => listened(each, cluster, false),
  },
  "a leader is elected": {
    right: (each, { leader, follower, world }) =>
      each.onSend?.(follower, vote(follower.key, leader.key, leader.soft.term), world) ??
        each.onLead?.(leader, world),
    wrong: (each, { leader, follower, world }) =>
      each.onSend?.(follower, vote(follower.key, leader.key, leader.soft.term - 1), world) ??
        each.onLead?.(leader, world),
  },
  "only the leader is obeyed": {
    right: (each, { leader, follower, world }) =>
      each.onLead?.(leader, world) ??
        each.onSend?.(follower, answer(follower.key, leader.key, leader.soft.term), world),
    wrong: (each, { leader, follower, third, world }) =>
      each.onLead?.(leader, world) ??
        each.onSend?.(follower, answer(follower.key, third.key, leader.soft.term), world),
  },
  "a leader commits by its own term": {
    right: (each, cluster) => committed(each, cluster, 0),
    wrong: (each, cluster) => committed(each, cluster, 1),
  },
  "acknowledged is held": {
    right: (each, { leader, follower, world }) => acknowledged(each, world, leader, follower),
    wrong: (each, { leader, follower, world, last }) => {
      follower.disk.log.truncateTo(last.entry.baseOffset);
      return acknowledged(each, world, leader, follower);
    },
  },
  "a read is confirmed": {
    right: (each, { leader, follower, world }) =>
      each.onSend?.(follower, answer(follower.key, leader.key, leader.term), world) ??
        each.onReadIndex?.(leader, readOf(world)),
    wrong: (each, { leader, follower, world }) => {
      each.onSend?.(follower, answer(follower.key, leader.key, leader.term), world);
      world.nowMs++; // the question comes after the answer
      return each.onReadIndex?.(leader, readOf(world));
    },
  },
};

function readOf(world: World): { askedAtMs: number; askedAtEnd: number; promisedOffset: number } {
  return { askedAtMs: world.nowMs, askedAtEnd: 0, promisedOffset: 0 };
}

function withVoters(leader: SimNode, last: Stored, count: number): Stored {
  const { voters, learners } = leader.configuration;
  const configuration = { voters: voters.slice(0, count), learners };
  const entry = { ...last.entry, term: leader.log.lastTerm, nextOffset: MUCH, configuration };
  return { ...last, entry };
}

function asked(each: Invariant, node: SimNode, world: World): Verdict {
  const message: Message = {
    kind: "PreVoteRequest",
    from: world.keyOf(2, 0),
    to: node.key,
    term: 99,
    lastTerm: 1,
    lastOffset: toOffset(1),
  };
  return each.afterInput?.(node, { kind: "message", message }, world);
}

/** Ten election timeouts, with or without a word from the others. */
function listened(each: Invariant, { world, leader }: Healthy, isHeard: boolean): Verdict {
  for (let count = 0; count < 10; count++) {
    if (isHeard) leader.heardAtMs.fill(leader.now());
    const verdict = each.afterStep?.(leader, world);
    if (verdict !== undefined) return verdict;
    world.nowMs += world.options.electionTimeoutMs;
  }
  return undefined;
}

/** The last batch is committed by a leader so many terms later. */
function committed(each: Invariant, { leader, world, last }: Healthy, later: number): Verdict {
  leader.term += later;
  leader.soft = { ...leader.soft, term: leader.term };
  leader.commitOffset = last.entry.baseOffset;
  each.afterStep?.(leader, world);
  leader.commitOffset = last.entry.nextOffset;
  return each.afterStep?.(leader, world);
}

function acknowledged(each: Invariant, world: World, leader: SimNode, from: SimNode): Verdict {
  const message = answer(from.key, leader.key, leader.term);
  expect(leader.raft?.matchOffsetOf(from.key)).toBe(toOffset(leader.commitOffset));
  return each.afterInput?.(leader, { kind: "message", message }, world);
}

describe("invariants of the quorum", () => {
  test("each has a case here", () => {
    expect(Object.keys(cases).sort()).toEqual(invariantMakers.map((make) => make().name).sort());
  });

  for (const make of invariantMakers) {
    const { name } = make();
    test(`"${name}" finds nothing in a healthy cluster, and what was doctored`, () => {
      const { right, wrong } = cases[name] as Case;
      expect(right(make(), healthy())).toBeUndefined();
      expect(typeof wrong(make(), healthy())).toBe("string");
    });
  }
});

describe("checks of the world itself", () => {
  /** One planted bug each that this check finds alone, with all others switched off. */
  const found: readonly (readonly [check: string, bug: string])[] = [
    ["progress with a healthy quorum", "prev-term-of-next"],
    ["log reaches its snapshot", "snapshot-directory-not-synced"],
    ["a snapshot is durable before it rules", "snapshot-told-early"],
  ];
  for (const [check, bug] of found) {
    test(`"${check}" finds ${bug} alone`, () => {
      let violation: string | undefined;
      for (let seed = 1; seed <= 60 && violation === undefined; seed++) {
        violation = new World(swarmOptions(seed, [bug]), { only: check }).run().violation
          ?.invariant;
      }
      expect(violation).toBe(check);
    }, 60_000);
  }

  test('"a bounded number of events" ends a storm', () => {
    const quiet = { ...idleOptions(1, 2), nodeCount: 7, voterCount: 7 };
    const network = { ...quiet.network, duplicatePermille: 1_000 };
    const storm = { ...quiet, network, heartbeatMs: 1 };
    expect(new World(storm).run().violation?.invariant).toBe("a bounded number of events");
    expect(new World(quiet).run().violation).toBeUndefined();
  });

  test('"the machine\'s own assertion" is a finding', () => {
    const { world, follower } = healthy();
    follower.step({ kind: "tick" });
    expect(world.hasFailed).toBe(false);
    follower.step({ kind: "persisted", number: 1_000_000 });
    expect(world.hasFailed).toBe(true);
  });

  test('"a batch comes with its bytes" misses what a request did not bring', () => {
    const { world, leader, follower, last } = healthy();
    const { entry } = last;
    const sent: Outgoing | Message = {
      kind: "AppendRequest",
      from: leader.key,
      to: follower.key,
      term: leader.term,
      prevOffset: entry.nextOffset,
      prevTerm: entry.term,
      entries: [
        { ...entry, baseOffset: entry.nextOffset, nextOffset: toOffset(entry.nextOffset + 1) },
      ],
      records: [] as readonly unknown[] as Uint8Array & readonly unknown[],
      commitOffset: entry.nextOffset,
      readSequence: 0,
    };
    follower.onMessage(sent);
    expect(world.hasFailed).toBe(true);
  });
});
