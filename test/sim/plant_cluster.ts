/** Bugs on purpose of clusters: as `plant.ts`, and planted there. */
import { Self } from "../../src/broker/new_context.ts";
import { forward } from "../../src/api/own/forward.ts";
import { BrokerContacts } from "../../src/metadata/broker_contacts.ts";
import { ClusterImage } from "../../src/metadata/image.ts";
import type { MetadataRecord } from "../../src/metadata/record.ts";
import type { ReplicaKey } from "../../src/raft/configuration.ts";
import type { Ready } from "../../src/raft/ready.ts";
import { Raft } from "../../src/raft/raft.ts";
import { MetadataQuorum } from "../../src/runtime/quorum/metadata_quorum.ts";
import { NotController } from "../../src/runtime/quorum/not_controller.ts";
import { Proposals } from "../../src/runtime/quorum/proposals.ts";
import { RaftNode } from "../../src/runtime/quorum/raft_node.ts";
import { RaftStorage } from "../../src/runtime/quorum/raft_storage.ts";
import { SnapshotTaker } from "../../src/runtime/quorum/snapshot_taker.ts";
import { type Offset, toOffset } from "../../src/ground/numbers.ts";
import { replace, replaceGetter, type Undo } from "./replace.ts";
import type { SimOptions } from "./sim_options.ts";
import type { World } from "./world.ts";

export const CLUSTER_PLANT_NAMES = [
  "applies-before-commit",
  "decides-before-its-term",
  "answers-before-commit",
  "forwards-twice",
  "unknown-told-as-refused",
  "fenced-broker-is-told",
  "fenced-broker-serves",
  "silent-broker-is-not-fenced",
  "contacts-are-not-reset",
  "snapshot-without-settings",
  "follower-skips-a-record",
  "vote-is-forgotten",
  "raft-sync-returns-early",
  "lost-directory-is-used-again",
  "broker-epoch-goes-back",
] as const;

export type ClusterPlantName = (typeof CLUSTER_PLANT_NAMES)[number];

type Records = readonly MetadataRecord[];

export const CLUSTER_BUGS: Readonly<Record<ClusterPlantName, (world: World) => Undo>> = {
  "applies-before-commit": () => {
    const { ready } = Raft.prototype;
    return replace(Raft.prototype, "ready", function (this: Raft): Ready {
      const taken = ready.call(this);
      const { durableOffset, appliedOffset, commitOffset } = this.status();
      if (durableOffset <= Math.max(commitOffset, taken.apply?.upTo ?? 0)) return taken;
      return { ...taken, apply: { from: appliedOffset, upTo: durableOffset } };
    });
  },
  "decides-before-its-term": () => {
    const { ready } = Raft.prototype;
    return replace(Raft.prototype, "ready", function (this: Raft): Ready {
      const taken = ready.call(this);
      const { softState } = taken;
      if (softState?.role !== "leader") return taken;
      return { ...taken, softState: { ...softState, isReadyToDecide: true } };
    });
  },
  "answers-before-commit": () => {
    return replace(Proposals.prototype, "add", (baseOffset: number) => Promise.resolve(baseOffset));
  },
  "forwards-twice": () => replace(forward as { isRepeatable: boolean }, "isRepeatable", true),
  "unknown-told-as-refused": () => {
    const { onLeadershipLost, unknown } = Proposals.prototype;
    const refused = (proposals: Proposals): NotController => {
      return new NotController(unknown.call(proposals).leaderId, true);
    };
    const undo = [
      replace(Proposals.prototype, "unknown", function (this: Proposals): NotController {
        return refused(this);
      }),
      replace(Proposals.prototype, "onLeadershipLost", function (this: Proposals): void {
        this.rejectAll(refused(this));
        onLeadershipLost.call(this);
      }),
    ];
    return () => {
      for (const one of undo) one();
    };
  },
  "fenced-broker-is-told": () => {
    return replace(
      ClusterImage.prototype,
      "isUnfenced",
      function (this: ClusterImage, id: number): boolean {
        return this.broker(id) !== undefined;
      },
    );
  },
  "fenced-broker-serves": () => replaceGetter(Self.prototype, "mayServe", () => true),
  "silent-broker-is-not-fenced": () => replace(BrokerContacts.prototype, "overdue", () => []),
  "contacts-are-not-reset": () => {
    return replace(BrokerContacts.prototype, "reset", () => undefined);
  },
  "snapshot-without-settings": () => {
    const { take } = SnapshotTaker.prototype;
    type Content = Parameters<SnapshotTaker["take"]>[0];
    return replace(
      SnapshotTaker.prototype,
      "take",
      function (this: SnapshotTaker, content: Content): Promise<void> {
        const records = [...content.records].filter(({ kind }) => kind !== "config");
        return take.call(this, { ...content, records });
      },
    );
  },
  "follower-skips-a-record": ({ nodes }) => {
    const { replay } = ClusterImage.prototype;
    return replace(
      ClusterImage.prototype,
      "replay",
      function (this: ClusterImage, offset: number, record: MetadataRecord): void {
        const isLast = nodes.at(-1)?.metadata?.image === this;
        const replayed: MetadataRecord = isLast && record.kind === "config" && offset > 0
          ? { kind: "no-op", version: 0 } as MetadataRecord
          : record;
        replay.call(this, toOffset(offset), replayed);
      },
    );
  },
  "vote-is-forgotten": () => {
    return replace(RaftStorage.prototype, "writeHardState", () => Promise.resolve());
  },
  "raft-sync-returns-early": () => {
    return replace(RaftStorage.prototype, "sync", function (this: RaftStorage): Promise<Offset> {
      return Promise.resolve(this.logEndOffset);
    });
  },
  "lost-directory-is-used-again": () => {
    const directoryIds = new Map<number, ReplicaKey>();
    const { over } = MetadataQuorum;
    type Options = Parameters<typeof MetadataQuorum.over>[0];
    return replace(MetadataQuorum, "over", (options: Options) => {
      const self = directoryIds.get(options.self.id) ?? options.self;
      directoryIds.set(self.id, self);
      return over.call(MetadataQuorum, { ...options, self });
    });
  },
  "broker-epoch-goes-back": () => {
    let brokerEpoch = 100_000;
    return changeRecords((records) =>
      records.map((record) => {
        const isNew = record.kind === "register-broker" && record.version === 1;
        return isNew ? { ...record, brokerEpoch: brokerEpoch-- } : record;
      })
    );
  },
};

