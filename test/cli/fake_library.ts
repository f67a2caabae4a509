/**
 * The library as the commands see it, with a cluster made of values: topics with records, no sockets.
 *
 * It holds only what the commands use; a command that needs more fails here loudly.
 */
import type { Library } from "../../cli/context.ts";
import type { PartitionMetadata } from "../../src/mod.ts";
import { FAKE_SETTINGS, type FakeChange, FakeConfigs } from "./fake_configs.ts";
import { FakeQuorum } from "./fake_quorum.ts";

export interface FakeRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly partition?: number | undefined;
  readonly headers?: readonly (readonly [string, Uint8Array | null])[];
  readonly timestamp?: number;
}

export interface FormatAsked {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directories: readonly string[];
  readonly isContentWithFormatted?: boolean;
}

/** An error with the shape of the client's. */
export function codedError(code: string, message = code): Error {
  return Object.assign(new Error(message), { code, retriable: false, hint: `hint for ${code}` });
}

export class FakeCluster {
  readonly topics = new Map<string, FakeRecord[]>();
  readonly configs = new FakeConfigs((name) => this.topics.has(name), codedError);
  readonly quorum = new FakeQuorum(codedError);
  /** Thrown by `connect`. */
  unreachable: Error | undefined;
  /** Reported for every produced record. */
  deliveryError: Error | undefined;
  /** Partitions as `describeTopics` tells of them; none where a topic is not here. */
  readonly partitionsOf = new Map<string, readonly PartitionMetadata[]>();
  /** Partitions that `listOffsets` was asked about. */
  readonly askedOffsets: (readonly number[] | undefined)[] = [];
  /** Told to a consumer as the reason for trying again. */
  retryError: Error | undefined;
  /** Hears when a consumer waits. */
  onWait: (() => void) | undefined;
  /** What a broker answers to changes of its own settings; it takes them where undefined. */
  brokerConfigError: Error | undefined;
  /** Where set, `connect` never answers. */
  isSilent = false;
  /** Thrown by `formatStorage`. */
  formatError: Error | undefined;
  readonly formatAsked: FormatAsked[] = [];
  readonly connected: Readonly<Record<string, unknown>>[] = [];
  readonly producerOptions: Readonly<Record<string, unknown>>[] = [];

  library(): Promise<Library> {
    const library = {
      connect: (options: { signal?: AbortSignal }) => this.#connect(options),
      createHostEnv: () => ({}),
      BrokerSettings: { ofTopics: FAKE_SETTINGS },
      randomClusterId: () => "Kq3m1-fresh-cluster-id",
      formatStorage: (_env: unknown, asked: FormatAsked) => {
        this.formatAsked.push(asked);
        if (this.formatError !== undefined) throw this.formatError;
        const { clusterId, nodeId, directories } = asked;
        return Promise.resolve(
          directories.map((path, index) => ({
            path,
            clusterId,
            nodeId,
            directoryId: `directory-${index}`,
            isNew: true,
          })),
        );
      },
      implementations: () => ({ crc32c: "typescript" }),
      resolveOffsets: (
        _client: unknown,
        topic: string,
        range: { from: unknown; until?: unknown },
      ) => {
        if (!this.topics.has(topic)) throw codedError("UNKNOWN_TOPIC_OR_PARTITION");
        return Promise.resolve([{ topic, partition: 0, ...range }]);
      },
    };
    return Promise.resolve(library as unknown as Library);
  }

  async #connect(options: { signal?: AbortSignal }): Promise<unknown> {
    this.connected.push(options as Readonly<Record<string, unknown>>);
    if (this.unreachable !== undefined) throw this.unreachable;
    if (this.isSilent) await aborted(options.signal as AbortSignal);
    return {
      admin: this.#admin(),
      producer: (producerOptions: ProducerLike) => this.#producer(producerOptions),
      consumer: (consumerOptions: ConsumerLike) => this.#consumer(consumerOptions),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  #admin(): unknown {
    const missing = (name: string): { name: string; error?: Error } =>
      this.topics.has(name) ? { name } : { name, error: codedError("UNKNOWN_TOPIC_OR_PARTITION") };
    return {
      listTopics: () =>
        Promise.resolve([...this.topics.keys()].map((name) => ({
          name,
          topicId: `id-${name}`,
          isInternal: name.startsWith("__"),
          partitions: this.partitionsOf.get(name) ??
            [{ partition: 0, leaderId: 1, replicas: [1], isr: [1] }],
        }))),
      createTopics: (wanted: readonly { name: string }[], { validateOnly = false }) =>
        Promise.resolve(wanted.map(({ name }) => {
          if (this.topics.has(name)) return { name, error: codedError("TOPIC_ALREADY_EXISTS") };
          if (!validateOnly) this.topics.set(name, []);
          return { name };
        })),
      deleteTopics: (names: readonly string[]) =>
        Promise.resolve(names.map((name) => {
          const result = missing(name);
          this.topics.delete(name);
          return result;
        })),
      describeTopics: (names: readonly string[]) =>
        Promise.resolve(names.map((name) => ({
          ...missing(name),
          ...(this.topics.has(name)
            ? {
              topic: {
                name,
                topicId: "id",
                isInternal: false,
                partitions: this.partitionsOf.get(name) ?? [],
              },
            }
            : {}),
        }))),
      describeConfigs: (names: readonly string[]) =>
        Promise.resolve(names.map((name) => this.configs.describe(name))),
      describeBrokerConfigs: (id: number) =>
        Promise.resolve(this.configs.describeBroker(String(id))),
      describeClusterConfigs: () => Promise.resolve({ name: "", configs: [] }),
      ...this.quorum.admin(),
      alterTopicConfigs: (
        topics: Parameters<FakeConfigs["alter"]>[0],
        { validateOnly = false },
      ) => Promise.resolve(this.configs.alter(topics, validateOnly)),
      alterBrokerConfigs: (id: number, changes: readonly FakeChange[]) => {
        const name = String(id);
        this.configs.asked.push({ name, changes });
        const error = this.brokerConfigError;
        return Promise.resolve(error === undefined ? { name } : { name, error });
      },
      listOffsets: (_: string, spec: string, { partitions }: { partitions: readonly number[] }) => {
        this.askedOffsets.push(partitions);
        const offset = spec === "start" ? 0 : 7;
        return Promise.resolve(partitions.map((partition) => ({ partition, offset })));
      },
    };
  }

