/**
 * A walk at random through everything that can happen to a few replicas, under the invariants: the
 * small brother of the simulator in `test/sim/raft/`, for finding a slip within a second.
 */
import { Prng } from "../../src/ground/prng.ts";
import type { Sabotage } from "../../src/raft/sabotage.ts";
import { Cluster, type TestNode, voter, voters } from "./cluster.ts";
import { BrokenInvariant } from "./invariant.ts";

const NODE_COUNT = 5;
const DIRECTORIES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

export interface WalkResult {
  readonly committed: number;
  readonly elections: number;
  readonly reads: number;
  readonly changes: number;
  readonly snapshots: number;
}

export class Walk {
  readonly cluster: Cluster;
  readonly #random: Prng;
  /** What was known to be committed when a read was asked, by token. */
  readonly #asked = new Map<number, number>();
  #token = 0;
  #answered = 0;
  #changes = 0;
  #snapshots = 0;
  #directoryCount = 0;
  #isRough = true;

  constructor(seed: number, sabotage: readonly Sabotage[] = []) {
    this.#random = new Prng(seed);
    const isSmall = this.#random.oneIn(2);
    this.cluster = new Cluster({
      seed: this.#random.u32(),
      sabotage,
      raft: { appendBytesMax: isSmall ? 150 : 1000, inflightMax: isSmall ? 2 : 4 },
    });
    const voterCount = this.#random.between(1, NODE_COUNT);
    const bootstrap = voters(...Array.from({ length: voterCount }, (_, index) => index + 1));
    for (let id = 1; id <= NODE_COUNT; id++) this.cluster.add(id, bootstrap);
  }

  run(steps: number): void {
    for (let step = 0; step < steps; step++) {
      this.#step();
      this.#checkReads();
    }
  }

  /** Everything that is broken is mended: all replicas must come to the same end. */
  settle(): WalkResult {
    const { cluster } = this;
    this.#isRough = false;
    cluster.heal();
    for (const node of cluster.nodes.values()) {
      if (!node.isUp) cluster.restart(node.key.id);
      cluster.releaseDisk(node.key.id);
    }
    for (let round = 0; round < 40; round++) {
      cluster.pass(500);
      for (const node of cluster.nodes.values()) cluster.install(node.key.id);
    }
    this.#checkReads();
    const leader = cluster.leader();
    if (leader === undefined) throw new BrokenInvariant("liveness: nobody leads");
    if (typeof cluster.propose(leader.key.id) === "string") {
      throw new BrokenInvariant("liveness: the leader takes no proposals");
    }
    cluster.pass(300);
    const { commitOffset, logEndOffset, configuration } = leader.raft.status();
    if (commitOffset !== logEndOffset) throw new BrokenInvariant("liveness: nothing commits");
    if (configuration.outgoing !== undefined) throw new BrokenInvariant("liveness: still joint");
    for (const member of configuration.voters) {
      const status = cluster.raft(member.id).status();
      if (status.appliedOffset !== logEndOffset) {
        throw new BrokenInvariant(`liveness: ${member.id} ${cluster.raft(member.id).describe()}`);
      }
    }
    return {
      committed: commitOffset,
      elections: leader.raft.status().term,
      reads: this.#answered,
      changes: this.#changes,
      snapshots: this.#snapshots,
    };
  }

  #step(): void {
    const { cluster } = this;
    const random = this.#random;
    const draw = random.below(100);
    if (draw < 60) { for (let count = 0; count < 3; count++) this.#deliver(); }
    else if (draw < 76) this.#time();
    else if (draw < 85) this.#work();
    else if (draw < 90) this.#disk();
    else if (draw < 92) this.#upAndDown();
    else if (draw < 93) {
      const cut = random.below(NODE_COUNT) + 1;
      const groups = [[], []] as [number[], number[]];
      for (let id = 1; id <= NODE_COUNT; id++) {
        (id === cut || random.oneIn(3) ? groups[0] : groups[1]).push(id);
      }
      cluster.partition(...groups);
    } else if (draw < 95) cluster.heal();
    else if (draw < 98) this.#snapshot();
    else this.#change();
  }

