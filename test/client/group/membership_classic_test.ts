/** The classic member by itself. Long: one test for each thing that may happen to it. */
import { describe, expect, test } from "bun:test";
import { readSubscription, writeAssignment } from "../../../src/api/consumer_protocol.ts";
import { ErrorCode } from "../../../src/api/error_code.ts";
import type { AssignorName } from "../../../src/client/group_options.ts";
import type {
  MembershipAction,
  MembershipAnswer,
  MembershipAsk,
} from "../../../src/client/group/membership.ts";
import { ClassicMembership } from "../../../src/client/group/membership_classic.ts";

const NOTHING = new Uint8Array(0);

/** A member by itself: what it does is read off, what happens to it is told. */
class Alone {
  readonly machine: ClassicMembership;
  now = 1000;

  constructor(assignors: readonly AssignorName[] = ["cooperative-sticky"]) {
    this.machine = new ClassicMembership({
      groupId: "g",
      groupInstanceId: null,
      rackId: null,
      rebalanceTimeoutMs: 60_000,
      sessionTimeoutMs: 10_000,
      heartbeatIntervalMs: 1000,
      assignors,
      backoffMs: (attempt) => 10 * attempt,
    });
    this.machine.subscribe(this.now, ["a"]);
  }

  /** All that it wants done now. */
  actions(): MembershipAction[] {
    const actions: MembershipAction[] = [];
    for (;;) {
      const action = this.machine.next(this.now);
      if (action === undefined) return actions;
      actions.push(action);
      if (actions.length > 20) throw new Error("It never rests");
    }
  }

  ask(): MembershipAsk {
    const [action] = this.actions();
    if (action?.kind !== "ask") throw new Error(`It asks nothing: ${action?.kind}`);
    return action;
  }

  tell(answer: unknown, life = 0): MembershipAction[] {
    this.machine.answered(this.now, { life, ...answer as object } as MembershipAnswer);
    return this.actions();
  }

  join(more: object = {}, life = 0): MembershipAction[] {
    const response = {
      errorCode: 0,
      generationId: 1,
      protocolName: "cooperative-sticky",
      leader: "other",
      memberId: "me",
      members: [],
      skipAssignment: false,
      ...more,
    };
    return this.tell({ what: "join", response }, life);
  }

  sync(partitions: readonly number[], more: object = {}, life = 0): MembershipAction[] {
    const assignment = writeAssignment({ assignedPartitions: [{ topic: "a", partitions }] });
    return this.tell({ what: "sync", response: { errorCode: 0, assignment, ...more } }, life);
  }

  heartbeat(errorCode: number, life = 0): MembershipAction[] {
    return this.tell({ what: "heartbeat", response: { errorCode } }, life);
  }

  /** In the group, with these partitions. */
  settle(partitions: readonly number[]): this {
    this.ask();
    this.join({ protocolName: this.protocol });
    this.sync(partitions);
    return this;
  }

  protocol = "cooperative-sticky";
}

const kinds = (actions: readonly MembershipAction[]): string[] =>
  actions.map((action) => action.kind === "ask" ? action.what : action.kind);

