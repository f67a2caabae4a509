import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../../src/api/error_code.ts";
import type {
  MembershipAction,
  MembershipAnswer,
  MembershipAsk,
} from "../../../src/client/group/membership.ts";
import { ConsumerMembership } from "../../../src/client/group/membership_consumer.ts";
import { type Uuid, uuidFromEntropy } from "../../../src/ground/uuid.ts";

const A = uuidFromEntropy(new Uint8Array(16).fill(1));
const B = uuidFromEntropy(new Uint8Array(16).fill(2));

/** A member by itself: what it does is read off, what happens to it is told. */
class Alone {
  readonly machine: ConsumerMembership;
  now = 1000;

  constructor(more: { readonly groupInstanceId?: string; readonly pattern?: string } = {}) {
    this.machine = new ConsumerMembership({
      groupId: "g",
      memberId: "me",
      groupInstanceId: more.groupInstanceId ?? null,
      pattern: more.pattern ?? null,
      rackId: "rack",
      remoteAssignor: "uniform",
      rebalanceTimeoutMs: 60_000,
      backoffMs: (attempt) => 10 * attempt,
    });
    this.machine.subscribe(this.now, more.pattern === undefined ? ["a", "b"] : []);
    this.machine.named(this.now, new Map([[A, "a"]]));
  }

  actions(): MembershipAction[] {
    const actions: MembershipAction[] = [];
    for (;;) {
      const action = this.machine.next(this.now);
      if (action === undefined) return actions;
      actions.push(action);
      if (actions.length > 20) throw new Error("It never rests");
    }
  }

  /** What it says in a heartbeat, at once or when its time has come. */
  beat(): MembershipAsk & { readonly what: "consumer-heartbeat" } {
    if (this.machine.wakeAtMs > this.now) this.now = this.machine.wakeAtMs;
    const [action] = this.actions();
    if (action?.kind !== "ask" || action.what !== "consumer-heartbeat") {
      throw new Error(`It does not beat: ${action?.kind}`);
    }
    return action;
  }

  hear(more: object = {}, life = 0): MembershipAction[] {
    const response = {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      memberId: "me",
      memberEpoch: 1,
      heartbeatIntervalMs: 5000,
      assignment: null,
      ...more,
    };
    const answer = { life, what: "consumer-heartbeat", response } as MembershipAnswer;
    this.machine.answered(this.now, answer);
    return this.actions();
  }

  settle(partitions: readonly number[]): this {
    this.beat();
    this.hear(target({ [A]: partitions }));
    this.hear();
    return this;
  }
}

function target(topics: Readonly<Record<string, readonly number[]>>): object {
  return {
    assignment: {
      topicPartitions: Object.entries(topics).map(([topicId, partitions]) => {
        return { topicId: topicId as Uuid, partitions };
      }),
    },
  };
}

const kinds = (actions: readonly MembershipAction[]): string[] =>
  actions.map((action) => action.kind === "ask" ? action.what : action.kind);

