/**
 * A broker, assembled: settings, log directories, metadata quorum, partitions, door.
 *
 * Order of a start: settings are judged, directories are locked and their logs recovered, metadata is
 * replayed, the door is opened, the broker registers itself; only then is it told to be serving.
 * Order of a stop: the door is closed, requests under way finish, logs are made durable and closed, the
 * clean mark is written last.
 */
import type { Env } from "../env/env.ts";
import type { DiskFault } from "../env/disk.ts";
import type { Address } from "../env/network.ts";
import { BufferPool } from "../ground/buffer_pool.ts";
import { uuidFromEntropy } from "../ground/uuid.ts";
import { decideRegisterBroker } from "../metadata/decide/register_broker.ts";
import { compressWith, decompressWith } from "../record/compression.ts";
import { Background } from "../runtime/background.ts";
import type { AppendTools } from "../runtime/partition_append.ts";
import { BrokerSettings } from "../runtime/broker_settings.ts";
import { LogManager } from "../runtime/log_manager.ts";
import { LoopDelay } from "../runtime/loop_delay.ts";
import { ProducerIds } from "../runtime/producer_ids.ts";
import { addressesOf, clientListeners, formatAddress, withPort } from "./addresses.ts";
import type { BrokerContext } from "./broker_context.ts";
import { BrokerFault, brokerFault } from "./broker_fault.ts";
import { BrokerMetrics } from "./broker_metrics.ts";
import { observeBackground, observeDirectories } from "./disk_metrics.ts";
import { Dispatch } from "./dispatch.ts";
import { Door } from "./door.ts";
import { type BrokerState, httpRoutes } from "./http_routes.ts";
import { tellOfOffline } from "./offline_notice.ts";

export { BrokerSettings };

export interface BrokerOptions {
  readonly env: Env;
  readonly settings: ReadonlyMap<string, string>;
  /** Memory for frames; tests hand in one that is poisoned. */
  readonly framePool?: BufferPool;
}

/** How a broker came to its end. */
export type BrokerStop =
  | { readonly kind: "graceful" }
  | { readonly kind: "halted" }
  | { readonly kind: "failed"; readonly reason: string; readonly fault: BrokerFault };

/** Memory for frames that is kept ready, for all connections. */
const FRAME_POOL_BYTES_MAX = 8 * 1024 * 1024;

export class Broker {
  readonly settings: BrokerSettings;
  readonly metrics = new BrokerMetrics();
  readonly routes: ReturnType<typeof httpRoutes>;
  /** Settled when the broker has ended, of itself or because it was told to. */
  readonly stopped: Promise<BrokerStop>;
  readonly #env: Env;
  readonly #framePool: BufferPool;
  readonly #loopDelay: LoopDelay;
  #settle: (stop: BrokerStop) => void = () => undefined;
  #state: BrokerState = "starting";
  #logs: LogManager | undefined;
  #door: Door | undefined;
  #background: Background | undefined;
  #isEnded = false;
  /** Why a start did not come to its end. */
  #endedBy = new BrokerFault("IO", "Stopped before it was serving", "start it again");
  #stopping: Promise<void> | undefined;

