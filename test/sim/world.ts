/**
 * One simulated world: nodes, clients, network, disks, what goes wrong, and what is checked.
 *
 *     safety     everything may go wrong; invariants hold, and every promise that was given is kept
 *     liveness   all is healed; every client must be able to do everything within a bound
 *
 * The whole run is one synchronous call; nothing is awaited that does not come from an `Env` of the
 * world. Longer than most: it is where all parts meet.
 */
import type { Address } from "../../src/env/network.ts";
import { Prng } from "../../src/ground/prng.ts";
import { Checks } from "./checks.ts";
import { describeQuorums, isQuorumWhole, whyClusterIsNotWell } from "./cluster_state.ts";
import { Coverage } from "./coverage.ts";
import type { DrainMicrotasks } from "./drain_microtasks.ts";
import { DiskFaults } from "./env/disk_faults.ts";
import type { OnTrace } from "./env/sim_env.ts";
import { DurableEnds } from "./durable_ends.ts";
import type { RecordPlace } from "./operation/operation.ts";
import { SimNetwork } from "./env/sim_network.ts";
import { withEqualRuntimes } from "./equal_runtimes.ts";
import { FAULTS } from "./fault/faults.ts";
import type { FaultName } from "./fault/fault_names.ts";
import { GroupKeeper } from "./group/group_keeper.ts";
import { isRead } from "./group/group_options.ts";
import { GroupWorld } from "./group/group_world.ts";
import { SimMember } from "./group/sim_member.ts";
import { HostUsed, withoutHost } from "./host_guard.ts";
import { allInvariants } from "./invariant/invariants.ts";
import { rolesOf } from "./layout.ts";
import type { Life } from "./life.ts";
import { loseForGood } from "./lose_for_good.ts";
import { Operator } from "./operator.ts";
import { plantBug } from "./plant.ts";
import { Scheduler } from "./scheduler.ts";
import { Shadow, TopicShadow } from "./shadow.ts";
import { SimClient } from "./sim_client.ts";
import { KAFKA_PORT, SimNode } from "./sim_node.ts";
import type { SimOptions } from "./sim_options.ts";
import { SimProcess } from "./sim_process.ts";
import { type Script, Stage } from "./stage.ts";
import { nodeSettings } from "./node_settings.ts";
import { watchAssertions } from "./watch_assertions.ts";
import { watchAnswers } from "./watch_answers.ts";
import { watchDecisions } from "./watch_decisions.ts";
import { ImagePositions } from "./watch_images.ts";
import { type TableChanges, watchNodes } from "./watch_nodes.ts";

export interface Failure {
  /** The invariant or promise that was broken; "liveness", "exception", "host". */
  readonly what: string;
  readonly message: string;
  readonly atMs: number;
}

export interface SimResult {
  readonly options: SimOptions;
  readonly hash: string;
  readonly failure: Failure | undefined;
  readonly eventCount: number;
  readonly simulatedMs: number;
  readonly faultCount: number;
  readonly coverage: ReadonlyMap<string, number>;
  /** The last events of every machine. */
  readonly trails: ReadonlyMap<string, readonly string[]>;
}

const US = 1000;
const WALL_MS = 1_750_000_000_000;
const LIVENESS_STEP_US = 100_000;
/** The default of `broker.session.timeout.ms`. */
const SESSION_MS = 9000;

export class World {
  readonly scheduler: Scheduler;
  readonly network: SimNetwork;
  readonly nodes: readonly SimNode[];
  readonly clients: readonly SimClient[];
  readonly operator: Operator;
  readonly groups: GroupWorld;
  /** Where clients find the nodes that serve them. */
  readonly brokers: readonly Address[];
  readonly shadow = new Shadow();
  readonly coverage = new Coverage();
  readonly options: SimOptions;
  readonly failuresOfTheDead = new WeakSet<object>();
  readonly #checks: Checks;
  readonly #tables: TableChanges = { count: 0 };
  readonly positions = new ImagePositions();
  readonly #ends = new DurableEnds();
  readonly #nodeOf = new Map<string, SimNode>();
  readonly #script: Script | undefined;
  #failure: Failure | undefined;
  #faultCount = 0;

