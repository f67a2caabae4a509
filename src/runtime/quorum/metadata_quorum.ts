/**
 * Decisions of a voter: decide, append, commit, replay, reply.
 *
 * One decision after the other, on the leader only: each sees the image with all earlier ones in it, and
 * nothing is replayed before it is committed. What decides without records still asks whether this node
 * leads, so that nobody is answered from a state that others have left behind.
 */
import type { Clock } from "../../env/clock.ts";
import { type Disk, DiskFault } from "../../env/disk.ts";
import type { Random } from "../../env/random.ts";
import type { Trace } from "../../env/trace.ts";
import { assert } from "../../ground/assert.ts";
import type { Crc32c } from "../../ground/crc32c.ts";
import type { Offset } from "../../ground/numbers.ts";
import { ZERO_UUID } from "../../ground/uuid.ts";
import type { Log } from "../../log/log.ts";
import type { LogFault } from "../../log/log_fault.ts";
import type { Decision } from "../../metadata/decision.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import type { Voter } from "../../raft/configuration.ts";
import type { RaftStatus } from "../../raft/status.ts";
import { AppliedImage } from "./applied_image.ts";
import type { OpenMetadata, ReplaceListener, ReplayListener } from "./metadata_view.ts";
import { MetadataCorrupt, NotController } from "./not_controller.ts";
import { RaftNode } from "./raft_node.ts";
import type { RaftNodeOptions } from "./raft_node_options.ts";
import { RaftStorage, startConfiguration } from "./raft_storage.ts";
import { NO_TRANSPORT } from "./raft_transport.ts";

export interface QuorumTools {
  readonly clock: Clock;
  readonly crc32c: Crc32c;
  readonly disk: Disk;
  readonly trace: Trace;
  readonly random: Random;
  /** A disk that is not merely full: its owner takes it offline. */
  readonly onDiskFault: (fault: DiskFault) => void;
}

/** A node that votes alone, wherever it can be reached. */
const ALONE: Voter = { id: 0, directoryId: ZERO_UUID, host: "", port: 0 };
/** Longer than anybody waits who asks for a read: the node stops or applies before. */
const APPLY_MS = 2 ** 31 - 1;

export class MetadataQuorum implements OpenMetadata {
  readonly node: RaftNode;
  /** The image, which a follower may feed while this node has no vote. */
  readonly state: AppliedImage;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * A quorum of one over a log that is open, with all that is in it, as whoever votes alone by it.
   * Nobody else takes care of the log.
   */
  static async open(log: Log, tools: QuorumTools): Promise<MetadataQuorum> {
    const storage = await RaftStorage.open({
      ...tools,
      directory: log.directory,
      openLog: () => Promise.resolve(log),
      writeRecoveryPoint: () => Promise.resolve(),
      writeLogStart: () => Promise.resolve(),
      removeLater: () => undefined,
    });
    const { voters: [only = ALONE] } = startConfiguration(storage.found, {
      voters: [ALONE],
      learners: [],
    });
    const quorum = await MetadataQuorum.alone(storage, only, tools);
    await quorum.lead();
    return quorum;
  }

  /**
   * A quorum in which this node votes alone: the image holds all that is in the log, and nothing is
   * written before `lead`. Throws `MetadataCorrupt`, `LogFault` or a `DiskFault`.
   */
  static async alone(
    storage: RaftStorage,
    self: Voter,
    tools: Pick<QuorumTools, "clock" | "random" | "trace" | "onDiskFault"> & {
      readonly onCorrupt?: (fault: MetadataCorrupt | LogFault) => void;
      readonly snapshots?: NonNullable<RaftNodeOptions["snapshots"]>;
    },
  ): Promise<MetadataQuorum> {
    return await MetadataQuorum.over({
      onCorrupt: () => undefined, // told by `lead`
      ...tools,
      storage,
      self,
      bootstrap: { voters: [self], learners: [] },
      transport: NO_TRANSPORT,
    });
  }

  /** Over what a start found; `node.start()` begins. */
  static async over(options: Omit<RaftNodeOptions, "state">): Promise<MetadataQuorum> {
    const state = new AppliedImage(options.clock);
    return new MetadataQuorum(await RaftNode.open({ ...options, state }), state);
  }

  private constructor(node: RaftNode, state: AppliedImage) {
    this.node = node;
    this.state = state;
  }

  /** Begins, and resolves when this node leads; throws what keeps it from that, and lets go of all. */
  async lead(): Promise<void> {
    try {
      if (!this.node.votesAlone) throw notAlone(this.node.status());
      this.node.start();
      await this.node.whenReady();
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  get image(): ClusterImage {
    return this.state.image;
  }

  get appliedOffset(): Offset {
    return this.state.appliedOffset;
  }

  /** Leads, and may decide. */
  get isLeader(): boolean {
    return this.node.softState.isReadyToDecide;
  }

  /** Who leads, as far as is known here. */
  leader(): { readonly id: number; readonly term: number } | undefined {
    const { leader, term } = this.node.softState;
    return leader === undefined ? undefined : { id: leader.id, term };
  }

  onReplayed(listener: ReplayListener): void {
    this.state.onReplayed(listener);
  }

  onImageReplaced(listener: ReplaceListener): void {
    this.state.onImageReplaced(listener);
  }

  whenApplied(offset: Offset, timeoutMs: number): Promise<boolean> {
    return this.state.whenApplied(offset, timeoutMs);
  }

  /**
   * Runs a decision when all earlier ones are in the image; resolves when its own records are. Rejects
   * with `NotController` where this node does not decide, or stopped doing so meanwhile (`isDefinite`);
   * with a `DiskFault` where its records could not be written: nothing was decided then.
   */
  propose<Reply>(decide: (image: ClusterImage) => Decision<Reply>): Promise<Reply> {
    const turn = this.#last.then(() => this.#commit(decide));
    this.#last = turn.catch(() => undefined); // the proposer hears of it; the next decision goes on
    return turn;
  }

  /** Resolves when the image holds all that was decided before this call. */
  async readBarrier(): Promise<void> {
    const offset = await this.node.readIndex();
    const isApplied = await this.state.whenApplied(offset, APPLY_MS);
    if (!isApplied) throw new NotController(undefined, true);
  }

  /**
   * Waits for decisions under way, then closes the log cleanly. One that waits for room is not waited
   * for: its proposer hears that it could not be made durable, and the next start decides.
   */
  async close(): Promise<void> {
    const closed = this.node.close();
    await Promise.all([this.#last, closed]);
  }

  /** Lets go of the log as it is. */
  abandon(): void {
    this.node.abandon();
  }

  async #commit<Reply>(decide: (image: ClusterImage) => Decision<Reply>): Promise<Reply> {
    if (!this.isLeader) throw new NotController(this.leader()?.id, true);
    const { records, reply } = decide(this.image);
    if (records.length === 0) await this.readBarrier();
    else {
      const baseOffset = await this.node.proposeRecords(records);
      assert(
        this.appliedOffset > baseOffset,
        "a proposer is answered when its records are applied",
      );
    }
    return reply;
  }
}

/** It would wait for an election that it can never win. */
function notAlone({ self, configuration }: RaftStatus): MetadataCorrupt {
  const told = configuration.voters.map(({ id, directoryId }) =>
    `${id} (directory ${directoryId})`
  );
  return new MetadataCorrupt(
    `Cannot decide alone as node ${self.id} (directory ${self.directoryId}): the metadata log names ` +
      `as voters ${told.join(", ")}; nothing was changed. Start it with the settings and the log ` +
      "directories of that quorum",
  );
}
