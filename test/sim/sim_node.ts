/**
 * A broker node of production code on a machine of the simulation, with somebody who starts it again
 * when it has ended.
 */
import { Broker, type BrokerStop } from "../../src/broker/broker.ts";
import type { Env } from "../../src/env/env.ts";
import { BufferPool } from "../../src/ground/buffer_pool.ts";
import { textOf } from "../../src/ground/text.ts";
import type { Prng } from "../../src/ground/prng.ts";
import type { LogManager } from "../../src/runtime/log_manager.ts";
import { MetadataQuorum } from "../../src/runtime/quorum/metadata_quorum.ts";
import type { OpenMetadata } from "../../src/runtime/quorum/metadata_view.ts";
import { DurableEnds } from "./durable_ends.ts";
import { DiskMedia, type PowerLoss } from "./env/disk_media.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SimProcess } from "./sim_process.ts";

export interface SimNodeOptions {
  readonly process: SimProcess;
  readonly scheduler: Scheduler;
  /** As of its next start: an operator may have changed them. */
  readonly settings: () => ReadonlyMap<string, string>;
  /** Its role is that of a controller, alone or beside that of a broker. */
  readonly mayVote: boolean;
  readonly isBroker: boolean;
  readonly onPowerLoss: () => void;
  readonly onBroken: (what: string, message: string) => void;
}

export type NodePhase = "down" | "starting" | "serving" | "stopping";

export const KAFKA_PORT = 9092;
const FRAME_POOL_BYTES = 1 << 20;
const START_AGAIN_US = 500_000;
export const METADATA_FOLDER = "/data/__cluster_metadata-0";

export class SimNode {
  readonly process: SimProcess;
  readonly address: string;
  readonly mayVote: boolean;
  readonly isBroker: boolean;
  phase: NodePhase = "down";
  env: Env | undefined;
  /** Of the running life, once they are open. */
  logs: LogManager | undefined;
  /** Why the last life ended, where the program itself did. */
  lastEnd = "";
  startCount = 0;
  /** Nobody starts it again until it is released: its disk is in somebody's hands. */
  isHeld = false;
  /** Over its settings, from its next start on. */
  readonly extraSettings = new Map<string, string>();
  /** Since when it has not served; undefined while it does. */
  downSinceUs: number | undefined = 0;
  /** It must not start with the disk that it has, or need not; why is told so. */
  #refusal: RegExp | undefined;
  #mayServe = false;
  #filesBefore: ReadonlySet<string> = new Set();
  /** How far the metadata log was durable on disks that are gone. */
  lostMetadataEnd = 0;
  /** Directories that went with those disks: nobody may act in their names any more. */
  readonly lostDirectoryIds = new Set<string>();
  readonly #ends = new DurableEnds();
  #broker: Broker | undefined;
  readonly #options: SimNodeOptions;

  constructor(options: SimNodeOptions) {
    this.#options = options;
    this.process = options.process;
    this.mayVote = options.mayVote;
    this.isBroker = options.isBroker;
    this.address = `${options.process.name}:${KAFKA_PORT}`;
  }

  get nowUs(): number {
    return this.#options.scheduler.nowUs;
  }

  /** Metadata of the running life, once it has any; also while it joins. */
  get metadata(): OpenMetadata | undefined {
    return this.#broker?.metadata;
  }

  /** The same where the node votes, or might. */
  get quorum(): MetadataQuorum | undefined {
    const metadata = this.#broker?.metadata;
    return metadata instanceof MetadataQuorum ? metadata : undefined;
  }

  /** Leads the quorum, and may decide, for all that it knows. */
  get isActiveController(): boolean {
    return this.quorum?.isLeader === true;
  }