describe("ConsumerMembership", () => {
  test("tells all when it joins, and then only what has changed", () => {
    const alone = new Alone();
    expect(alone.beat().body).toEqual({
      groupId: "g",
      memberId: "me",
      memberEpoch: 0,
      instanceId: null,
      rackId: "rack",
      rebalanceTimeoutMs: 60_000,
      serverAssignor: "uniform",
      subscribedTopicNames: ["a", "b"],
      topicPartitions: [],
    });
    const actions = alone.hear(target({ [A]: [0, 1] }));
    expect(kinds(actions)).toEqual(["assign", "consumer-heartbeat"]);
    expect((actions[1] as { body?: unknown }).body).toEqual({
      groupId: "g",
      memberId: "me",
      memberEpoch: 1,
      instanceId: null,
      topicPartitions: [{ topicId: A, partitions: [0, 1] }],
    });
    expect(alone.hear()).toEqual([]);
    expect(alone.machine.isSettled).toBeTrue();
    expect(alone.beat().body).toEqual({
      groupId: "g",
      memberId: "me",
      memberEpoch: 1,
      instanceId: null,
    });
  });

  test("a pattern goes to the coordinator as it is", () => {
    const { body } = new Alone({ pattern: "a.*" }).beat();
    expect(body.subscribedTopicRegex).toBe("a.*");
    expect(body.subscribedTopicNames).toEqual([]);
  });

  test("gives back what the target lacks, and only then takes and tells", () => {
    const alone = new Alone().settle([0, 1]);
    alone.beat();
    const actions = alone.hear({ memberEpoch: 2, ...target({ [A]: [1, 2] }) });
    expect(actions).toEqual([
      { kind: "revoke", partitions: [{ topic: "a", partition: 0 }], serial: 1 },
    ]);
    for (let beat = 0; beat < 3; beat++) { // the application is slow
      expect(alone.beat().body.topicPartitions).toBeUndefined();
      expect(alone.hear({ memberEpoch: 2 })).toEqual([]);
    }
    alone.machine.revoked(alone.now, 1);
    const [assign, ask] = alone.actions();
    expect(assign).toEqual({ kind: "assign", partitions: [{ topic: "a", partition: 2 }] });
    expect((ask as { body?: { topicPartitions?: unknown } }).body?.topicPartitions)
      .toEqual([{ topicId: A, partitions: [1, 2] }]);
  });

  test("a target that changes while partitions are given back: the newest counts", () => {
    const alone = new Alone().settle([0, 1]);
    alone.beat();
    alone.hear({ memberEpoch: 2, ...target({ [A]: [1] }) });
    alone.beat();
    alone.hear({ memberEpoch: 3, ...target({ [A]: [0] }) });
    alone.machine.revoked(alone.now, 1);
    const [revoke] = alone.actions();
    expect(revoke).toEqual({
      kind: "revoke",
      partitions: [{ topic: "a", partition: 1 }],
      serial: 2,
    });
    alone.machine.revoked(alone.now, 2);
    expect(kinds(alone.actions())[0]).toBe("assign");
    expect(alone.machine.owned).toEqual([{ topic: "a", partition: 0 }]);
  });

  test("asks for names that it does not know, and carries out the rest meanwhile", () => {
    const alone = new Alone();
    alone.beat();
    const actions = alone.hear(target({ [A]: [0], [B]: [0] }));
    expect(kinds(actions)).toEqual(["name", "assign", "consumer-heartbeat"]);
    expect(alone.machine.isSettled).toBeFalse();
    alone.hear();
    alone.machine.named(alone.now, new Map([[B, "b"]]));
    expect(kinds(alone.actions())).toEqual(["assign", "consumer-heartbeat"]);
    alone.hear();
    expect(alone.machine.isSettled).toBeTrue();
  });

  test("a coordinator that repeats itself gets no answer to it", () => {
    const alone = new Alone().settle([0]);
    for (let beat = 0; beat < 10; beat++) {
      alone.beat();
      expect(alone.hear(target({ [A]: [0] }))).toEqual([]);
    }
  });

  test("behind a lost answer everything is told anew", () => {
    const alone = new Alone().settle([0]);
    const ask = alone.beat();
    alone.machine.failed(alone.now, ask);
    expect(alone.machine.wakeAtMs).toBe(alone.now + 10);
    const { body } = alone.beat();
    expect(body.memberEpoch).toBe(1);
    expect(body.rebalanceTimeoutMs).toBe(60_000);
    expect(body.subscribedTopicNames).toEqual(["a", "b"]);
    expect(body.topicPartitions).toEqual([{ topicId: A, partitions: [0] }]);
  });

  for (const errorCode of [ErrorCode.UnknownMemberId, ErrorCode.FencedMemberEpoch]) {
    test(`error ${errorCode}: all is lost, and it joins at epoch 0`, () => {
      const alone = new Alone().settle([0]);
      alone.beat();
      expect(kinds(alone.hear({ errorCode }))).toEqual(["lose", "notice"]);
      expect(alone.machine.identity).toBeUndefined();
      const { body } = alone.beat();
      expect(body.memberEpoch).toBe(0);
      expect(body.topicPartitions).toEqual([]);
    });
  }

  test("two that expel each other rest in between", () => {
    const alone = new Alone();
    for (let life = 0; life < 5; life++) {
      alone.beat();
      alone.hear({ errorCode: ErrorCode.FencedMemberEpoch }, life);
      expect(alone.machine.wakeAtMs).toBe(alone.now + 10 * (life + 1));
    }
  });

  test("passing errors are tried again, fatal ones end it with the coordinator's words", () => {
    const alone = new Alone();
    alone.beat();
    expect(alone.hear({ errorCode: ErrorCode.CoordinatorLoadInProgress })).toEqual([]);
    alone.beat();
    const fatal = [
      ErrorCode.UnreleasedInstanceId,
      ErrorCode.FencedInstanceId,
      ErrorCode.UnsupportedAssignor,
      ErrorCode.InvalidRegularExpression,
      ErrorCode.GroupMaxSizeReached,
    ];
    for (const errorCode of fatal) {
      const other = new Alone();
      other.beat();
      const [fail] = other.hear({ errorCode, errorMessage: "So." });
      expect(fail?.kind).toBe("fail");
      expect((fail as { detail?: string }).detail).toBe("So.");
      expect(other.machine.wakeAtMs).toBe(Infinity);
    }
  });

  test("commitRefused(): a stale epoch is asked about at once, an unknown member as well", () => {
    const alone = new Alone().settle([0]);
    const identity = alone.machine.identity as NonNullable<typeof alone.machine.identity>;
    const { machine } = alone;
    expect(machine.commitRefused(alone.now, ErrorCode.StaleMemberEpoch, identity)).toBe("retry");
    expect(machine.wakeAtMs).toBe(alone.now);
    expect(machine.commitRefused(alone.now, ErrorCode.UnknownMemberId, identity)).toBe("refused");
    const old = { ...identity, generationIdOrMemberEpoch: 0 };
    expect(machine.commitRefused(alone.now, ErrorCode.FencedMemberEpoch, old)).toBe("retry");
  });

  test("leave(): for good, or for now where it is static", () => {
    const epochOf = (alone: Alone, isForGood: boolean): number | undefined => {
      const request = alone.machine.leave(isForGood);
      return request?.what === "consumer-heartbeat" ? request.body.memberEpoch : undefined;
    };
    expect(epochOf(new Alone().settle([0]), false)).toBe(-1);
    expect(epochOf(new Alone({ groupInstanceId: "i" }).settle([0]), false)).toBe(-2);
    expect(epochOf(new Alone({ groupInstanceId: "i" }).settle([0]), true)).toBe(-1);
    expect(epochOf(new Alone(), true)).toBeUndefined();
  });

  test("the first heartbeats behind a change come soon, later ones at the interval", () => {
    const alone = new Alone().settle([0]);
    const delays: number[] = [];
    for (let beat = 0; beat < 7; beat++) {
      const before = alone.now;
      alone.beat();
      delays.push(alone.now - before);
      alone.hear();
    }
    expect(delays.every((delay, index) => delay >= (delays[index - 1] ?? 0))).toBeTrue();
    expect(delays.at(-1)).toBe(5000);
    expect(delays[0] ?? 0).toBeLessThan(1000);
  });
});
