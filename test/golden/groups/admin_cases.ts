/** FindCoordinator, DescribeGroups, ListGroups, DeleteGroups, ConsumerGroupDescribe. */
import { consumerGroupDescribe } from "../../../src/api/consumer_group_describe.ts";
import { deleteGroups } from "../../../src/api/delete_groups.ts";
import { describeGroups } from "../../../src/api/describe_groups.ts";
import { findCoordinator } from "../../../src/api/find_coordinator.ts";
import { listGroups } from "../../../src/api/list_groups.ts";
import {
  commit,
  consumerBeat,
  describe,
  fetchOffsets,
  join,
  joined,
  leave,
  sendJoin,
  stable,
  subscription,
} from "./asks.ts";
import { type Case, one, type Talk } from "./talk.ts";

const SINGLE_MAX = 3; // the last version of FindCoordinator with one key
const LEAVES = -1;

function find(
  talk: Talk,
  version: number,
  keyType: number,
  keys: readonly string[],
): Promise<unknown> {
  return talk.ask(findCoordinator, version, {
    key: version > SINGLE_MAX ? "" : keys[0] ?? "",
    keyType,
    coordinatorKeys: version > SINGLE_MAX ? keys : [],
  });
}

const findCases: readonly Case[] = [
  ...[0, 1, 2, 3, 4, 5, 6].map((version) =>
    one(`FindCoordinator v${version} of a group`, (talk) => find(talk, version, 0, [talk.group]))
  ),
  ...[0, 3, 4, 6].map((version) =>
    one(`FindCoordinator v${version} of the empty group id`, (talk) => find(talk, version, 0, [""]))
  ),
  ...[1, 3, 4, 6].map((version) =>
    one(`FindCoordinator v${version} of an unknown type`, async (talk) => {
      await find(talk, version, 7, [talk.group]);
      await find(talk, version, -1, [talk.group]);
    })
  ),
  ...[5, 6].map((version) =>
    one(
      `FindCoordinator v${version} of a share group, badly spelled`,
      (talk) => find(talk, version, 2, ["no colons"]),
    )
  ),
  one("FindCoordinator of none, of many, and of one twice", async (talk) => {
    await find(talk, 6, 0, []);
    await find(talk, 6, 0, [talk.group, `${talk.group}-other`, ""]);
    await find(talk, 6, 0, [talk.group, talk.group]);
  }),
  one(
    "FindCoordinator of a group id of 30000 characters",
    (talk) => find(talk, 6, 0, [talk.group.padEnd(30_000, "x")]),
  ),
];

const describeCases: readonly Case[] = [
  ...[0, 1, 2, 3, 4, 5, 6].map((version) =>
    one(
      `DescribeGroups v${version} of a group that is not there, and of one that is`,
      async (talk) => {
        await describe(talk, version);
        await stable(talk);
        await describe(talk, version);
      },
    )
  ),
  ...[0, 5, 6].map((version) =>
    one(`DescribeGroups v${version} of the empty group id`, (talk) => describe(talk, version, [""]))
  ),
  one("DescribeGroups of none, of many, and of one twice", async (talk) => {
    await commit(talk);
    await describe(talk, 6, []);
    await describe(talk, 6, [talk.group, `${talk.group}-missing`]);
    await describe(talk, 6, [talk.group, talk.group]);
  }),
  one("DescribeGroups of a group that only has offsets", async (talk) => {
    await commit(talk);
    await describe(talk, 5);
    await describe(talk);
  }),
  one("DescribeGroups in each state", async (talk) => {
    const { member } = await joined(talk);
    await describe(talk);
    const { memberId } = await join(talk, { via: "second" });
    const sent = await sendJoin(talk, { member: memberId });
    await describe(talk);
    await leave(talk, [[member]]);
    await sent.take();
    await leave(talk, [[memberId]]);
    await describe(talk);
  }),
  one("DescribeGroups with authorized operations", async (talk) => {
    await stable(talk);
    await talk.ask(describeGroups, 6, {
      groups: [talk.group, `${talk.group}-missing`],
      includeAuthorizedOperations: true,
    });
  }),
  ...[5, 6].map((version) =>
    one(`DescribeGroups v${version} of a group of the consumer protocol`, async (talk) => {
      await consumerBeat(talk);
      await describe(talk, version);
    })
  ),
];

function list(
  talk: Talk,
  version: number,
  statesFilter: readonly string[] = [],
  typesFilter: readonly string[] = [],
): Promise<unknown> {
  return talk.ask(listGroups, version, { statesFilter, typesFilter });
}