describe("ClassicMembership", () => {
  test("joins once more with the id that it is given", () => {
    const alone = new Alone();
    expectFields(alone.ask(), { what: "join", body: { memberId: "" } });
    const again = alone.join({ errorCode: ErrorCode.MemberIdRequired, memberId: "me-1" });
    expectFields(again[0], { what: "join", body: { memberId: "me-1" } });
  });

  test("as the leader it asks for the topics of all, and divides", () => {
    const alone = new Alone();
    const join = alone.ask();
    if (join.what !== "join") throw new Error("It does not join");
    const metadata = join.body.protocols[0]?.metadata ?? NOTHING;
    const members = ["me", "you"].map((memberId) => ({
      memberId,
      groupInstanceId: null,
      metadata,
    }));
    const [count] = alone.join({ leader: "me", members });
    expectFields(count, { kind: "count", topics: ["a"] });
    alone.machine.looked(alone.now, { life: 0, counts: new Map([["a", 4]]), racks: new Map() });
    const [sync] = alone.actions();
    if (sync?.kind !== "ask" || sync.what !== "sync") throw new Error("It does not sync");
    expect(sync.body.assignments.map(({ memberId }) => memberId)).toEqual(["me", "you"]);
  });

  test("tells what it owns, and since when, as Java does", () => {
    const alone = new Alone().settle([2, 0]);
    alone.machine.subscribe(alone.now, ["a", "b"]);
    const join = alone.ask();
    if (join.what !== "join") throw new Error("It does not join");
    const told = readSubscription(join.body.protocols[0]?.metadata ?? NOTHING);
    expect(told?.topics).toEqual(["a", "b"]);
    expect(told?.ownedPartitions).toEqual([{ topic: "a", partitions: [0, 2] }]);
    expect(told?.generationId).toBe(1);
    expect([...told?.userData ?? NOTHING]).toEqual([0, 0, 0, 1]);
  });

  test("cooperative: keeps what stays, gives back behind the sync, and joins once more", () => {
    const alone = new Alone().settle([0, 1]);
    alone.now += 1000;
    expect(kinds(alone.actions())).toEqual(["heartbeat"]);
    expect(kinds(alone.heartbeat(ErrorCode.RebalanceInProgress))).toEqual(["join"]);
    expect(alone.machine.owned).toHaveLength(2);
    expect(alone.machine.identity).toBeUndefined(); // between two generations
    alone.join({ generationId: 2 });
    const actions = alone.sync([1, 2]);
    expect(kinds(actions)).toEqual(["assign", "revoke"]);
    expectFields(actions[0], { partitions: [{ topic: "a", partition: 2 }] });
    expectFields(actions[1], { partitions: [{ topic: "a", partition: 0 }] });
    expect(alone.machine.identity?.generationIdOrMemberEpoch).toBe(2);
    alone.machine.revoked(alone.now, 1);
    expect(kinds(alone.actions())).toEqual(["join"]);
    expect(alone.machine.owned.map(({ partition }) => partition)).toEqual([1, 2]);
  });

  test("eager: gives all back first, and heartbeats go on meanwhile", () => {
    const alone = new Alone(["range"]);
    alone.protocol = "range";
    alone.settle([0, 1]);
    alone.now += 1000;
    alone.actions();
    const [revoke] = alone.heartbeat(ErrorCode.RebalanceInProgress);
    expectFields(revoke, { kind: "revoke", serial: 1 });
    for (let second = 0; second < 5; second++) {
      alone.now += 1000;
      expect(kinds(alone.actions())).toEqual(["heartbeat"]);
      expect(alone.heartbeat(ErrorCode.RebalanceInProgress)).toEqual([]);
    }
    expect(alone.machine.identity?.generationIdOrMemberEpoch).toBe(1); // commits are taken still
    alone.machine.revoked(alone.now, 1);
    expect(kinds(alone.actions())).toEqual(["join"]);
    expect(alone.machine.owned).toEqual([]);
  });

  test("one eager assignor makes the member eager", () => {
    const alone = new Alone(["cooperative-sticky", "range"]).settle([0]);
    alone.now += 1000;
    alone.actions();
    expect(kinds(alone.heartbeat(ErrorCode.RebalanceInProgress))).toEqual(["revoke"]);
  });

  const expelling = [ErrorCode.UnknownMemberId, ErrorCode.IllegalGeneration];
  for (const errorCode of expelling) {
    test(`error ${errorCode} in a heartbeat: all is lost, and it joins anew`, () => {
      const alone = new Alone().settle([0]);
      alone.now += 1000;
      alone.actions();
      expect(kinds(alone.heartbeat(errorCode))).toEqual(["lose", "notice"]);
      expect(alone.machine.owned).toEqual([]);
      expect(alone.machine.identity).toBeUndefined();
      alone.now += 10;
      const memberId = errorCode === ErrorCode.UnknownMemberId ? "" : "me";
      expectFields(alone.ask(), { what: "join", body: { memberId } });
    });
  }

  test("what is lost while it is being given back is not given back", () => {
    const alone = new Alone(["range"]);
    alone.protocol = "range";
    alone.settle([0]);
    alone.now += 1000;
    alone.actions();
    alone.heartbeat(ErrorCode.RebalanceInProgress);
    alone.now += 1000;
    alone.actions();
    expect(kinds(alone.heartbeat(ErrorCode.UnknownMemberId))).toEqual(["lose", "notice"]);
    alone.machine.revoked(alone.now, 1);
    alone.now += 10;
    expect(kinds(alone.actions())).toEqual(["join"]);
  });

  test("a revocation of an earlier life ends none of this one", () => {
    const alone = new Alone(["range"]);
    alone.protocol = "range";
    alone.settle([0]);
    alone.now += 1000;
    alone.actions();
    alone.heartbeat(ErrorCode.RebalanceInProgress); // serial 1
    alone.now += 1000;
    alone.actions();
    alone.heartbeat(ErrorCode.IllegalGeneration);
    alone.now += 10;
    alone.ask();
    alone.join({ generationId: 2, protocolName: "range" }, 1);
    alone.sync([0], {}, 1);
    alone.now += 1000;
    alone.actions();
    alone.heartbeat(ErrorCode.RebalanceInProgress, 1); // serial 2
    alone.machine.revoked(alone.now, 1);
    expect(alone.machine.owned).toHaveLength(1);
    expect(kinds(alone.actions())).toEqual([]);
    alone.machine.revoked(alone.now, 2);
    expect(kinds(alone.actions())).toEqual(["join"]);
  });

  test("an answer of an earlier life is not listened to", () => {
    const alone = new Alone().settle([0]);
    alone.machine.commitRefused(alone.now, ErrorCode.UnknownMemberId, {
      memberId: "me",
      generationIdOrMemberEpoch: 1,
      groupInstanceId: null,
    });
    alone.now += 10;
    alone.actions();
    expect(alone.join({ generationId: 7 }, 0)).toEqual([]);
    expect(kinds(alone.join({ generationId: 8 }, 1))).toEqual(["sync"]);
  });

  test("commitRefused() of an old generation changes nothing", () => {
    const alone = new Alone().settle([0]);
    const old = { memberId: "me", generationIdOrMemberEpoch: 0, groupInstanceId: null };
    for (const code of [...expelling, ErrorCode.FencedInstanceId]) {
      expect(alone.machine.commitRefused(alone.now, code, old)).toBe("retry");
    }
    expect(alone.actions()).toEqual([]);
  });

  test("passing errors are tried again behind a pause, fatal ones end it", () => {
    const passing = [
      ErrorCode.CoordinatorLoadInProgress,
      ErrorCode.CoordinatorNotAvailable,
      ErrorCode.NotCoordinator,
    ];
    for (const errorCode of passing) {
      const alone = new Alone();
      alone.ask();
      expect(alone.join({ errorCode })).toEqual([]);
      expect(alone.machine.wakeAtMs).toBe(alone.now + 10);
      alone.now += 10;
      expect(kinds(alone.actions())).toEqual(["join"]);
    }
    const alone = new Alone().settle([0]);
    alone.now += 1000;
    alone.actions();
    expect(kinds(alone.heartbeat(ErrorCode.FencedInstanceId))).toEqual(["lose", "fail"]);
    alone.now += 100_000;
    expect(alone.actions()).toEqual([]);
    expect(alone.machine.wakeAtMs).toBe(Infinity);
  });

  test("a lost JoinGroup is sent again, a lost heartbeat as well", () => {
    const alone = new Alone();
    alone.machine.failed(alone.now, alone.ask());
    alone.now += 10;
    alone.machine.failed(alone.now, alone.ask());
    alone.now += 20;
    expect(alone.ask().what).toBe("join");
    alone.join();
    alone.sync([0]);
    alone.now += 1000;
    alone.machine.failed(alone.now, alone.ask());
    alone.now += 10;
    expect(alone.ask().what).toBe("heartbeat");
    expect(alone.machine.owned).toHaveLength(1);
  });

  test("says once that the coordinator is lost, when a session would be over", () => {
    const alone = new Alone();
    const notices: string[] = [];
    for (let step = 0; step < 100; step++) {
      for (const action of alone.actions()) {
        if (action.kind === "notice") notices.push(action.notice.kind);
        if (action.kind === "ask") alone.machine.failed(alone.now, action);
      }
      alone.now += 1000;
    }
    expect(notices).toEqual(["coordinator-lost"]);
  });

  test("two that expel each other rest in between", () => {
    const alone = new Alone();
    for (let life = 0; life < 5; life++) {
      expect(alone.ask().what).toBe("join");
      alone.join({}, life);
      alone.sync([0], { errorCode: ErrorCode.UnknownMemberId }, life);
      expect(alone.machine.wakeAtMs).toBe(alone.now + 10 * (life + 1));
      alone.now = alone.machine.wakeAtMs;
    }
  });

  test("a leader joins anew when its topics change, others do not", () => {
    for (const isLeader of [true, false]) {
      const alone = new Alone();
      const join = alone.ask();
      if (join.what !== "join") throw new Error("It does not join");
      const metadata = join.body.protocols[0]?.metadata ?? NOTHING;
      const members = [{ memberId: "me", groupInstanceId: null, metadata }];
      alone.join(isLeader ? { leader: "me", members } : {});
      alone.machine.looked(alone.now, { life: 0, counts: new Map([["a", 1]]), racks: new Map() });
      alone.actions();
      alone.sync([0]);
      alone.machine.counted(alone.now, new Map([["a", 1], ["other", 9]]));
      expect(alone.actions()).toEqual([]);
      alone.machine.counted(alone.now, new Map([["a", 2]]));
      expect(kinds(alone.actions())).toEqual(isLeader ? ["join"] : []);
    }
  });

  test("a leader that nothing was told to divide keeps the division (KIP-814)", () => {
    const alone = new Alone();
    alone.ask();
    const [sync] = alone.join({ leader: "me", skipAssignment: true });
    expectFields(sync, { what: "sync", body: { assignments: [] } });
  });

  test("an assignment with topics that it did not ask for is cut down, an empty one is none", () => {
    const alone = new Alone();
    alone.ask();
    alone.join();
    const assignment = writeAssignment({
      assignedPartitions: [{ topic: "a", partitions: [0] }, { topic: "x", partitions: [0] }],
    });
    alone.tell({ what: "sync", response: { errorCode: 0, assignment } });
    expect(alone.machine.owned).toEqual([{ topic: "a", partition: 0 }]);
    const other = new Alone();
    other.ask();
    other.join();
    expect(other.sync([], { assignment: NOTHING })).toEqual([]);
    expect(other.machine.isSettled).toBeTrue();
    const broken = new Alone();
    broken.ask();
    broken.join();
    expect(kinds(broken.sync([], { assignment: Uint8Array.of(1, 2, 3) }))).toEqual(["fail"]);
  });

  test("leave() loses all and is quiet until rejoin()", () => {
    const alone = new Alone().settle([0]);
    const request = alone.machine.leave(true);
    expect(request?.what).toBe("leave");
    expect(kinds(alone.actions())).toEqual(["lose"]);
    alone.now += 100_000;
    expect(alone.actions()).toEqual([]);
    alone.machine.rejoin(alone.now);
    expectFields(alone.ask(), { what: "join", body: { memberId: "" } });
  });
});

/** Only the fields of `like` matter. */
function expectFields(value: unknown, like: object): void {
  expect(picked(value, like)).toEqual(like);
}

function picked(value: unknown, like: unknown): unknown {
  if (typeof like !== "object" || like === null || Array.isArray(like)) return value;
  return Object.fromEntries(
    Object.entries(like).map(([key, part]) => {
      return [key, picked((value as Record<string, unknown> | undefined)?.[key], part)];
    }),
  );
}
