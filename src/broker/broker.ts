/**
 * A node, assembled: settings, log directories, its place in the cluster, partitions, door.
 *
 *     settings ─► directories ─► metadata ─► partitions ─► registered ─► unfenced ─► serving
 *                                   │ where others vote too: the door opens for them, the node
 *                                   └ registers and catches up before it opens its partitions
 *
 * Order of a stop: leadership is handed over where there is somebody, members of groups are sent away,
 * the door is closed, requests under way finish, logs are made durable and closed, the clean mark is
 * written last.
 * Longer than most: it is the order of a start and of an end.
 */
import { ErrorCode } from "../api/error_code.ts";
import type { DiskFault } from "../env/disk.ts";
import type { Env } from "../env/env.ts";
import type { Address } from "../env/network.ts";
import { BufferPool } from "../ground/buffer_pool.ts";
import { type Uuid, uuidFromEntropy } from "../ground/uuid.ts";
import type { ListenerAddress } from "../metadata/record.ts";
import { Background } from "../runtime/background.ts";
import { BrokerSettings } from "../runtime/broker_settings.ts";
import { UnreadEnds } from "../runtime/coordinator/unread_ends.ts";
import { LogManager, type MetadataDirectories } from "../runtime/log_manager.ts";
import { LoopDelay } from "../runtime/loop_delay.ts";
import type { OpenMetadata } from "../runtime/quorum/metadata_view.ts";
import { formatAddress } from "./addresses.ts";
import type { BrokerContext } from "./broker_context.ts";
import { BrokerFault, brokerFault } from "./broker_fault.ts";
import { BrokerLifecycle, takenFault } from "./broker_lifecycle.ts";
import { BrokerMetrics } from "./broker_metrics.ts";
import { ClusterNode } from "./cluster_node.ts";
import { observeController } from "./controller_metrics.ts";
import { observeBackground, observeDirectories } from "./disk_metrics.ts";
import { Dispatch } from "./dispatch.ts";
import { Door } from "./door.ts";
import { FrameRouter } from "./frame_router.ts";
import { Gate } from "./gate.ts";
import { GroupMetrics } from "./group_metrics.ts";
import { HANDLERS } from "./handlers.ts";
import { type BrokerState, httpRoutes } from "./http_routes.ts";
import { advertisedOf, listenersOf, type NamedListener, withBoundPorts } from "./listeners.ts";
import { newContext, Self } from "./new_context.ts";
import { lifecycleCalls } from "./lifecycle_calls.ts";
import { type NodePlan, planOf, refuseUnformatted } from "./node_plan.ts";
import { tellOfOffline } from "./offline_notice.ts";

export { BrokerSettings };

export interface BrokerOptions {
  readonly env: Env;
  readonly settings: ReadonlyMap<string, string>;
  /** Memory for frames; tests hand in one that is poisoned. */
  readonly framePool?: BufferPool;
  /** What other nodes are told of this program. */
  readonly release?: string;
}

/** How a broker came to its end. */
export type BrokerStop =
  | { readonly kind: "graceful" }
  | { readonly kind: "halted" }
  | { readonly kind: "failed"; readonly reason: string; readonly fault: BrokerFault };

/** What a start works with. */
interface Start {
  readonly plan: NodePlan;
  readonly listeners: readonly NamedListener[];
  /** Empty where the node is no broker. */
  readonly advertised: readonly ListenerAddress[];
}

/** Memory for frames that is kept ready, for all connections. */
const FRAME_POOL_BYTES_MAX = 8 * 1024 * 1024;
const RELEASE = "0.1.0";
/** A stop waits so long at most for other nodes to take over, within `mq.stop.timeout.ms`. */
const LEAVE_MS_MAX = 5000;
const HAND_OVER_MS_MAX = 1000;
const TELL_MS = 60_000;
/** To a node that asks before the partitions are open. */
const NO_ENDS = { errorCode: ErrorCode.BrokerNotAvailable, ends: [] };

