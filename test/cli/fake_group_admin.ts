/** What `client.admin.groups` does with the groups of a cluster of values. */
import { codedError } from "./fake_library.ts";
import type { LogCluster, Place, StoredGroup } from "./log_cluster.ts";

export function fakeGroupAdmin(cluster: LogCluster): object {
  return { ...groupReads(cluster), ...groupWrites(cluster) };
}

function found(cluster: LogCluster, groupId: string): StoredGroup {
  const group = cluster.groups.get(groupId);
  if (group === undefined) throw unknownGroup();
  return group;
}

function groupReads(cluster: LogCluster): object {
  return {
    listGroups: ({ states }: { states?: readonly string[] } = {}) =>
      Promise.resolve({
        errors: [],
        groups: [...cluster.groups].filter(([, { state }]) => states?.includes(state) !== false)
          .map(([groupId, { state, type }]) => ({
            groupId,
            state,
            type,
            protocolType: "consumer",
            coordinatorId: 1,
          })),
      }),
    describeGroups: (names: readonly string[]) =>
      Promise.resolve(names.map((groupId) => {
        const group = cluster.groups.get(groupId);
        const facts = { groupId, assignor: "range", coordinatorId: 1, protocolType: "consumer" };
        if (group === undefined) {
          return { ...facts, state: "", members: [], error: unknownGroup() };
        }
        const { commits: _, ...rest } = group;
        return { ...facts, ...rest };
      })),
    groupOffsets: async (groupId: string) => {
      await Promise.resolve();
      return [...found(cluster, groupId).commits].map(([key, commit]) => ({
        ...placeOf(key),
        ...commit,
      }));
    },
    groupLag: async (groupId: string) => {
      await Promise.resolve();
      const { state, commits } = found(cluster, groupId);
      return {
        groupId,
        state,
        partitions: [...commits].map(([key, { offset, metadata }]) => {
          const place = placeOf(key);
          const end = cluster.records(place.topic, place.partition).length;
          return {
            ...place,
            committed: offset,
            metadata,
            start: 0,
            end,
            lag: Math.max(end - offset, 0),
            lagSeconds: offset < end ? 12.34 : 0,
            advancedAtMs: -1,
            isStuck: false,
            memberId: null,
            groupInstanceId: null,
            clientId: null,
            clientHost: null,
            ...cluster.lagFacts.get(`${place.topic}-${place.partition}`),
          };
        }),
      };
    },
  };
}

function groupWrites(cluster: LogCluster): object {
  return {
    alterGroupOffsets: async (
      groupId: string,
      offsets: readonly (Place & { offset: number; metadata?: string })[],
    ) => {
      await Promise.resolve();
      cluster.onAlter?.(groupId);
      cluster.rejectGone();
      const group = cluster.groups.get(groupId) ?? cluster.group(groupId);
      return offsets.map(({ topic, partition, offset, metadata = "" }) => {
        if (group.members.length > 0) {
          return { topic, partition, error: codedError("UNKNOWN_MEMBER_ID") };
        }
        group.commits.set(`${topic} ${partition}`, { offset, metadata });
        return { topic, partition };
      });
    },
    removeMembers: (groupId: string) => {
      cluster.removed.push(groupId);
      found(cluster, groupId).members = [];
      return Promise.resolve([]);
    },
    deleteGroups: (names: readonly string[]) =>
      Promise.resolve(names.map((groupId) => {
        const group = cluster.groups.get(groupId);
        if (group === undefined) return { groupId, error: unknownGroup() };
        if (group.members.length > 0) return { groupId, error: codedError("NON_EMPTY_GROUP") };
        cluster.groups.delete(groupId);
        return { groupId };
      })),
    deleteGroupOffsets: (groupId: string, places: readonly Place[]) =>
      Promise.resolve(places.map(({ topic, partition }) => {
        found(cluster, groupId).commits.delete(`${topic} ${partition}`);
        return { topic, partition };
      })),
  };
}

function unknownGroup(): Error {
  return codedError("GROUP_ID_NOT_FOUND");
}

function placeOf(key: string): Place {
  const [topic = "", partition] = key.split(" ");
  return { topic, partition: Number(partition) };
}
