/**
 * The active controller: what a voter does for the cluster while it leads the metadata quorum.
 *
 *     becomes leader ─► activation records ─► every unfenced broker has a whole session again
 *     registration, heartbeat, producer ids, partitions ─► decide ─► committed ─► answer
 *     a broker is silent for a session ─► fenced
 *
 * Every voter has one; one that does not lead answers NOT_CONTROLLER. Who was heard of when is the
 * leader's own knowledge and in no record: a new leader gives everybody a session before it judges.
 * The leader's own broker needs no heartbeat, so that a node alone has no timer here.
 * Not here: what is decided (`metadata/decide/`), requests of clients (`broker/`).
 */
import { ErrorCode } from "../api/error_code.ts";
import type {
  AllocateProducerIdsRequest,
  AllocateProducerIdsResponse,
} from "../api/own/allocate_producer_ids.ts";
import type { AlterPartitionRequest, AlterPartitionResponse } from "../api/own/alter_partition.ts";
import type {
  BrokerHeartbeatRequest,
  BrokerHeartbeatResponse,
} from "../api/own/broker_heartbeat.ts";
import type { RegisterBrokerRequest, RegisterBrokerResponse } from "../api/own/register_broker.ts";
import type { Clock, Timer } from "../env/clock.ts";
import { DiskFault } from "../env/disk.ts";
import type { Trace } from "../env/trace.ts";
import { type Ms, toMs } from "../ground/numbers.ts";
import { BrokerContacts } from "../metadata/broker_contacts.ts";
import { decideActivation } from "../metadata/decide/activate.ts";
import { decideAlterPartition } from "../metadata/decide/alter_partition.ts";
import {
  decideBrokerHeartbeat,
  decideFenceBroker,
  type HeartbeatReply,
} from "../metadata/decide/broker_state.ts";
import { decideProducerIds } from "../metadata/decide/producer_ids.ts";
import { decideRegisterBroker } from "../metadata/decide/register_broker.ts";
import type { Decision } from "../metadata/decision.ts";
import type { ClusterImage } from "../metadata/image.ts";
import type { BrokerValue } from "../metadata/topic_config.ts";
import { NotController } from "../runtime/quorum/not_controller.ts";

/** The quorum as the controller sees it. */
export interface ControllerQuorum {
  readonly image: ClusterImage;
  readonly isLeader: boolean;
  leader(): { readonly id: number; readonly term: number } | undefined;
  propose<Reply>(decide: (image: ClusterImage) => Decision<Reply>): Promise<Reply>;
}

export interface ControllerOptions {
  readonly nodeId: number;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly quorum: ControllerQuorum;
  readonly brokerValue: BrokerValue;
  readonly sessionMs: number;
  /** Nobody else votes: its own broker has opened its partitions before it registers. */
  readonly isAlone: boolean;
}

/** A decision that a disk refused is tried again so much later. */
const AGAIN_MS = 1000;

