/**
 * What each request is answered with in each phase of a group: Kafka's codes, cell by cell.
 *
 * The group has a dynamic member `d`, the leader, and a static one, `s`, of instance `i1`. A cell says
 * the error's name, `ok`, or `waits` where there is no answer yet.
 *
 * Source: kafka 4.1 GroupCoordinatorService, GroupMetadataManager (classicGroup…), ClassicGroup
 *         (validateMember, validateOffsetCommit, validateDeleteGroup, validateOffsetDelete).
 */
import { describe, expect, test } from "bun:test";
import { ErrorCode, errorName } from "../../../src/api/error_code.ts";
import { World } from "./world.ts";

/** What is asked, and the code of the answer; undefined: there is none yet. */
type Ask = (world: World) => number | undefined;

const PHASES: { readonly [name: string]: () => World } = {
  /** It had members until a moment ago. */
  "Empty": () => {
    const world = stable();
    world.leave("admin", [
      { memberId: world.client("d").memberId, groupInstanceId: null, reason: null },
      { memberId: "", groupInstanceId: "i1", reason: null },
    ]);
    return world;
  },
  /** Its first members wait for more to come. */
  "first": () => {
    const world = started();
    world.join("d", { version: 3 });
    // A new member does not know its id yet; these clients have seen the future.
    const [member] = [...world.group.members()];
    world.client("d").memberId = member?.memberId ?? "";
    world.client("d").generation = 0;
    world.join("s", { version: 5 });
    for (const name of ["d", "s"]) world.client(name).protocolName = "range";
    world.client("s").memberId = [...world.group.members()][1]?.memberId ?? "";
    world.client("s").generation = 0;
    return world;
  },
  /** Its members are called back, and none has come yet. */
  "Preparing": () => {
    const world = stable();
    world.join("n");
    world.join("n");
    return world;
  },
  "Completing": gathered,
  "Stable": stable,
};

function started(): World {
  const world = new World();
  world.client("s").instance = "i1";
  return world;
}

function gathered(): World {
  const world = started();
  world.gather("d", "s");
  return world;
}

function stable(): World {
  const world = gathered();
  world.syncAll("d", "s");
  return world;
}