export class Broker {
  readonly settings: BrokerSettings;
  readonly metrics = new BrokerMetrics();
  readonly routes: ReturnType<typeof httpRoutes>;
  /** Settled when the broker has ended, of itself or because it was told to. */
  readonly stopped: Promise<BrokerStop>;
  readonly #env: Env;
  readonly #framePool: BufferPool;
  readonly #release: string;
  readonly #loopDelay: LoopDelay;
  readonly #incarnationId: Uuid;
  readonly #router = new FrameRouter();
  readonly #gate = new Gate();
  #settle: (stop: BrokerStop) => void = () => undefined;
  #state: BrokerState = "starting";
  #logs: LogManager | undefined;
  #node: ClusterNode | undefined;
  #dispatch: Dispatch | undefined;
  #lifecycle: BrokerLifecycle | undefined;
  #door: Door | undefined;
  #bound: readonly Address[] = [];
  #groups: BrokerContext["groups"] | undefined;
  #groupMetrics: GroupMetrics | undefined;
  #unreadEnds: UnreadEnds | undefined;
  #background: Background | undefined;
  /** Of the last clean stop, as the next registration tells it. */
  #directories: Pick<MetadataDirectories, "directoryIds" | "lastBrokerEpoch"> | undefined;
  #onLeaderKnown: () => void = () => undefined;
  #isEnded = false;
  /** Why a start did not come to its end. */
  #endedBy = new BrokerFault("IO", "Stopped before it was serving", "start it again");
  #stopping: Promise<void> | undefined;