  /** Throws a `BrokerFault` for the first setting that is wrong; tells of unknown ones. */
  constructor({ env, settings, framePool }: BrokerOptions) {
    this.#env = env;
    this.#framePool = framePool ?? new BufferPool({ bytesMax: FRAME_POOL_BYTES_MAX });
    this.settings = new BrokerSettings(settings);
    for (const problem of this.settings.problems()) {
      if (problem.kind === "invalid") {
        throw new BrokerFault("BAD_SETTING", problem.message, `correct ${problem.name}`);
      }
      env.trace.event("warn", problem.message);
    }
    this.routes = httpRoutes(this.metrics, {
      state: () => this.#state,
      directories: () => this.#logs?.directories() ?? [],
      offlinePartitions: () => this.#logs?.partitions.offlineCount() ?? 0,
    });
    this.#loopDelay = new LoopDelay(env.clock, this.metrics.loopDelaySeconds);
    this.stopped = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get clusterId(): string {
    return this.#logs?.clusterId ?? "";
  }

  get nodeId(): number {
    return this.settings.get("node.id");
  }

  /** Serves when it resolves, with the address that clients are told. Throws a `BrokerFault`. */
  async start(): Promise<Address> {
    mustStandAlone(this.settings);
    const listeners = addressesOf(clientListeners("listeners", this.settings));
    const advertised = this.#advertised(listeners);
    try {
      const logs = await this.#openLogs();
      this.#logs = logs;
      this.#mustGoOn();
      const broker = this.#assemble(logs);
      const dispatch = new Dispatch(broker);
      this.#door = new Door({
        env: this.#env,
        settings: this.settings,
        metrics: this.metrics,
        pool: this.#framePool,
        dispatch: (frame, connection) => dispatch.onFrame(frame, connection),
      });
      const bound = await this.#door.open(listeners);
      this.#mustGoOn();
      return await this.#serve(broker, logs, withPort(advertised, bound[0] as Address));
    } catch (error) {
      // What was let go of meanwhile fails in ways that say nothing of why.
      const ended = this.#isEnded ? this.#endedBy : undefined;
      this.halt();
      throw ended ?? brokerFault(error);
    }
  }

  /** Stops gracefully; the second call waits for the same stop. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Stops at once, as a crash would: no log is closed, nothing more is answered. */
  halt(): void {
    this.#end({ kind: "halted" });
    this.#background?.halt();
    this.#door?.destroy();
    this.#logs?.abandon();
  }

  /** Somebody may have stopped the broker, or a disk ended it, while it was starting. */
  #mustGoOn(): void {
    if (this.#isEnded) throw this.#endedBy;
  }

  async #stop(): Promise<void> {
    if (this.#state !== "serving") {
      this.halt();
      return;
    }
    this.#state = "stopping";
    this.#env.trace.event("info", "stopping");
    const timeoutMs = this.settings.get("mq.stop.timeout.ms");
    await Promise.all([this.#door?.close(timeoutMs), this.#background?.stop(timeoutMs)]);
    if (this.#isEnded) return; // the disk has failed meanwhile
    try {
      const self = this.#logs?.quorum.image.broker(this.nodeId);
      await this.#logs?.close(self?.brokerEpoch ?? -1);
      this.#env.trace.event("info", "stopped");
      this.#end({ kind: "graceful" });
    } catch (error) {
      this.#fail(brokerFault(error));
    }
  }

  #openLogs(): Promise<LogManager> {
    const directories = this.settings.get("log.dirs") ?? [this.settings.get("log.dir") ?? ""];
    if (directories.length === 0 || directories.includes("")) {
      throw new BrokerFault(
        "BAD_SETTING",
        "Cannot start without log.dirs",
        "name a data directory",
      );
    }
    return LogManager.open({
      env: this.#env,
      settings: this.settings,
      directories,
      fsyncSeconds: this.metrics.fsyncSeconds,
      appendErrors: this.metrics.appendErrors,
      onFailed: (fault) => this.#onFailed(fault),
    });
  }

  #assemble(logs: LogManager): BrokerContext {
    this.metrics.observe(logs.quorum.image, logs.partitions);
    observeDirectories(this.metrics.metrics, logs);
    this.#background = new Background({ env: this.#env, settings: this.settings, logs });
    observeBackground(this.metrics.metrics, this.#background, logs.reads);
    return {
      env: this.#env,
      settings: this.settings,
      clusterId: logs.clusterId,
      brokerId: this.nodeId,
      image: logs.quorum.image,
      quorum: logs.quorum,
      partitions: logs.partitions,
      logs,
      retention: this.#background.retention,
      producerIds: new ProducerIds(logs.quorum, this.nodeId),
      appendTools: appendTools(this.#env, this.settings),
      metrics: this.metrics,
    };
  }

  async #serve(broker: BrokerContext, logs: LogManager, advertised: Address): Promise<Address> {
    const { host, port } = advertised;
    await logs.quorum.propose(() =>
      decideRegisterBroker({
        brokerId: this.nodeId,
        incarnationId: uuidFromEntropy(this.#env.crypto.randomBytes(16)),
        host,
        port,
        rack: this.settings.get("broker.rack") ?? null,
      })
    );
    this.#mustGoOn();
    this.#state = "serving";
    this.#loopDelay.start();
    this.#background?.start();
    tellOfOffline(this.#env.trace, logs.partitions);
    this.#env.trace.event("info", "serving", {
      kafka: formatAddress(advertised),
      clusterId: broker.clusterId,
      nodeId: broker.brokerId,
      topics: [...broker.image.topics()].length,
    });
    return advertised;
  }

  #advertised(listeners: readonly Address[]): Address {
    const given = clientListeners("advertised.listeners", this.settings);
    const [first] = given.length > 0 ? addressesOf(given) : listeners;
    const { host } = first as Address;
    if (host === "0.0.0.0" || host === "::") {
      throw new BrokerFault(
        "BAD_SETTING",
        `Cannot tell clients to connect to ${
          formatAddress(first as Address)
        }, which is every address`,
        "set advertised.listeners (--advertise HOST:PORT) to the address that clients can reach",
      );
    }
    return first as Address;
  }

  /** The disk that the broker cannot do without is gone. */
  #onFailed(fault: DiskFault): void {
    this.#env.trace.event("error", "the log directory has failed", {
      path: fault.path,
      error: fault.message,
    });
    this.#fail(brokerFault(fault));
    this.#background?.halt();
    this.#door?.destroy();
    this.#logs?.abandon();
  }

  #fail(fault: BrokerFault): void {
    if (!this.#isEnded) this.#endedBy = fault;
    this.#end({ kind: "failed", reason: fault.message, fault });
  }

  #end(stop: BrokerStop): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#state = stop.kind === "failed" ? "failed" : "stopping";
    this.#loopDelay.stop();
    this.#settle(stop);
  }
}

function appendTools(env: Env, settings: BrokerSettings): AppendTools {
  return {
    clock: env.clock,
    crc32c: env.crc32c,
    compress: compressWith(env.compressors),
    decompress: decompressWith(env.compressors),
    inflatedBytesMax: settings.get("mq.decompression.max.bytes"),
  };
}

/** A file that describes a cluster must not silently start something else. */
function mustStandAlone(settings: BrokerSettings): void {
  const roles = settings.get("process.roles");
  const isOneRole = !roles.includes("broker") || !roles.includes("controller");
  if (!isOneRole && (settings.get("controller.quorum.voters") ?? []).length <= 1) return;
  throw new BrokerFault(
    "BAD_SETTING",
    isOneRole
      ? `Cannot start a node that is only ${
        roles.join(", ") || "nothing"
      }: there are no clusters yet`
      : "Cannot join a quorum of several voters: there are no clusters yet",
    isOneRole
      ? "set process.roles=broker,controller"
      : "name this node alone in controller.quorum.voters, or leave it out",
  );
}