const REQUESTS: { readonly [name: string]: Ask } = {
  "join d": (world) => world.join("d")?.errorCode,
  "join s": (world) => world.join("s")?.errorCode,
  "join new v3": (world) => world.join("x", { version: 3 })?.errorCode,
  "join new v4": (world) => world.join("x", { version: 4 })?.errorCode,
  "join new static": (world) => world.join("x", { instance: "i2" })?.errorCode,
  "join new as i1": (world) => world.join("x", { instance: "i1" })?.errorCode,
  "join id unknown": (world) => world.join("x", { memberId: "x-1" })?.errorCode,
  "join d of i1": (world) => world.join("d", { instance: "i1" })?.errorCode,
  "join d of i9": (world) => world.join("d", { instance: "i9" })?.errorCode,
  "join id unknown of i1": (world) =>
    world.join("x", { memberId: "x-1", instance: "i1" })?.errorCode,
  "join new other type": (world) => world.join("x", { type: "connect" })?.errorCode,
  "join d other type": (world) => world.join("d", { type: "connect" })?.errorCode,
  "join new no type": (world) => world.join("x", { type: "" })?.errorCode,
  "join new other protocol": (world) => world.join("x", { protocols: [["y", ""]] })?.errorCode,
  "join new no protocols": (world) => world.join("x", { protocols: [] })?.errorCode,
  "join d other protocol": (world) => world.join("d", { protocols: [["y", ""]] })?.errorCode,
  "join session too short": (world) => world.join("d", { sessionMs: 5999 })?.errorCode,
  "join session too long": (world) => world.join("d", { sessionMs: 1_800_001 })?.errorCode,
  "sync s": (world) => world.sync("s")?.errorCode,
  "sync d": (world) => world.sync("d")?.errorCode,
  "sync d, no assignments": (world) => world.sync("d", { assignments: new Map() })?.errorCode,
  "sync id unknown": (world) => world.sync("d", { memberId: "x-1" })?.errorCode,
  "sync d of i1": (world) => world.sync("d", { instance: "i1" })?.errorCode,
  "sync d of i9": (world) => world.sync("d", { instance: "i9" })?.errorCode,
  "sync old generation": (world) => world.sync("s", { generation: -1 })?.errorCode,
  "sync generation to come": (world) => world.sync("s", { generation: 7 })?.errorCode,
  "sync other type": (world) => world.sync("s", { protocolType: "connect" })?.errorCode,
  "sync other protocol": (world) => world.sync("s", { protocolName: "y" })?.errorCode,
  "sync no protocol v5": (world) =>
    world.sync("x", { memberId: "x-1", protocolName: null })?.errorCode,
  "sync s no protocol v4": (world) =>
    world.sync("s", { version: 4, protocolType: null, protocolName: null })?.errorCode,
  "heartbeat d": (world) => world.heartbeat("d"),
  "heartbeat s": (world) => world.heartbeat("s"),
  "heartbeat id unknown": (world) => world.heartbeat("d", { memberId: "x-1" }),
  "heartbeat no id": (world) => world.heartbeat("d", { memberId: "" }),
  "heartbeat d of i1": (world) => world.heartbeat("d", { groupInstanceId: "i1" }),
  "heartbeat d of i9": (world) => world.heartbeat("d", { groupInstanceId: "i9" }),
  "heartbeat s without i1": (world) => world.heartbeat("s", { groupInstanceId: null }),
  "heartbeat old generation": (world) => world.heartbeat("d", { generationId: -1 }),
  "heartbeat generation to come": (world) => world.heartbeat("d", { generationId: 7 }),
  "leave d": (world) => leave(world, world.client("d").memberId, null),
  "leave d v2": (world) =>
    world.leave("d", [{ ...NOBODY, memberId: world.client("d").memberId }], 2).errorCode,
  "leave id unknown": (world) => leave(world, "x-1", null),
  "leave id unknown v2": (world) => world.leave("x", [{ ...NOBODY, memberId: "x-1" }], 2).errorCode,
  "leave d of i1": (world) => leave(world, world.client("d").memberId, "i1"),
  "leave d of i9": (world) => leave(world, world.client("d").memberId, "i9"),
  "leave i1": (world) => leave(world, "", "i1"),
  "leave i9": (world) => leave(world, "", "i9"),
  "leave nobody": (world) => leave(world, "", null),
  "commit d": (world) => world.commit("d"),
  "commit s": (world) => world.commit("s"),
  "commit old generation": (world) => world.commit("d", { generationIdOrMemberEpoch: 0 }),
  "commit generation to come": (world) => world.commit("d", { generationIdOrMemberEpoch: 7 }),
  "commit id unknown": (world) => world.commit("d", { memberId: "x-1" }),
  "commit d of i1": (world) => world.commit("d", { groupInstanceId: "i1" }),
  "commit d, no generation": (world) => world.commit("d", { generationIdOrMemberEpoch: -1 }),
  "commit of nobody": (world) => world.commit("x"),
  "commit of nobody, of i1": (world) => world.commit("x", { groupInstanceId: "i1" }),
  "txn commit d": (world) => world.commit("d", { isTransactional: true }),
  "txn commit of nobody": (world) => world.commit("x", { isTransactional: true }),
  "txn commit old generation": (world) =>
    world.commit("d", { isTransactional: true, generationIdOrMemberEpoch: 0 }),
  "delete group": (world) => world.group.refuseDelete() ?? 0,
  "delete offsets": (world) => world.group.refuseOffsetDelete() ?? 0,
};

const NOBODY = { memberId: "", groupInstanceId: null, reason: null };

function leave(
  world: World,
  memberId: string,
  groupInstanceId: string | null,
): number | undefined {
  const members = world.leave("x", [{ memberId, groupInstanceId, reason: null }]).members ?? [];
  return members[0]?.errorCode;
}

/** How the cells are written. */
const SHORT: { readonly [word: string]: ErrorCode } = {
  "ok": ErrorCode.None,
  "unknown": ErrorCode.UnknownMemberId,
  "fenced": ErrorCode.FencedInstanceId,
  "generation": ErrorCode.IllegalGeneration,
  "rebalance": ErrorCode.RebalanceInProgress,
  "protocol": ErrorCode.InconsistentGroupProtocol,
  "id": ErrorCode.MemberIdRequired,
  "session": ErrorCode.InvalidSessionTimeout,
  "members": ErrorCode.NonEmptyGroup,
};