export class Controller {
  readonly #options: ControllerOptions;
  readonly #contacts: BrokerContacts;
  #timer: Timer | undefined;
  #activeTerm = -1;
  #isStopped = false;

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#contacts = new BrokerContacts(options.sessionMs);
  }

  /** To be called whenever somebody else leads the quorum, or this node does. */
  onLeaderChange(): void {
    const { quorum, trace, clock, nodeId } = this.#options;
    this.#timer?.cancel();
    const leader = quorum.leader();
    if (!quorum.isLeader || leader === undefined || this.#isStopped) return;
    if (leader.term === this.#activeTerm) return this.#watch(); // it did not hand over after all
    this.#activeTerm = leader.term;
    // Of a node alone it is no news.
    const level = this.#options.isAlone ? "debug" : "info";
    trace.event(level, "active controller", { nodeId, term: leader.term });
    this.#resetContacts();
    void this.#activate(leader.term, clock);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  register(request: RegisterBrokerRequest): Promise<RegisterBrokerResponse> {
    const { quorum, clusterId, nodeId, brokerValue } = this.#options;
    const refused = { errorMessage: null, brokerEpoch: -1 };
    return this.#answered(refused, async () => {
      const isSelf = request.brokerId === nodeId;
      const reply = await quorum.propose((image) =>
        decideRegisterBroker(image, {
          ...request,
          expectedClusterId: clusterId,
          isInContact: !isSelf && this.#isInContact(image, request),
          startsUnfenced: isSelf && this.#options.isAlone,
          brokerValue,
        })
      );
      if (reply.errorCode !== ErrorCode.None) return { ...reply, brokerEpoch: -1 };
      const brokerEpoch = reply.brokerEpoch ?? quorum.image.broker(request.brokerId)?.brokerEpoch;
      this.#contacts.register(request.brokerId, this.#now());
      this.#watch();
      return { ...reply, brokerEpoch: brokerEpoch ?? -1 };
    });
  }

  heartbeat(request: BrokerHeartbeatRequest): Promise<BrokerHeartbeatResponse> {
    const { quorum, brokerValue } = this.#options;
    const { brokerId, metadataOffset } = request;
    const refused = { isCaughtUp: false, isFenced: true, shouldShutDown: false };
    return this.#answered(refused, async () => {
      const reply = await quorum.propose((image) => {
        const haveOthersSeen = this.#contacts.haveSeen(brokerId, activeIds(image));
        return decideBrokerHeartbeat(image, { ...request, haveOthersSeen, brokerValue });
      });
      if (reply.errorCode === ErrorCode.None) this.#onHeard(brokerId, metadataOffset, reply);
      else if (quorum.image.broker(brokerId) === undefined) {
        return { ...reply, errorCode: ErrorCode.BrokerIdNotRegistered };
      }
      return reply;
    });
  }

  allocateProducerIds(request: AllocateProducerIdsRequest): Promise<AllocateProducerIdsResponse> {
    return this.#answered(
      { firstProducerId: -1, count: 0 },
      () => this.#options.quorum.propose((image) => decideProducerIds(image, request)),
    );
  }

  alterPartition(request: AlterPartitionRequest): Promise<AlterPartitionResponse> {
    return this.#answered(
      { partitions: [] },
      () => this.#options.quorum.propose((image) => decideAlterPartition(image, request)),
    );
  }

  #onHeard(
    brokerId: number,
    metadataOffset: number,
    { isInControlledShutdown, shouldShutDown }: HeartbeatReply,
  ): void {
    this.#contacts.contact(brokerId, this.#now(), metadataOffset);
    if (isInControlledShutdown) {
      this.#contacts.shutsDownBy(brokerId, this.#options.quorum.image.nextOffset);
    }
    if (shouldShutDown) this.#contacts.forget(brokerId);
    this.#watch();
  }

  /** Whoever lost its disk or its process comes back at once: its directory was locked by itself. */
  #isInContact(image: ClusterImage, { brokerId, directoryIds }: RegisterBrokerRequest): boolean {
    const existing = image.broker(brokerId);
    if (existing?.directoryIds.some((id) => directoryIds.includes(id)) === true) return false;
    return this.#contacts.isInContact(brokerId, this.#now());
  }

  /** What a decision answers, or why it was not made here. */
  async #answered<Refused, Reply>(
    refused: Refused,
    decide: () => Promise<Reply>,
  ): Promise<Reply | Refused & { errorCode: ErrorCode; leaderId?: number }> {
    const { quorum } = this.#options;
    if (!quorum.isLeader) return { ...refused, ...this.#notController() };
    try {
      return await decide();
    } catch (error) {
      if (error instanceof NotController) return { ...refused, ...this.#notController() };
      if (!(error instanceof DiskFault)) throw error;
      return { ...refused, errorCode: ErrorCode.KafkaStorageError };
    }
  }

  #notController(): { errorCode: ErrorCode; leaderId?: number } {
    const leader = this.#options.quorum.leader();
    const isElsewhere = leader !== undefined && leader.id !== this.#options.nodeId;
    return {
      errorCode: ErrorCode.NotController,
      ...(isElsewhere ? { leaderId: leader.id } : {}),
    };
  }

  async #activate(term: number, clock: Clock): Promise<void> {
    try {
      await this.#options.quorum.propose((image) => decideActivation(image));
      this.#resetContacts(); // by now the image has all that earlier leaders decided
      this.#watch();
    } catch (error) {
      this.#onUndecided(error);
      clock.after(AGAIN_MS, () => {
        const isStill = !this.#isStopped && this.#options.quorum.leader()?.term === term;
        if (isStill && this.#options.quorum.isLeader) void this.#activate(term, clock);
      });
    }
  }

  #resetContacts(): void {
    const { quorum: { image }, nodeId } = this.#options;
    const alive = image.brokers().filter(({ isFenced }) => !isFenced);
    this.#contacts.reset(this.#now(), alive.map(({ brokerId }) => brokerId), nodeId);
  }

  /** Wakes when the next broker has been silent for too long; not at all where there is none. */
  #watch(): void {
    const { clock, quorum } = this.#options;
    this.#timer?.cancel();
    const { wakeAt } = this.#contacts;
    if (wakeAt === undefined || !quorum.isLeader || this.#isStopped) return;
    const delayMs = Math.max(wakeAt - clock.monotonicMs(), 0) + 1;
    this.#timer = clock.after(delayMs, () => void this.#fenceOverdue());
  }

  async #fenceOverdue(): Promise<void> {
    const { quorum, trace, brokerValue } = this.#options;
    for (const brokerId of this.#contacts.overdue(this.#now())) {
      this.#contacts.forget(brokerId);
      const brokerEpoch = quorum.image.broker(brokerId)?.brokerEpoch ?? -1;
      try {
        // deno-lint-ignore no-await-in-loop -- one decision after the other
        const isFenced = await quorum.propose((image) =>
          // It may have been heard of since it was looked for.
          this.#contacts.isInContact(brokerId, this.#now())
            ? { records: [], reply: false }
            : decideFenceBroker(image, { brokerId, brokerEpoch, brokerValue })
        );
        if (isFenced) trace.event("warn", "a silent broker was fenced", { brokerId });
      } catch (error) {
        this.#onUndecided(error);
        if (quorum.isLeader) this.#contacts.contact(brokerId, this.#now()); // judged later
      }
    }
    this.#watch();
  }

  #now(): Ms {
    return toMs(this.#options.clock.monotonicMs());
  }

  #onUndecided(error: unknown): void {
    if (error instanceof NotController || error instanceof DiskFault) return; // told where it broke
    throw error;
  }
}

function activeIds(image: ClusterImage): readonly number[] {
  return image.brokers().flatMap(({ brokerId }) => image.isActive(brokerId) ? [brokerId] : []);
}