  #deliver(): void {
    const { messages } = this.cluster;
    if (messages.length === 0) return;
    // Mostly in order, as a connection keeps it; now and then any.
    const index = this.#random.oneIn(4) ? this.#random.below(messages.length) : 0;
    const message = messages[index];
    if (message === undefined) return;
    const fate = this.#random.below(20);
    if (fate > 0) messages.splice(index, 1); // else it comes again
    if (fate !== 1 || !this.#isRough) this.cluster.receive(message);
    if (messages.length > 300) messages.splice(0, 100);
  }

  #time(): void {
    const { cluster } = this;
    cluster.now += this.#random.oneIn(50) ? 2000 : this.#random.below(40);
    for (const node of cluster.nodes.values()) {
      if (node.isUp && node.wakeAt <= cluster.now && !this.#random.oneIn(10)) {
        cluster.tick(node.key.id);
      }
    }
  }

  #work(): void {
    const node = this.#any();
    if (!node.isUp) return;
    if (this.#random.oneIn(3)) {
      const known = Math.max(
        ...[...this.cluster.nodes.values()].map((each) => each.raft.status().commitOffset),
      );
      this.#asked.set(++this.#token, known);
      this.cluster.read(node.key.id, this.#token);
      return;
    }
    const leader = this.#random.oneIn(5) ? node : this.cluster.leader() ?? node;
    this.cluster.propose(leader.key.id, this.#random.between(1, 3));
  }

  #checkReads(): void {
    for (const node of this.cluster.nodes.values()) {
      for (const { token, offset } of node.reads.splice(0)) {
        const known = this.#asked.get(token);
        if (offset === undefined || known === undefined) continue;
        this.#answered++;
        if (offset < known) {
          throw new BrokenInvariant(`linearizable reads: ${offset} after ${known} was committed`);
        }
      }
    }
  }

  #disk(): void {
    const node = this.#any();
    if (!node.isUp) return;
    const { id } = node.key;
    if (this.#random.oneIn(4)) this.cluster.holdDisk(id);
    else if (this.#random.oneIn(2)) this.cluster.sync(id, 1);
    else this.cluster.releaseDisk(id);
  }

  #upAndDown(): void {
    const node = this.#any();
    const { id } = node.key;
    const down = [...this.cluster.nodes.values()].find((each) => !each.isUp);
    if (down !== undefined && this.#random.oneIn(2)) this.cluster.restart(down.key.id);
    else if (node.isUp) this.cluster.crash(id);
  }

  #snapshot(): void {
    const node = this.#any();
    if (!node.isUp) return;
    const { id } = node.key;
    if (node.fetch !== undefined && this.#random.oneIn(2)) {
      if (this.cluster.install(id)) this.#snapshots++;
    } else this.cluster.compact(id);
  }

  /** Voters come and go, sometimes with another disk; leadership is handed over. */
  #change(): void {
    const { cluster } = this;
    const leader = cluster.leader();
    if (leader === undefined) return;
    const random = this.#random;
    const other = this.#any();
    if (random.oneIn(3)) {
      leader.raft.transferLeadership(cluster.now, random.oneIn(2) ? other.key : undefined);
      cluster.pump(leader);
      return;
    }
    const { configuration } = leader.raft.status();
    const isMember = configuration.voters.some((member) => member.id === other.key.id);
    const mayReplace = !this.#isMentioned(other.key.id) && this.#directoryCount < 25;
    if (mayReplace && random.oneIn(3)) {
      cluster.crash(other.key.id);
      cluster.replaceDisk(other.key.id, DIRECTORIES.charAt(++this.#directoryCount));
    }
    const { id, directoryId } = cluster.node(other.key.id).key;
    const self = { ...voter(id), directoryId };
    const answer = leader.raft.changeVoters(
      cluster.now,
      isMember ? { remove: self } : { add: self },
    );
    if (answer === "started") this.#changes++;
    cluster.pump(leader);
  }

  /** Whether anybody takes it for a voter or a learner: then losing its disk may be the end. */
  #isMentioned(id: number): boolean {
    return [...this.cluster.nodes.values()].some((node) => {
      const { voters, outgoing, learners } = node.raft.status().configuration;
      return [...voters, ...(outgoing ?? []), ...learners].some((member) => member.id === id);
    });
  }

  #any(): TestNode {
    return this.cluster.node(this.#random.below(NODE_COUNT) + 1);
  }
}