/** What the leader decides is changed on its way into the log. */
function changeRecords(change: (records: Records) => Records): Undo {
  const { proposeRecords } = RaftNode.prototype;
  return replace(RaftNode.prototype, "proposeRecords", function (
    this: RaftNode,
    records: Records,
  ): Promise<Offset> {
    return proposeRecords.call(this, change(records));
  });
}

/** Worlds in which each of them has something to do: a bug that needs a pause is not found without one. */
export function worldOf(plant: ClusterPlantName): Partial<SimOptions> {
  const busy: Partial<SimOptions> = { clients: 2, thinkMeanMs: 50, faultMeanMs: 500 };
  const alike = { nodes: 3, layout: "alike" } as const;
  switch (plant) {
    case "forwards-twice":
      return {
        ...busy,
        nodes: 5,
        layout: "roles",
        faults: { "cut-connections": 5, "isolated-controller": 1 },
        operations: { "create-topic": 9, "delete-topic": 9 },
      };
    case "unknown-told-as-refused":
      return {
        ...busy,
        ...alike,
        faults: { "isolated-controller": 5, "partition": 3, "kill": 1 },
        operations: { "create-topic": 9, "delete-topic": 9 },
      };
    case "silent-broker-is-not-fenced":
    case "contacts-are-not-reset":
    case "fenced-broker-is-told":
    case "fenced-broker-serves":
      return {
        ...alike,
        faultMeanMs: 2000,
        faults: { kill: 4, "paused-controller": 1, pause: 2 },
        settings: { "broker.session.timeout.ms": "1500" },
      };
    case "snapshot-without-settings":
      return {
        ...alike,
        faults: { kill: 1, "power-loss": 1 },
        settings: { "metadata.log.max.record.bytes.between.snapshots": "1000" },
      };
    case "lost-directory-is-used-again":
      return { ...alike, faults: { "empty-disk": 1, kill: 1 } };
    case "vote-is-forgotten":
      return { ...alike, faultMeanMs: 500, faults: { kill: 5, "power-loss": 5, partition: 5 } };
    case "raft-sync-returns-early":
      return { ...alike, faults: { kill: 1, "power-loss": 2 } };
    default:
      return alike;
  }
}