  /** Up to where a loss of power would leave the metadata log, or would have left it on a lost disk. */
  metadataEnd(): number {
    return Math.max(this.#ends.of(this.process.media, METADATA_FOLDER) ?? 0, this.lostMetadataEnd);
  }

  start(): void {
    if (this.process.isUp || this.isHeld || this.process.isLost) return;
    const { life, env } = this.process.begin();
    this.env = env;
    this.phase = "starting";
    this.startCount++;
    // Poisoned: a handler that keeps a view of its request is found.
    const framePool = new BufferPool({ bytesMax: FRAME_POOL_BYTES, isPoisoned: true });
    const settings = new Map([...this.#options.settings(), ...this.extraSettings]);
    const broker = new Broker({ env, settings, framePool });
    this.#broker = broker;
    const ifAlive = (action: () => void): void => {
      if (life.isAlive) action();
    };
    broker.start().then(
      () => ifAlive(() => this.#onServing()),
      (error: unknown) => ifAlive(() => this.#onExit(`start: ${String(error)}`)),
    );
    void broker.stopped.then((stop) => ifAlive(() => this.#onStopped(stop)));
  }

  /** The process dies and is started again later. */
  kill(downUs: number): boolean {
    if (!this.process.isUp) return false;
    this.#forget();
    this.process.kill();
    this.#startLater(downUs);
    return true;
  }

  losePower(loss: PowerLoss, chance: Prng, downUs: number): boolean {
    if (this.isHeld || this.isRefusing) return false;
    const wasUp = this.process.isUp;
    this.#forget();
    this.process.losePower(loss, chance);
    this.#options.onPowerLoss();
    if (wasUp) this.#startLater(downUs);
    return true;
  }

  /** Down until `release`. */
  hold(): void {
    this.isHeld = true;
    this.#forget();
    this.process.kill();
  }

  release(): void {
    this.isHeld = false;
    this.start();
  }

  get isRefusing(): boolean {
    return this.#refusal !== undefined;
  }

  /**
   * It is started with what somebody has done to its disk, and must end at once with such words; or may
   * start, where it has what it needs twice.
   */
  expectRefusal(words: RegExp, mayServe = false): void {
    this.#refusal = words;
    this.#mayServe = mayServe;
    this.#filesBefore = this.#files();
    this.release();
  }

  endRefusal(): void {
    this.#refusal = undefined;
    this.release();
  }

  #files(): ReadonlySet<string> {
    const paths = [...this.process.media.files()].map(({ path }) => path);
    // The mark of a clean stop holds for one start, and what shall be deleted is.
    return new Set(paths.filter((path) => !/\.(cleanshutdown|deleted|tmp)$/.test(path)));
  }

  /** What was wrong with the way in which it refused to start. */
  #judgeRefusal(reason: string): void {
    // A disk that is broken besides has something else to say.
    if (this.#refusal === undefined || reason.includes("simulated fault")) return;
    const { onBroken } = this.#options;
    if (!this.#refusal.test(reason)) onBroken("a clear message", `${this.process.name}: ${reason}`);
    const files = this.#files();
    const gone = [...this.#filesBefore].filter((path) => !files.has(path));
    if (gone.length > 0) onBroken("nothing is deleted", `${this.process.name}: ${gone.join(", ")}`);
  }

  /** Its disk is exchanged for an empty one while it is held. */
  loseDisk(): void {
    this.lostMetadataEnd = this.metadataEnd();
    const directoryId = this.directoryId();
    if (directoryId !== undefined) this.lostDirectoryIds.add(directoryId);
    this.process.media = new DiskMedia();
  }

  /** What the identity file on its disk says. */
  directoryId(): string | undefined {
    for (const { path, file } of this.process.media.files()) {
      if (path !== "/data/meta.properties") continue;
      return /^directory\.id=(.*)$/m.exec(textOf(file.cached.view()))?.[1];
    }
    return undefined;
  }

  stopGracefully(downUs: number): boolean {
    if (this.phase !== "serving") return false;
    const { life } = this.process;
    this.phase = "stopping";
    this.#broker?.stop().then(() => {
      if (life?.isAlive === true) this.kill(downUs);
    });
    return true;
  }

  #onServing(): void {
    this.phase = "serving";
    this.downSinceUs = undefined;
    if (this.#refusal === undefined) return;
    if (this.#mayServe) {
      this.#refusal = undefined;
      return;
    }
    this.#options.onBroken(
      "a damaged node does not start",
      `${this.process.name} serves with a disk that is not its own, or not whole`,
    );
  }

  #onStopped(stop: BrokerStop): void {
    if (stop.kind === "failed" && this.phase !== "starting") this.#onExit(`failed: ${stop.reason}`);
  }

  #onExit(reason: string): void {
    this.lastEnd = reason;
    if (this.phase === "starting") this.#judgeRefusal(reason);
    const { scheduler } = this.#options;
    scheduler.note(this.process.name, { atUs: scheduler.nowUs, label: "EXIT", detail: reason });
    this.kill(START_AGAIN_US);
  }

  #forget(): void {
    this.phase = "down";
    this.downSinceUs = this.nowUs;
    this.#broker = undefined;
    this.logs = undefined;
    this.env = undefined;
    this.process.faults.callsLeft = -1;
  }

  #startLater(downUs: number): void {
    this.#options.scheduler.after(downUs, { label: "start" }, () => this.start());
  }
}
