/** A member that has all partitions of its topics until a test takes some away. */
import type { LogCluster, Place, Point } from "./log_cluster.ts";

export interface FakeGroupOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly commit: string;
  readonly from: Point;
  readonly until?: string;
  onAssigned(partitions: readonly Place[]): void;
  onRevoked(partitions: readonly Place[]): Promise<void>;
  onLost(partitions: readonly Place[]): void;
  onNotice(notice: { kind: string; message: string }): void;
}

export class FakeGroupConsumer {
  readonly options: FakeGroupOptions;
  /** Next offsets, "t 0". */
  readonly doneUpTo = new Map<string, number>();
  closedWith: { readonly commit?: boolean } | undefined;
  commits = 0;
  /** Thrown by `commit`. */
  commitError: Error | undefined;
  readonly #cluster: LogCluster;
  #end: () => void = () => undefined;
  readonly #ended: Promise<void>;

  constructor(cluster: LogCluster, options: FakeGroupOptions) {
    this.#cluster = cluster;
    this.options = options;
    this.#ended = new Promise((resolve) => void (this.#end = resolve));
  }

  async *batches(): AsyncGenerator<unknown> {
    const { topics, groupId, from, until, onAssigned } = this.options;
    const places = topics.flatMap((topic) =>
      (this.#cluster.topics.get(topic) ?? []).map((_, partition) => ({ topic, partition }))
    );
    onAssigned(places);
    for (const place of places) {
      const key = `${place.topic} ${place.partition}`;
      const first = this.#cluster.committed(groupId, key) ?? this.#cluster.offsetOf(place, from);
      await Promise.resolve();
      if (first < this.#cluster.records(place.topic, place.partition).length) {
        yield this.#cluster.batch(place, first);
      }
    }
    setImmediate(() => this.#cluster.onIdle?.(this));
    if (until !== "end") await this.#ended;
  }

  done(topic: string, partition: number, nextOffset: number): void {
    this.doneUpTo.set(`${topic} ${partition}`, nextOffset);
  }

  async commit(): Promise<void> {
    await Promise.resolve();
    if (this.commitError !== undefined) throw this.commitError;
    this.commits++;
    const { groups } = this.#cluster;
    const group = groups.get(this.options.groupId) ?? this.#cluster.group(this.options.groupId);
    for (const [key, offset] of this.doneUpTo) group.commits.set(key, { offset, metadata: "" });
  }

  async close(options: { commit?: boolean }): Promise<void> {
    this.closedWith = options;
    if (options.commit === true) await this.commit();
    this.#end();
  }
}