  #producer(options: ProducerLike): unknown {
    this.producerOptions.push(options as unknown as Readonly<Record<string, unknown>>);
    const append = (topic: string, record: ProducedLike): void => {
      const records = this.topics.get(topic) ?? [];
      this.topics.set(topic, records);
      const error = this.deliveryError;
      if (error === undefined) {
        records.push({ ...record, key: textOf(record.key), value: textOf(record.value) });
      }
      options.onBatchDelivered({
        topic,
        partition: record.partition ?? 0,
        baseOffset: records.length - 1,
        recordCount: 1,
        ...(error === undefined ? {} : { error }),
      });
    };
    return {
      append,
      appendSlice: (topic: string, slice: SliceLike) =>
        append(topic, {
          ...slice,
          key: slice.keyStart < 0 ? null : slice.bytes.slice(slice.keyStart, slice.keyEnd),
          value: slice.valueStart < 0 ? null : slice.bytes.slice(slice.valueStart, slice.valueEnd),
        }),
      flush: () => Promise.resolve(),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }

  /** One batch per topic; then it ends, or waits where the range has no end. */
  #consumer({ assignments, signal, onRetry }: ConsumerLike): unknown {
    const { topics, retryError: error } = this;
    const isStuck = this.onWait !== undefined;
    const onWait = (): void => this.onWait?.();
    return {
      async *batches(): AsyncGenerator<unknown> {
        for (const { topic, partition } of assignments) {
          if (error !== undefined) onRetry({ topic, partition, error, failingForMs: 0 });
          const records = topics.get(topic) ?? [];
          yield { topic, partition, records: () => cursorOver(records) };
        }
        setImmediate(onWait);
        if (isStuck || assignments.some(({ until }) => until === undefined)) await aborted(signal);
      },
    };
  }
}

interface ProducerLike {
  onBatchDelivered(report: object): void;
}

interface ProducedLike {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly partition?: number | undefined;
}

interface SliceLike {
  readonly bytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

interface ConsumerLike {
  readonly assignments: readonly { topic: string; partition: number; until?: unknown }[];
  readonly signal: AbortSignal;
  onRetry(retry: object): void;
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => reject(codedError("ABORTED"));
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}

/** A cursor of the library's shape over texts. */
export function cursorOver(records: readonly FakeRecord[]): unknown {
  const cursor = {
    bytes: new Uint8Array(0),
    keyStart: -1,
    keyEnd: -1,
    valueStart: -1,
    valueEnd: -1,
    index: -1,
    next(): boolean {
      const record = records[++cursor.index];
      if (record === undefined) return false;
      const key = new TextEncoder().encode(record.key ?? "");
      const value = new TextEncoder().encode(record.value ?? "");
      cursor.bytes = Uint8Array.from([0x21, ...key, ...value, 0x21]);
      cursor.keyStart = record.key === null ? -1 : 1;
      cursor.keyEnd = record.key === null ? -1 : 1 + key.length;
      cursor.valueStart = record.value === null ? -1 : 1 + key.length;
      cursor.valueEnd = record.value === null ? -1 : 1 + key.length + value.length;
      return true;
    },
    offset: () => cursor.index,
    timestamp: () => records[cursor.index]?.timestamp ?? 0,
    key: () => cursor.keyStart < 0 ? null : cursor.bytes.subarray(cursor.keyStart, cursor.keyEnd),
    value: () =>
      cursor.valueStart < 0 ? null : cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd),
    headers: () => records[cursor.index]?.headers ?? [],
  };
  return cursor;
}