  /** Throws a `BrokerFault` for the first setting that is wrong; tells of unknown ones. */
  constructor({ env, settings, framePool, release }: BrokerOptions) {
    this.#env = env;
    this.#framePool = framePool ?? new BufferPool({ bytesMax: FRAME_POOL_BYTES_MAX });
    this.#release = release ?? RELEASE;
    this.#incarnationId = uuidFromEntropy(env.crypto.randomBytes(16));
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
      prepareMetrics: () => this.#groupMetrics?.prepare(),
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

  get state(): BrokerState {
    return this.#state;
  }

  /** Whether this node decides for the cluster now, as far as it knows. */
  get isActiveController(): boolean {
    return this.#node?.isActiveController === true;
  }

  /** Metadata as this node has it; undefined while it has none. */
  get metadata(): OpenMetadata | undefined {
    return this.#node?.view;
  }

  /** What is known here of the quorum; undefined on a node without the role of a controller. */
  get raft(): BrokerContext["raft"] {
    return this.#node?.raft;
  }

  /** Serves when it resolves, with the address that clients are told. Throws a `BrokerFault`. */
  async start(): Promise<Address> {
    const plan = planOf(this.settings);
    const listeners = listenersOf(this.settings, plan);
    const advertised = plan.isBroker ? advertisedOf(this.settings, listeners) : [];
    const directories = this.#directoriesOf();
    try {
      refuseUnformatted(this.#env.disk, directories, { settings: this.settings, plan });
      const start = { plan, listeners, advertised };
      const logs = await this.#openLogs(directories, start);
      this.#logs = logs;
      this.#mustGoOn();
      const broker = this.#assemble(logs, plan);
      if (this.#door === undefined) await this.#openDoor(start);
      this.#mustGoOn();
      if (plan.isBroker) await this.#register(start);
      this.#mustGoOn();
      return this.#serve(broker, logs, this.#toldAddress(start));
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
    this.#letGo();
  }

  #letGo(): void {
    this.#router.abandon();
    this.#gate.abandon();
    this.#lifecycle?.stop();
    this.#node?.stop();
    this.#groups?.abandon();
    this.#background?.halt();
    this.#door?.destroy();
    if (this.#logs === undefined) this.#node?.view.abandon();
    else this.#logs.abandon();
    this.#onLeaderKnown();
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
    const endMs = this.#env.clock.monotonicMs() + timeoutMs;
    await this.#leave(timeoutMs);
    if (this.#isEnded) return;
    this.#groups?.stop(); // members that wait for others would hold the door open
    const leftMs = Math.max(endMs - this.#env.clock.monotonicMs(), 0);
    await Promise.all([this.#door?.close(leftMs), this.#background?.stop(leftMs)]);
    if (this.#isEnded) return; // the disk has failed meanwhile
    try {
      const self = this.#node?.view.image.broker(this.nodeId);
      this.#node?.stop();
      await this.#logs?.close(self?.brokerEpoch ?? -1);
      this.#env.trace.event("info", "stopped");
      this.#end({ kind: "graceful" });
    } catch (error) {
      this.#fail(brokerFault(error));
    }
  }

  /** Others take over what this node leads, while it can still be reached. */
  async #leave(timeoutMs: number): Promise<void> {
    if (this.#node?.isOnlyVoter !== true) {
      await this.#lifecycle?.leave(Math.min(timeoutMs, LEAVE_MS_MAX));
      await this.#node?.handOver(Math.min(timeoutMs, HAND_OVER_MS_MAX));
    }
    this.#lifecycle?.stop();
  }

  #directoriesOf(): readonly string[] {
    const directories = this.settings.get("log.dirs") ?? [this.settings.get("log.dir") ?? ""];
    if (directories.length > 0 && !directories.includes("")) return directories;
    throw new BrokerFault(
      "BAD_SETTING",
      "Cannot start without log.dirs",
      "name a data directory",
    );
  }

  #openLogs(directories: readonly string[], start: Start): Promise<LogManager> {
    return LogManager.open({
      env: this.#env,
      settings: this.settings,
      directories,
      fsyncSeconds: this.metrics.fsyncSeconds,
      appendErrors: this.metrics.appendErrors,
      onFailed: (fault) => this.#onFailed(fault),
      onTopicRemoved: (topic) => this.metrics.forgetTopic(topic),
      openMetadata: (source) => this.#openMetadata(source, start),
    });
  }

  /** Resolves when the image is as new as this node needs it to open its partitions. */
  async #openMetadata(source: MetadataDirectories, start: Start): Promise<OpenMetadata> {
    const { plan, listeners, advertised } = start;
    const storage = plan.isController ? await source.openStorage() : undefined;
    const { directoryIds, lastBrokerEpoch } = source;
    this.#directories = { directoryIds, lastBrokerEpoch };
    const node = await ClusterNode.open({
      env: this.#env,
      settings: this.settings,
      plan,
      release: this.#release,
      incarnationId: this.#incarnationId,
      clusterId: source.clusterId,
      directoryId: source.directoryId,
      address: advertised[0] ?? (listeners[0] as NamedListener).address,
      ownAddress: () => this.#ownAddress(start),
      storage,
      onDiskFault: (fault) => {
        source.onDiskFault(fault);
        // Also where only one file cannot be read, or nobody listens to the disk yet: nothing votes here now.
        if (!this.#isEnded) this.#onFailed(fault);
      },
      onCorrupt: (fault) => this.#onFatal(brokerFault(fault)),
      onDuplicate: () => this.#onFatal(takenFault(this.nodeId, "the active controller")),
      onLeaderChange: () => this.#onLeaderChange(),
      onForwarded: () => {
        const dispatch = this.#dispatch;
        return dispatch === undefined ? undefined : (frame) => dispatch.onForwarded(frame);
      },
      onUnread: (nodeId, request) => {
        return this.#unreadEnds?.answer(nodeId, request) ?? Promise.resolve(NO_ENDS);
      },
    });
    this.#node = node;
    this.#router.takePeers(node.services);
    try {
      this.#mustGoOn();
      if (node.isOnlyVoter) {
        node.start();
        await node.whenLeading();
      } else await this.#join(node, start);
      return node.view;
    } catch (error) {
      node.stop();
      node.view.abandon();
      throw error;
    }
  }

  /** Among others: reachable first, then registered, then as new as the registration. */
  async #join(node: ClusterNode, start: Start): Promise<void> {
    await this.#openDoor(start);
    this.#mustGoOn();
    node.start();
    if (!start.plan.isBroker) return await this.#untilLeaderKnown(node);
    this.#lifecycle = this.#newLifecycle(node, start);
    await this.#lifecycle.start();
    this.#mustGoOn();
    const offset = node.offsetBehind(this.#lifecycle.brokerEpoch);
    // deno-lint-ignore no-await-in-loop -- until it has come, however long that takes
    while (!await node.view.whenApplied(offset, TELL_MS)) {
      this.#mustGoOn();
      this.#env.trace.event("warn", "no metadata has come yet", { reason: node.whyBehind() });
    }
    this.#mustGoOn();
  }

  async #untilLeaderKnown(node: ClusterNode): Promise<void> {
    while (node.leaderId() === undefined && !this.#isEnded) {
      // deno-lint-ignore no-await-in-loop -- until there is one
      await new Promise<void>((resolve) => this.#onLeaderKnown = resolve);
    }
    this.#mustGoOn();
  }

  /** The only voter registers when its partitions are open, any other node has done so before. */
  async #register(start: Start): Promise<void> {
    const node = this.#node as ClusterNode;
    const isRegistered = this.#lifecycle !== undefined;
    const lifecycle = this.#lifecycle ??= this.#newLifecycle(node, start);
    const serving = lifecycle.serve();
    if (!isRegistered) await lifecycle.start();
    await serving;
  }

  #newLifecycle(node: ClusterNode, start: Start): BrokerLifecycle {
    const { clock, random, trace } = this.#env;
    const nodeId = this.nodeId;
    return new BrokerLifecycle({
      nodeId,
      clock,
      random,
      trace,
      heartbeatMs: this.settings.get("broker.heartbeat.interval.ms"),
      sessionMs: this.settings.get("broker.session.timeout.ms"),
      onFailed: (fault) => this.#onFatal(fault),
      calls: lifecycleCalls({
        settings: this.settings,
        node,
        incarnationId: this.#incarnationId,
        directories: this.#directories ?? { directoryIds: [], lastBrokerEpoch: -1 },
        listeners: () => withBoundPorts(start.advertised, start.listeners, this.#bound),
      }),
    });
  }

  async #openDoor({ listeners }: Start): Promise<void> {
    this.#door = new Door({
      env: this.#env,
      settings: this.settings,
      metrics: this.metrics,
      pool: this.#framePool,
      dispatch: (frame, connection) => this.#router.onFrame(frame, connection),
    });
    this.#bound = await this.#door.open(listeners);
  }

  #assemble(logs: LogManager, plan: NodePlan): BrokerContext {
    const node = this.#node as ClusterNode;
    this.metrics.observe(node.view.image, logs.partitions);
    observeDirectories(this.metrics.metrics, logs);
    observeController(this.metrics.metrics, node);
    this.#background = new Background({ env: this.#env, settings: this.settings, logs });
    observeBackground(this.metrics.metrics, this.#background, logs.reads);
    const self = new Self({ brokerId: this.nodeId, incarnationId: this.#incarnationId, plan });
    self.follow(node.view);
    node.view.onReplayed((record) => {
      if (record.kind !== "unregister-broker" || record.brokerId !== this.nodeId) return;
      this.#lifecycle?.onUnregistered(record.brokerEpoch);
    });
    const served = HANDLERS.filter(({ isOfEveryNode }) => plan.isBroker || isOfEveryNode === true);
    const broker = newContext({
      env: this.#env,
      settings: this.settings,
      node,
      self,
      logs,
      retention: this.#background.retention,
      metrics: this.metrics,
      served: served.map(({ api }) => api),
      brokerEpoch: () => this.#lifecycle?.brokerEpoch ?? -1,
    });
    this.#groups = broker.groups;
    const { partitions } = logs;
    const { image } = node.view;
    this.#unreadEnds = new UnreadEnds({ clock: this.#env.clock, image, partitions });
    this.#groupMetrics = new GroupMetrics({
      nodeId: this.nodeId,
      env: this.#env,
      groups: broker.groups,
      image,
      partitions,
      askUnread: (nodeId, request) => node.askUnread(nodeId, request),
      stuckMs: this.settings.get("mq.group.stuck.ms"),
    });
    this.#groupMetrics.observe(this.metrics.metrics);
    this.#dispatch = new Dispatch({ broker, handlers: HANDLERS, gate: this.#gate });
    this.#router.takeClients(this.#dispatch);
    return broker;
  }

  /** Where other nodes find this one, if it takes them where clients come too. */
  #ownAddress({ plan, listeners, advertised }: Start): Address | undefined {
    const named = plan.voters.find(({ id }) => id === plan.nodeId);
    if (named !== undefined) return { host: named.host, port: named.port };
    const at = listeners.findIndex(({ scope }) => scope !== "clients");
    const bound = this.#bound[at];
    if (bound === undefined) return undefined;
    const told = withBoundPorts(advertised, listeners, this.#bound)
      .find(({ name }) => name === listeners[at]?.name);
    const { host } = told ?? bound;
    return host === "0.0.0.0" || host === "::" ? undefined : { host, port: (told ?? bound).port };
  }

  #toldAddress({ advertised, listeners }: Start): Address {
    const [first] = withBoundPorts(advertised, listeners, this.#bound);
    return first === undefined ? this.#bound[0] as Address : { host: first.host, port: first.port };
  }

  #serve(broker: BrokerContext, logs: LogManager, address: Address): Address {
    this.#state = "serving";
    if (broker.self.isBroker) broker.groups.start();
    this.#gate.open();
    this.#loopDelay.start();
    this.#background?.start();
    tellOfOffline(this.#env.trace, logs.partitions);
    this.#env.trace.event("info", "serving", {
      kafka: formatAddress(address),
      clusterId: broker.clusterId,
      nodeId: broker.brokerId,
      topics: [...broker.image.topics()].length,
    });
    return address;
  }

  #onLeaderChange(): void {
    this.#lifecycle?.onLeaderChange();
    this.#onLeaderKnown();
  }

  /** The disk that the broker cannot do without is gone. */
  #onFailed(fault: DiskFault): void {
    this.#env.trace.event("error", "the log directory has failed", {
      path: fault.path,
      error: fault.message,
    });
    this.#onFatal(brokerFault(fault));
  }

  /** The node cannot go on, whatever it was doing. */
  #onFatal(fault: BrokerFault): void {
    this.#fail(fault);
    this.#letGo();
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