const TABLE = `
                              | Empty      | first      | Preparing  | Completing | Stable
 join d                       | unknown    | waits      | waits      | ok         | waits
 join s                       | unknown    | waits      | waits      | ok         | ok
 join new v3                  | waits      | waits      | waits      | waits      | waits
 join new v4                  | id         | id         | id         | id         | id
 join new static              | waits      | waits      | waits      | waits      | waits
 join new as i1               | waits      | waits      | waits      | waits      | ok
 join id unknown              | unknown    | unknown    | unknown    | unknown    | unknown
 join d of i1                 | unknown    | fenced     | fenced     | fenced     | fenced
 join d of i9                 | unknown    | unknown    | unknown    | unknown    | unknown
 join id unknown of i1        | unknown    | fenced     | fenced     | fenced     | fenced
 join new other type          | id         | protocol   | protocol   | protocol   | protocol
 join d other type            | unknown    | protocol   | protocol   | protocol   | protocol
 join new no type             | protocol   | protocol   | protocol   | protocol   | protocol
 join new other protocol      | id         | protocol   | protocol   | protocol   | protocol
 join new no protocols        | protocol   | protocol   | protocol   | protocol   | protocol
 join d other protocol        | unknown    | protocol   | protocol   | protocol   | protocol
 join session too short       | session    | session    | session    | session    | session
 join session too long        | session    | session    | session    | session    | session
 sync s                       | unknown    | rebalance  | rebalance  | waits      | ok
 sync d                       | unknown    | rebalance  | rebalance  | ok         | ok
 sync d, no assignments       | unknown    | rebalance  | rebalance  | ok         | ok
 sync id unknown              | unknown    | unknown    | unknown    | unknown    | unknown
 sync d of i1                 | unknown    | fenced     | fenced     | fenced     | fenced
 sync d of i9                 | unknown    | unknown    | unknown    | unknown    | unknown
 sync old generation          | unknown    | generation | generation | generation | generation
 sync generation to come      | unknown    | generation | generation | generation | generation
 sync other type              | unknown    | protocol   | protocol   | protocol   | protocol
 sync other protocol          | unknown    | rebalance  | protocol   | protocol   | protocol
 sync no protocol v5          | protocol   | protocol   | protocol   | protocol   | protocol
 sync s no protocol v4        | unknown    | rebalance  | rebalance  | waits      | ok
 heartbeat d                  | unknown    | rebalance  | rebalance  | ok         | ok
 heartbeat s                  | unknown    | rebalance  | rebalance  | ok         | ok
 heartbeat id unknown         | unknown    | unknown    | unknown    | unknown    | unknown
 heartbeat no id              | unknown    | unknown    | unknown    | unknown    | unknown
 heartbeat d of i1            | unknown    | fenced     | fenced     | fenced     | fenced
 heartbeat d of i9            | unknown    | unknown    | unknown    | unknown    | unknown
 heartbeat s without i1       | unknown    | rebalance  | rebalance  | ok         | ok
 heartbeat old generation     | unknown    | generation | generation | generation | generation
 heartbeat generation to come | unknown    | generation | generation | generation | generation
 leave d                      | unknown    | ok         | ok         | ok         | ok
 leave d v2                   | unknown    | ok         | ok         | ok         | ok
 leave id unknown             | unknown    | unknown    | unknown    | unknown    | unknown
 leave id unknown v2          | unknown    | unknown    | unknown    | unknown    | unknown
 leave d of i1                | unknown    | fenced     | fenced     | fenced     | fenced
 leave d of i9                | unknown    | unknown    | unknown    | unknown    | unknown
 leave i1                     | unknown    | ok         | ok         | ok         | ok
 leave i9                     | unknown    | unknown    | unknown    | unknown    | unknown
 leave nobody                 | unknown    | unknown    | unknown    | unknown    | unknown
 commit d                     | unknown    | ok         | ok         | rebalance  | ok
 commit s                     | unknown    | ok         | ok         | rebalance  | ok
 commit old generation        | unknown    | ok         | generation | generation | generation
 commit generation to come    | unknown    | generation | generation | generation | generation
 commit id unknown            | unknown    | unknown    | unknown    | unknown    | unknown
 commit d of i1               | unknown    | fenced     | fenced     | fenced     | fenced
 commit d, no generation      | ok         | generation | generation | generation | generation
 commit of nobody             | ok         | unknown    | unknown    | unknown    | unknown
 commit of nobody, of i1      | ok         | fenced     | fenced     | fenced     | fenced
 txn commit d                 | unknown    | ok         | ok         | ok         | ok
 txn commit of nobody         | ok         | ok         | ok         | ok         | ok
 txn commit old generation    | unknown    | ok         | generation | generation | generation
 delete group                 | ok         | members    | members    | members    | members
 delete offsets               | ok         | ok         | ok         | ok         | ok
`;

const [head = [], ...rows] = TABLE.trim().split("\n").map((line) =>
  line.split("|").map((cell) => cell.trim())
);

function wordOf(code: number | undefined): string {
  if (code === undefined) return "waits";
  return Object.keys(SHORT).find((word) => SHORT[word] === code) ?? errorName(code);
}

describe("the codes of a classic group", () => {
  for (const [request = "", ...cells] of rows) {
    test(`${request} is answered as in Kafka in every phase`, () => {
      const answers = head.slice(1).map((phase) => {
        const [start, ask] = [PHASES[phase], REQUESTS[request]];
        if (start === undefined || ask === undefined) throw new Error(`no ${phase} or ${request}`);
        return wordOf(ask(start()));
      });
      expect(answers).toEqual(cells);
    });
  }

  test("every request that is written here is in the table", () => {
    expect(rows.map(([request = ""]) => request)).toEqual(Object.keys(REQUESTS));
    expect(head.slice(1)).toEqual(Object.keys(PHASES));
  });
});
