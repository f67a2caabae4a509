/** Somebody who speaks mq's own APIs to a node, and need not be what it says. */
import { pageOf } from "../broker/broker_fixture.ts";
import { hello, type HelloRequest } from "../../src/api/own/hello.ts";
import type { OwnApi } from "../../src/api/own/own_api.ts";
import type { Stream } from "../../src/env/network.ts";
import { concat } from "../../src/ground/concat.ts";
import type { Uuid } from "../../src/ground/uuid.ts";
import { FrameSplitter } from "../../src/wire/frame.ts";
import { encodeMessagePack } from "../../src/wire/msgpack.ts";
import { readOwnResponse } from "../../src/wire/own_message.ts";
import { CLUSTER_ID, type TestCluster, type TestNode } from "./cluster_fixture.ts";

const HEADER_BYTES = 14;
const SETTLES = 6;

export function directoryOf(number: number): Uuid {
  return `${String(number).padStart(21, "A")}A` as Uuid;
}

/** Of a node that the cluster does not know. */
export const STRANGER: HelloRequest = {
  clusterId: CLUSTER_ID,
  nodeId: 66,
  directoryId: directoryOf(66),
  release: "hostile",
  roles: ["controller"],
};

/** Length, header and body of a request of an own API, whatever the body is. */
export function ownFrame(key: number, body: unknown, version = 0): Uint8Array {
  const bytes = body instanceof Uint8Array ? body : encodeMessagePack(body);
  const frame = new Uint8Array(HEADER_BYTES + bytes.length);
  const view = new DataView(frame.buffer);
  view.setInt32(0, frame.length - 4);
  view.setInt16(4, key);
  view.setInt16(6, version);
  view.setInt32(8, 7);
  view.setInt16(12, -1);
  frame.set(bytes, HEADER_BYTES);
  return frame;
}

export class HostilePeer {
  isClosed = false;
  readonly answers: Uint8Array[] = [];
  readonly #cluster: TestCluster;
  readonly #stream: Stream;

  private constructor(cluster: TestCluster, stream: Stream) {
    this.#cluster = cluster;
    this.#stream = stream;
    const splitter = new FrameSplitter({
      frameBytesMax: 1 << 30,
      frameBytesMin: 4,
      onFrame: (frame) => void this.answers.push(frame.slice()),
    });
    stream.listen({
      onBytes: (bytes) => void splitter.push(bytes),
      onDrain: () => undefined,
      onClose: () => {
        this.isClosed = true;
      },
    });
  }

  static async dial(cluster: TestCluster, node: TestNode): Promise<HostilePeer> {
    return new HostilePeer(cluster, await cluster.network.dial(node.address));
  }

  /** One that has said a Hello, and was taken for what it says. */
  static async greeted(
    cluster: TestCluster,
    node: TestNode,
    changes: Partial<HelloRequest> = {},
  ): Promise<HostilePeer> {
    const peer = await HostilePeer.dial(cluster, node);
    const answer = await peer.ask(hello, { ...STRANGER, ...changes });
    if (typeof answer === "string" || answer.errorCode !== 0) {
      throw new Error(`The Hello was refused: ${JSON.stringify(answer)}`);
    }
    return peer;
  }

  async send(...frames: readonly Uint8Array[]): Promise<void> {
    this.#stream.write(concat(frames));
    await this.#cluster.clock.settle();
  }

  /** The answer; or why there is none. */
  async ask<Req, Res>(api: OwnApi<Req, Res>, body: unknown): Promise<Res | string> {
    this.answers.length = 0;
    await this.send(ownFrame(api.key, body));
    for (let turn = 0; turn < SETTLES && this.answers.length === 0 && !this.isClosed; turn++) {
      await this.#cluster.clock.settle();
    }
    const [frame] = this.answers;
    if (frame !== undefined) return readOwnResponse(api, frame);
    return this.isClosed ? "closed" : "silent";
  }

  async close(): Promise<void> {
    this.#stream.destroy();
    await this.#cluster.clock.settle();
  }
}

/** What no attack may change: of each node its state, its term, its vote, its log. */
export function stateOf(cluster: TestCluster): readonly Readonly<Record<string, unknown>>[] {
  return cluster.nodes.map((node) => {
    const status = node.broker.raft?.status();
    return {
      id: node.id,
      state: node.broker.state,
      ending: node.ending?.kind,
      role: status?.role,
      term: status?.term,
      vote: status?.votedFor?.id,
      leader: status?.leader?.id,
      logEnd: status?.logEndOffset,
      committed: status?.commitOffset,
      voters: status?.configuration.voters.map(({ id }) => id).join(),
    };
  });
}

/** The value of a metric, with labels where it has some; undefined where it is not told. */
export function metric(node: TestNode, name: string): number | undefined {
  const { body } = pageOf({ broker: node.broker }, "/metrics");
  const line = String(body).split("\n").find((one) => one.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length + 1));
}

export function refusals(node: TestNode, reason: string): number {
  return metric(node, `mq_peer_refusals{reason="${reason}"}`) ?? 0;
}