  constructor(options: SimOptions, drain: DrainMicrotasks, script?: Script) {
    this.#script = script;
    const chance = new Prng(options.seed ^ 0x5eed);
    this.options = options;
    this.scheduler = new Scheduler(drain);
    this.network = new SimNetwork(this.scheduler, {
      ...options.network,
      giveUpUs: options.network.giveUpMs * US,
    }, chance.fork());
    const names = (prefix: string, count: number): readonly string[] => {
      return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
    };
    const nodeNames = names("n", options.nodes);
    this.nodes = nodeNames.map((name, index): SimNode => {
      const node: SimNode = new SimNode({
        process: this.#process(name, chance.fork()),
        scheduler: this.scheduler,
        settings: () => {
          const hasLostDisk = node.lostDirectoryIds.size > 0;
          return nodeSettings(options, nodeNames, { index, hasLostDisk });
        },
        ...rolesOf(options.layout, index),
        onPowerLoss: () => this.shadow.onPowerLoss(),
        onBroken: (what, message) => this.#fail(what, message),
      });
      return node;
    });
    const brokers = this.nodes.filter(({ isBroker }) => isBroker)
      .map(({ process: { name } }) => ({ host: name, port: KAFKA_PORT }));
    this.#checks = new Checks({
      invariants: allInvariants(this.nodes, this.#sessionMs),
      positions: this.positions,
      tables: this.#tables,
      onBroken: (invariant, message) => this.#fail(invariant, message),
    });
    for (const node of this.nodes) this.#nodeOf.set(node.process.name, node);
    this.clients = names("c", options.clients).map((name) => {
      return new SimClient({
        process: this.#process(name, chance.fork()),
        scheduler: this.scheduler,
        shadow: this.shadow,
        chance: chance.fork(),
        brokers,
        positions: this.positions,
        options,
        onDone: (operation, outcome) => this.coverage.add(`operation ${operation} ${outcome}`),
        onBroken: (error) => this.#onError(error),
        onDurable: (what, place) => this.#mustBeOnAMedium(what, place),
      });
    });
    this.operator = new Operator({
      process: this.#process("op", chance.fork()),
      nodes: this.nodes,
      brokers,
      options,
      onBroken: (error) => this.#onError(error),
    });
    this.brokers = brokers;
    this.groups = this.#groupWorld(chance);
  }

  /** Drawn behind all others: a world without groups is as it was. */
  #groupWorld(chance: Prng): GroupWorld {
    const { options: { groups = [], thinkMeanMs }, scheduler, shadow, brokers, nodes } = this;
    const world = new GroupWorld({
      groups,
      nodes,
      shadow,
      scheduler,
      onSeen: (what) => this.coverage.add(`groups: ${what}`),
      onBroken: (what, message) => this.#fail(what, message),
      onDurable: (what, place) => this.#mustBeOnAMedium(what, place),
    });
    world.members = groups.flatMap((group) =>
      Array.from({ length: group.members }, (_, index) => {
        return new SimMember({
          process: this.#process(`${group.groupId}m${index + 1}`, chance.fork()),
          scheduler,
          chance: chance.fork(),
          brokers,
          group,
          shadow,
          groups: world.shadow,
          thinkMeanMs,
          onBroken: (error) => this.#onError(error),
          onDone: (what, outcome) => this.coverage.add(`${what} ${group.protocol} ${outcome}`),
          onAssigned: (member, partitions) => world.onAssigned(member, partitions),
        });
      })
    );
    const { groupOperations: operations, settings } = this.options;
    world.shadow.mayExpire = "offsets.retention.minutes" in settings;
    if (operations !== undefined) {
      world.keeper = new GroupKeeper({
        process: this.#process("keeper", chance.fork()),
        scheduler,
        chance: chance.fork(),
        brokers,
        groupIds: groups.map(({ groupId }) => groupId),
        operations,
        shadow,
        groups: world.shadow,
        mayBeStale: nodes.length > 1,
        thinkMeanMs,
        rest: (groupId, isResting) => world.rest(groupId, isResting),
        onBroken: (error) => this.#onError(error),
        onDone: (what, outcome) => this.coverage.add(`group operation ${what} ${outcome}`),
      });
    }
    shadow.onDisksLost = () => world.shadow.forgive();
    return world;
  }

  /** Every second of the world. */
  #compareGroups(): void {
    if (this.groups.members.length === 0) return;
    this.groups.compare();
    this.scheduler.after(1_000_000, { label: "compare" }, () => this.#compareGroups());
  }

  run(): SimResult {
    const { scheduler } = this;
    const restore = watchNodes(this.#tables, (env, logs) => {
      for (const node of this.nodes) if (node.env === env) node.logs = logs;
    });
    const unwatch = watchAssertions((failure) => {
      // A program whose life ended in the middle of this very event may rely on what is gone.
      if (this.scheduler.life?.isAlive === false) this.failuresOfTheDead.add(failure);
      else this.#fail("assertion", `${failure.stack}`);
    });
    const unplant = plantBug(this); // below the watchers, which must see what it does
    const onBroken = (what: string, message: string): void => {
      if (!this.shadow.isDamaged && scheduler.life?.isAlive !== false) this.#fail(what, message);
    };
    this.positions.onBroken = onBroken;
    const unwatchImages = this.positions.watch(() => scheduler.life?.isAlive !== false);
    const unwatchDecisions = watchDecisions(this.nodes, onBroken);
    const unwatchAnswers = watchAnswers(onBroken);
    const unwatchGroups = this.groups.members.length > 0 ? this.groups.watch() : () => undefined;
    try {
      withEqualRuntimes(() => withoutHost((used) => this.#onError(used), () => this.#run()));
    } catch (error) {
      this.#onError(error);
    } finally {
      unwatchGroups();
      restore();
      unwatch();
      unwatchAnswers();
      unwatchDecisions();
      unwatchImages();
      unplant();
    }
    return this.#result();
  }

  #run(): void {
    const { scheduler, options } = this;
    scheduler.onEvent = (life) => this.#check(life);
    for (const { start } of this.#starters()) start();
    if (this.#script !== undefined) return this.#play(this.#script);
    if (this.nodes.length > 1) scheduler.after(0, { label: "start" }, () => this.operator.start());
    this.#compareGroups();
    this.#scheduleFault();
    scheduler.runUntil(options.safetyMs * US);
    if (this.#failure !== undefined) return;
    this.#heal();
    const endUs = scheduler.nowUs + options.livenessMs * US;
    while (this.#failure === undefined && scheduler.nowUs < endUs && !this.#isSatisfied()) {
      scheduler.runUntil(scheduler.nowUs + LIVENESS_STEP_US);
    }
    if (this.#failure !== undefined || this.shadow.isDamaged) return;
    if (this.#isSatisfied()) {
      this.#giveGroupsMore();
      return this.#failure === undefined ? this.#goOnWithoutOne() : undefined;
    }
    const states = this.nodes.map(({ process, phase, lastEnd }) =>
      `${process.name} ${phase} ${lastEnd}`
    );
    const waiting = [...this.clients, this.operator].filter(({ isSatisfied }) => !isSatisfied);
    this.#fail(
      "liveness",
      `${
        waiting.map(({ process, lastRefusal }) => `${process.name} (${lastRefusal})`).join(", ")
      } could not do everything within ` +
        `${options.livenessMs} ms of a healed world; ${states.join("; ")}; ${
          whyClusterIsNotWell(this.nodes) ?? this.groups.whyNotWell() ?? "the cluster is well"
        }; ${describeQuorums(this.nodes)}`,
    );
  }

  /**
   * A topic that members wait for comes, and gets one partition more, while groups stand still: nobody
   * joins or leaves, so nothing but the news of it can make them divide anew.
   */
  #giveGroupsMore(): void {
    const { scheduler, options, operator, groups, shadow } = this;
    if (groups.members.length === 0) return;
    const name = shadow.nextTopicName();
    if (!isRead(name)) return;
    for (const partitions of [1, 2]) {
      const topic = new TopicShadow(name, partitions, "quorum-fsync");
      topic.existence = "there";
      shadow.topics.set(name, topic);
      operator.widen(name, partitions);
      const endUs = scheduler.nowUs + options.livenessMs * US;
      const isWell = (): boolean => operator.isSatisfied && groups.whyNotWell() === undefined;
      while (this.#failure === undefined && scheduler.nowUs < endUs && !isWell()) {
        scheduler.runUntil(scheduler.nowUs + LIVENESS_STEP_US);
      }
      if (this.#failure !== undefined) return;
      if (isWell()) continue;
      const why = operator.isSatisfied ? groups.whyNotWell() : operator.lastRefusal;
      return this.#fail(
        "new partitions get an owner",
        `${name} has ${partitions}, and ${options.livenessMs} ms later: ${why}`,
      );
    }
  }

  /**
   * Not in every world: it takes a session until a broker is called lost. Nor where a voter has come back
   * with an empty disk since the operator looked last: that is one lost for good already.
   */
  #goOnWithoutOne(): void {
    const { scheduler, options, nodes, network, operator } = this;
    const chance = new Prng(options.seed ^ 0x1057);
    if (!chance.oneIn(3) || !isQuorumWhole(nodes)) return;
    const loss = loseForGood({ nodes, network, chance });
    if (loss === undefined) return;
    this.coverage.add(`lost for good: ${loss.how}`);
    const { name } = loss.node.process;
    scheduler.note("world", { atUs: scheduler.nowUs, label: `LOST ${loss.how}`, detail: name });
    operator.goOnWithout(loss);
    const boundMs = options.livenessMs + 2 * this.#sessionMs;
    const endUs = scheduler.nowUs + boundMs * US;
    while (this.#failure === undefined && scheduler.nowUs < endUs && !operator.isSatisfied) {
      scheduler.runUntil(scheduler.nowUs + LIVENESS_STEP_US);
    }
    if (this.#failure !== undefined || operator.isSatisfied) return;
    this.#fail(
      "liveness without one",
      `${name} has lost its ${loss.how}, and the others did not do everything within ${boundMs} ms: ` +
        `${operator.lastRefusal}; ${describeQuorums(nodes)}`,
    );
  }

  /** Somebody's script in the place of chance: the run ends with it. */
  #play(script: Script): void {
    const { scheduler, options, operator: { process } } = this;
    const { env, life } = process.begin();
    let isDone = false;
    const stage = new Stage(this, env);
    scheduler.after(0, { label: "script", life }, () => {
      script(stage).then(() => {
        isDone = true;
        scheduler.stop();
      }, (error: unknown) => this.#onError(error));
    });
    scheduler.runUntil(options.safetyMs * US);
    if (!isDone) this.#fail("script", `it did not end within ${options.safetyMs} ms`);
  }

  #starters(): readonly { readonly start: () => void }[] {
    const { scheduler } = this;
    return [...this.nodes, ...this.clients, ...this.groups.machines].map((one, index) => ({
      start: () => void scheduler.after(index * 1500, { label: "start" }, () => one.start()),
    }));
  }

  get #sessionMs(): number {
    return Number(this.options.settings["broker.session.timeout.ms"] ?? SESSION_MS);
  }

  #isSatisfied(): boolean {
    return this.operator.isSatisfied && this.clients.every(({ isSatisfied }) => isSatisfied) &&
      whyClusterIsNotWell(this.nodes) === undefined && this.groups.whyNotWell() === undefined;
  }

  /** The next fault, drawn from its own number: leaving one out changes no other. */
  #scheduleFault(): void {
    const { scheduler, options } = this;
    const number = this.#faultCount++;
    const chance = new Prng(
      Math.imul(options.seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b),
    );
    const weighted = Object.entries(options.faults).flatMap(([name, weight]) => {
      return Array.from({ length: weight }, () => name as FaultName);
    });
    const delayMs = 1 + chance.below(2 * options.faultMeanMs);
    const name = weighted[chance.below(weighted.length)];
    scheduler.after(delayMs * US, { label: `fault ${name}`, detail: number }, () => {
      if (scheduler.nowUs >= options.safetyMs * US) return;
      if (name !== undefined && !options.skippedFaults.includes(number)) {
        const phases = this.nodes.map(({ phase }) => phase);
        const { nodes, network, shadow, operator } = this;
        const clients = [...this.clients, ...this.groups.machines];
        const states = this.groups.states();
        const isDone = FAULTS[name]({
          scheduler,
          network,
          nodes,
          clients,
          operator,
          shadow,
          sessionMs: this.#sessionMs,
          chance,
        });
        if (isDone) {
          for (const phase of phases) this.coverage.add(`fault ${name} while ${phase}`);
          for (const state of states) this.coverage.add(`groups: fault ${name} while ${state}`);
        }
      }
      this.#scheduleFault();
    });
  }

  #heal(): void {
    this.network.healAll();
    for (const node of this.nodes) {
      const { process } = node;
      process.faults.heal();
      process.machine.wallOffsetMs = WALL_MS;
      process.media.capacityBytes = 64 * 1024 * 1024 * 1024;
      process.resume();
      if (process.life !== undefined) process.life.eventCostUs = 0;
      // What a fault has taken offline comes back with a new start: that is what an operator does.
      if (node.logs !== undefined && node.logs.partitions.offlineCount() > 0) node.kill(1);
      node.start();
    }
    this.operator.leaving = undefined;
    this.operator.start();
    this.operator.askForLiveness();
    for (const client of this.clients) {
      client.process.machine.wallOffsetMs = WALL_MS;
      client.process.resume();
      if (client.process.life !== undefined) client.process.life.eventCostUs = 0;
      client.start();
      client.askForLiveness();
    }
    for (const { process } of this.groups.machines) {
      process.machine.wallOffsetMs = WALL_MS;
      process.resume();
      if (process.life !== undefined) process.life.eventCostUs = 0;
    }
    this.groups.askForLiveness();
  }

  #check(life: Life | undefined): void {
    if (life === undefined || !life.isAlive) return;
    const node = this.#nodeOf.get(life.processName);
    if (node === undefined || this.shadow.isDamaged) return;
    this.#checks.afterEvent(node);
  }

  #mustBeOnAMedium(what: string, { topic, partition, offset }: RecordPlace): void {
    if (this.shadow.isDamaged) return;
    const ends = this.nodes.map(({ process: { media } }) => {
      return this.#ends.of(media, `/data/${topic}-${partition}`);
    });
    if (ends.every((end) => end === undefined) || ends.some((end) => (end ?? 0) > offset)) return;
    this.#fail(
      `${what} is on the medium`,
      `${topic}-${partition} at ${offset}: the medium ends at ${ends.join(", ")}`,
    );
  }

  #process(name: string, chance: Prng): SimProcess {
    const { options } = this;
    const drift = options.driftPpm * (chance.below(2001) - 1000) / 1000;
    return new SimProcess({
      name,
      scheduler: this.scheduler,
      network: this.network,
      machine: {
        rate: 1 + drift / 1_000_000,
        offsetMs: 1000 + chance.below(1_000_000),
        wallOffsetMs: WALL_MS + chance.between(-2000, 2000),
      },
      faults: new DiskFaults(options.disk, chance.fork()),
      timerLateUsMax: options.timerLateUs,
      chance,
      onTrace: this.#onTrace,
    });
  }

  readonly #onTrace: OnTrace = (life, level, message, fields) => {
    const { scheduler } = this;
    scheduler.hash.label(message);
    this.groups.onTrace(message, fields);
    scheduler.note(life.processName, {
      atUs: scheduler.nowUs,
      label: `TRACE ${level} ${message}`,
      detail: fields ?? {},
    });
    if (level !== "error" && level !== "warn") return;
    const text = JSON.stringify(fields ?? {});
    if (text.includes("Assertion failed") || message === "a request failed") {
      this.#fail("assertion", `${life.processName}: ${message} ${text}`);
    }
  };

  #onError(error: unknown): void {
    const named = error as {
      readonly name?: string;
      readonly promise?: string;
      readonly message?: string;
    };
    if (error instanceof HostUsed) this.#fail("host", error.message);
    else if (named.promise !== undefined) this.#fail(named.promise, String(named.message));
    else this.#fail("exception", error instanceof Error ? `${error.stack}` : String(error));
  }

  #fail(what: string, message: string): void {
    this.#failure ??= { what, message, atMs: this.scheduler.nowUs / US };
    this.scheduler.stop();
  }

  #result(): SimResult {
    const { scheduler } = this;
    return {
      options: this.options,
      hash: scheduler.hash.hex(),
      failure: this.#failure,
      eventCount: scheduler.eventCount,
      simulatedMs: scheduler.nowUs / US,
      faultCount: this.#faultCount,
      coverage: this.coverage.counts,
      trails: new Map([...scheduler.trails].map(([name, trail]) => [name, trail.lines()])),
    };
  }
}