const listCases: readonly Case[] = [
  ...[0, 1, 2, 3, 4, 5].map((version) =>
    one(`ListGroups v${version}`, async (talk) => {
      await stable(talk);
      await list(talk, version);
    })
  ),
  one("ListGroups of states", async (talk) => {
    await stable(talk);
    await commit(talk, { group: `${talk.group}-offsets` });
    await consumerBeat(talk, { groupId: `${talk.group}-consumer`, subscribedTopicNames: [] });
    for (
      const states of [
        ["Stable"],
        ["stable"],
        ["STABLE", "Empty"],
        ["Dead"],
        ["Nonsense"],
        [""],
        ["Assigning", "Reconciling"],
        ["PreparingRebalance", "CompletingRebalance"],
      ]
    ) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await list(talk, 5, states);
    }
  }),
  one("ListGroups of types", async (talk) => {
    await stable(talk);
    await commit(talk, { group: `${talk.group}-offsets` });
    await consumerBeat(talk, { groupId: `${talk.group}-consumer`, subscribedTopicNames: [] });
    for (
      const types of [
        ["classic"],
        ["Classic"],
        ["CONSUMER"],
        ["consumer", "classic"],
        ["share"],
        ["nonsense"],
        [""],
        ["unknown"],
      ]
    ) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await list(talk, 5, [], types);
    }
    await list(talk, 5, ["Stable"], ["consumer"]);
  }),
];

function remove(talk: Talk, version: number, ...groupsNames: readonly string[]): Promise<unknown> {
  return talk.ask(deleteGroups, version, { groupsNames });
}

const deleteCases: readonly Case[] = [
  ...[0, 1, 2].map((version) =>
    one(`DeleteGroups v${version} of one that lives, is empty, is gone`, async (talk) => {
      const { member } = await stable(talk);
      await commit(talk, { member, generation: 1 });
      await remove(talk, version, talk.group);
      await leave(talk, [[member]]);
      await remove(talk, version, talk.group);
      await remove(talk, version, talk.group);
      await fetchOffsets(talk, { topics: null });
      await describe(talk);
    })
  ),
  one("DeleteGroups of the empty group id, and of none", async (talk) => {
    await remove(talk, 2, "");
    await remove(talk, 2);
  }),
  one("DeleteGroups of a group that only has offsets", async (talk) => {
    await commit(talk);
    await remove(talk, 2, talk.group);
    await fetchOffsets(talk, { topics: null });
  }),
  one("DeleteGroups of one twice", async (talk) => {
    await commit(talk);
    await remove(talk, 2, talk.group, talk.group);
  }),
  one("DeleteGroups of some that are there", async (talk) => {
    await commit(talk);
    await remove(talk, 2, `${talk.group}-missing`, talk.group, "");
  }),
  one(
    "DeleteGroups while the group is gathering, and with a member still to come",
    async (talk) => {
      await join(talk);
      await remove(talk, 2, talk.group);
      const { member } = await joined(talk);
      await remove(talk, 2, talk.group);
      await leave(talk, [[member]]);
    },
  ),
  one("DeleteGroups of a group of the consumer protocol", async (talk) => {
    await consumerBeat(talk);
    await remove(talk, 2, talk.group);
    await consumerBeat(talk, { memberEpoch: LEAVES });
    await remove(talk, 2, talk.group);
    await remove(talk, 2, talk.group);
  }),
];

function describeConsumers(
  talk: Talk,
  version: number,
  groupIds: readonly string[] = [talk.group],
): Promise<unknown> {
  return talk.ask(consumerGroupDescribe, version, { groupIds });
}

const consumerDescribeCases: readonly Case[] = [
  ...[0, 1].map((version) =>
    one(`ConsumerGroupDescribe v${version}`, async (talk) => {
      await describeConsumers(talk, version);
      await consumerBeat(talk, { instanceId: "i", rackId: "r" });
      await describeConsumers(talk, version);
      await consumerBeat(talk, { memberEpoch: LEAVES });
      await describeConsumers(talk, version);
    })
  ),
  one("ConsumerGroupDescribe of the empty group id, of none, of one twice", async (talk) => {
    await consumerBeat(talk, { subscribedTopicNames: [] });
    await describeConsumers(talk, 1, [""]);
    await describeConsumers(talk, 1, []);
    await describeConsumers(talk, 1, [talk.group, talk.group]);
    await describeConsumers(talk, 1, [talk.group, `${talk.group}-missing`]);
  }),
  one(
    "ConsumerGroupDescribe of a classic group, and of one that only has offsets",
    async (talk) => {
      await stable(talk, { protocols: [["range", subscription("t")]] });
      await commit(talk, { group: `${talk.group}-offsets` });
      await describeConsumers(talk, 1, [talk.group, `${talk.group}-offsets`]);
    },
  ),
  one("ConsumerGroupDescribe with authorized operations", async (talk) => {
    await consumerBeat(talk, { subscribedTopicNames: [] });
    await talk.ask(consumerGroupDescribe, 1, {
      groupIds: [talk.group, `${talk.group}-missing`],
      includeAuthorizedOperations: true,
    });
  }),
];

export const adminCases: readonly Case[] = [
  ...findCases,
  ...describeCases,
  ...listCases,
  ...deleteCases,
  ...consumerDescribeCases,
];
