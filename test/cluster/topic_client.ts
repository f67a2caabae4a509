/**
 * One client of a cluster that works on topics through nodes of its choice and writes down what it asked
 * and what it was told, for `linearizability.ts`.
 *
 * Which questions are to be linearizable, and why: the changes themselves, and those that only have a
 * change checked (CreateTopics and IncrementalAlterConfigs with validateOnly), because the active
 * controller decides about them, behind a confirmed read index where they write nothing. Metadata and
 * DescribeConfigs are answered by a broker from what it has heard of, as in Kafka: those may be of the
 * past, and are judged as reads that follow behind.
 *
 * It speaks to nodes by connections of its own: the library's admin would go to the controller itself,
 * and would ask again.
 */
import { createTopics } from "../../src/api/create_topics.ts";
import { deleteTopics } from "../../src/api/delete_topics.ts";
import { describeConfigs } from "../../src/api/describe_configs.ts";
import { ErrorCode } from "../../src/api/error_code.ts";
import { incrementalAlterConfigs } from "../../src/api/incremental_alter_configs.ts";
import { metadata } from "../../src/api/metadata.ts";
import { ZERO_UUID } from "../../src/ground/uuid.ts";
import { type AskedNode, NodeConnections } from "../harness/node_connections.ts";
import type { Answer, Call, Operation } from "./linearizability.ts";

const TOPIC = 2; // resource type
const SET = 0; // operation
/** The setting that stands for the value of a topic. */
const SETTING = "retention.ms";
const PATIENCE_MS = 4000;

export class TopicClient {
  readonly name: string;
  readonly history: Operation[] = [];
  readonly connections: NodeConnections;

  constructor(name: string) {
    this.name = name;
    this.connections = new NodeConnections(name, PATIENCE_MS);
  }

  /**
   * Asks through a node and writes it down; never throws for what a cluster may do. A node that cannot
   * be dialled was not asked.
   */
  async perform(node: AskedNode, topic: string, call: Call): Promise<Answer> {
    const isThere = await this.connections.dial(node).then(() => true, () => false);
    if (!isThere) return { kind: "unknown" };
    const isRead = call.kind === "read";
    const reader = isRead ? { reader: this.#readerAt(node) } : {};
    const calledAt = performance.now();
    const answer = await this.#ask(node, topic, call).catch((): Answer => ({ kind: "unknown" }));
    const answeredAt = performance.now();
    this.history.push({ topic, client: this.name, call, answer, calledAt, answeredAt, ...reader });
    return answer;
  }

  /** Lists topics through a node: which of these are there, as it has heard. */
  async list(node: AskedNode, topics: readonly string[]): Promise<void> {
    const reader = this.#readerAt(node);
    const calledAt = performance.now();
    const listed = await this.topicsOf(node).catch(() => undefined);
    if (listed === undefined) return;
    const answeredAt = performance.now();
    for (const topic of topics) {
      this.history.push({
        topic,
        client: this.name,
        call: { kind: "probe" },
        answer: { kind: listed.has(topic) ? "exists" : "missing" },
        calledAt,
        answeredAt,
        reader,
      });
    }
  }

  /** Names and ids, as the node has heard of them. Rejects where it cannot be asked. */
  async topicsOf(node: AskedNode): Promise<ReadonlyMap<string, string>> {
    const { topics } = await this.connections.request(node, metadata, {
      topics: null,
      allowAutoTopicCreation: false,
    });
    return new Map(topics.map(({ name, topicId }) => [name ?? "", topicId]));
  }

  /** The value of a topic as the node has heard of it; null where it has heard of none. */
  async valueOf(node: AskedNode, topic: string): Promise<string | null> {
    const { results } = await this.connections.request(node, describeConfigs, {
      resources: [{ resourceType: TOPIC, resourceName: topic, configurationKeys: [SETTING] }],
    });
    const [result] = results;
    if (result?.errorCode === ErrorCode.UnknownTopicOrPartition) return null;
    if (result?.errorCode !== ErrorCode.None) throw new Error(`Cannot read: ${result?.errorCode}`);
    return result.configs.find(({ name }) => name === SETTING)?.value ?? null;
  }

  close(): void {
    this.connections.close();
  }

  /** A node forgets nothing while it lives; in its next life it may begin further back. */
  #readerAt(node: AskedNode): string {
    return `${this.name}@${node.id}.${node.pid}`;
  }

  async #ask(node: AskedNode, topic: string, call: Call): Promise<Answer> {
    switch (call.kind) {
      case "create":
        return answerOf(await this.#create(node, topic, call.value, false), "done");
      case "delete":
        return answerOf(await this.#delete(node, topic), "done");
      case "alter":
        return answerOf(await this.#alter(node, topic, call.value, false), "done");
      case "probe":
        return await this.#probe(node, topic);
      case "read": {
        const value = await this.valueOf(node, topic);
        return value === null ? { kind: "missing" } : { kind: "value", value };
      }
    }
  }

  /** Has a change checked: either of the two that exist. */
  async #probe(node: AskedNode, topic: string): Promise<Answer> {
    if (this.history.length % 2 === 0) {
      return answerOf(await this.#create(node, topic, "1", true), "missing");
    }
    return answerOf(await this.#alter(node, topic, "1", true), "exists");
  }

  async #create(
    node: AskedNode,
    name: string,
    value: string,
    validateOnly: boolean,
  ): Promise<number | undefined> {
    const topic = { name, numPartitions: 1, replicationFactor: 1, assignments: [] };
    const configs = [{ name: SETTING, value }];
    const body = { topics: [{ ...topic, configs }], timeoutMs: PATIENCE_MS, validateOnly };
    return (await this.connections.request(node, createTopics, body)).topics[0]?.errorCode;
  }

  async #delete(node: AskedNode, name: string): Promise<number | undefined> {
    const answer = await this.connections.request(node, deleteTopics, {
      topics: [{ name, topicId: ZERO_UUID }],
      topicNames: [name],
      timeoutMs: PATIENCE_MS,
    });
    return answer.responses[0]?.errorCode;
  }

  async #alter(
    node: AskedNode,
    resourceName: string,
    value: string,
    validateOnly: boolean,
  ): Promise<number | undefined> {
    const configs = [{ name: SETTING, configOperation: SET, value }];
    const resources = [{ resourceType: TOPIC, resourceName, configs }];
    const answer = await this.connections.request(node, incrementalAlterConfigs, {
      resources,
      validateOnly,
    });
    return answer.responses[0]?.errorCode;
  }
}

/** Every other code says that nothing was done, or not what was done: both may be taken for unknown. */
function answerOf(errorCode: number | undefined, success: "done" | "exists" | "missing"): Answer {
  switch (errorCode) {
    case ErrorCode.None:
      return { kind: success };
    case ErrorCode.TopicAlreadyExists:
      return { kind: "exists" };
    case ErrorCode.UnknownTopicOrPartition:
      return { kind: "missing" };
    default:
      return { kind: "unknown" };
  }
}
