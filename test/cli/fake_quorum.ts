/** The part of a cluster made of values that is about nodes: brokers, voters, features. */

export interface FakeReplica {
  readonly nodeId: number;
  readonly directoryId: string;
  readonly logEndOffset: number;
  readonly lastFetchTimestamp: number;
  readonly lastCaughtUpTimestamp: number;
}

export interface FakeBroker {
  readonly brokerId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
  readonly isFenced: boolean;
}

type MakeError = (code: string, message?: string) => Error;

/** Midday of the day on which `FakeIo` lives. */
const NOON = Date.parse("2026-06-01T12:00:00Z");

export function replica(nodeId: number, parts: Partial<FakeReplica> = {}): FakeReplica {
  return {
    nodeId,
    directoryId: `directory-${nodeId}`,
    logEndOffset: 100,
    lastFetchTimestamp: NOON,
    lastCaughtUpTimestamp: NOON,
    ...parts,
  };
}

export function broker(brokerId: number, parts: Partial<FakeBroker> = {}): FakeBroker {
  return { brokerId, host: `h${brokerId}`, port: 9092, rack: null, isFenced: false, ...parts };
}

export class FakeQuorum {
  leaderId = 1;
  voters: FakeReplica[] = [replica(1)];
  observers: FakeReplica[] = [];
  brokers: FakeBroker[] = [broker(1)];
  /** What the cluster answers to every change; it makes them where undefined. */
  refusal: Error | undefined;
  /** What came of an election. */
  elected: readonly { name: string; partition: number; error?: Error }[] = [];
  /** Where set, nobody knows of a quorum. */
  isOld = false;
  /** Every change that was asked for. */
  readonly asked: object[] = [];
  readonly #makeError: MakeError;

  constructor(makeError: MakeError) {
    this.#makeError = makeError;
  }

  admin(): object {
    return {
      describeCluster: ({ includesFenced = false } = {}) =>
        Promise.resolve({
          clusterId: "cluster-a",
          controllerId: 1,
          brokers: this.brokers.filter(({ isFenced }) => includesFenced || !isFenced),
        }),
      describeQuorum: () => this.#quorum(),
      describeFeatures: () =>
        Promise.resolve({
          finalizedEpoch: 5,
          features: [
            { name: "metadata.version", minVersion: 1, maxVersion: 3, finalizedLevel: 2 },
            { name: "quorum.version", minVersion: 0, maxVersion: 1, finalizedLevel: 0 },
          ],
        }),
      updateFeatures: (updates: readonly { name: string }[], options: object) =>
        this.#change({ updates, ...options }).then(() => updates.map(({ name }) => ({ name }))),
      unregisterBroker: (brokerId: number) => this.#unregister(brokerId),
      addVoter: (voter: object) => this.#change({ add: voter }),
      removeVoter: (voter: object) => this.#change({ remove: voter }),
      electLeaders: (topics: unknown, options: object) =>
        this.#change({ elect: topics, ...options }).then(() => this.elected),
      createPartitions: (topics: readonly { name: string }[], options: object) =>
        this.#change({ topics, ...options }).then(
          () => topics.map(({ name }) => ({ name })),
          (error: unknown) => topics.map(({ name }) => ({ name, error })),
        ),
    };
  }

  #quorum(): Promise<object> {
    if (this.isOld) return Promise.reject(this.#makeError("UNSUPPORTED_VERSION"));
    return Promise.resolve({
      leaderId: this.leaderId,
      leaderEpoch: 4,
      highWatermark: 100,
      voters: this.voters,
      observers: this.observers,
      nodes: this.voters.map(({ nodeId }) => ({
        nodeId,
        listeners: [{ name: "QUORUM", host: `c${nodeId}`, port: 9093 }],
      })),
    });
  }

  #unregister(brokerId: number): Promise<void> {
    const isThere = this.brokers.some((each) => each.brokerId === brokerId);
    if (!isThere) return Promise.reject(this.#makeError("BROKER_ID_NOT_REGISTERED"));
    return this.#change({ unregister: brokerId });
  }

  #change(asked: object): Promise<void> {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    this.asked.push(asked);
    return Promise.resolve();
  }
}
