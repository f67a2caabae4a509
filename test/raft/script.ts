/**
 * The language of the scenario scripts in `test/scenario/raft/*.txt`: one command a line, and below
 * `----` what it prints (as in etcd's testdata). Several commands may stand above one `----`.
 *
 * ```
 *   add-nodes 3              voters 1 … 3          add-node 4 [knows=1,2,3] [dir=B]
 *   elect 1                  until it leads        expire 1, tick 1        its timer
 *   deliver [1->2] [Kind]    all that fits         deliver-one …, drop …, copy … (delivers twice)
 *   propose 1 [count]        read 1 7              pass 500                time passes
 *   partition 1 | 2 3        heal                  crash 2, restart 2, replace-disk 2 dir=B
 *   hold-disk 2              sync 2 [1]            release-disk 2
 *   compact 1                install 3, fail-fetch 3
 *   change 1 add=4[B] remove=2[A]                  transfer 1 [2]
 *   status [1]   members 1   log 1                 messages                applied 1
 *   quiet / loud             without or with messages in the trace
 *   append-bytes 150         first of all: how much goes into one request
 * ```
 */
import type { Voter } from "../../src/raft/configuration.ts";
import type { Message } from "../../src/raft/message.ts";
import { Cluster, directoryName, voter, voters } from "./cluster.ts";
import { BrokenInvariant } from "./invariant.ts";
import { messageText } from "./message_text.ts";

type Words = readonly string[];

export class ScriptRun {
  #cluster: Cluster;
  #lines: string[] = [];
  #isLoud = true;

  constructor() {
    this.#cluster = this.#listenTo(new Cluster());
  }

  #listenTo(cluster: Cluster): Cluster {
    cluster.onEvent = (line) => {
      if (this.#isLoud || !line.includes("->")) this.#lines.push(line);
    };
    return cluster;
  }

  /** Runs one command; what it printed. */
  run(command: string): readonly string[] {
    this.#lines = [];
    const [name = "", ...words] = command.split(/\s+/);
    if (name === "append-bytes") {
      const raft = { appendBytesMax: Number(words[0]) };
      this.#cluster = this.#listenTo(new Cluster({ raft }));
      return [];
    }
    const action = COMMANDS[name];
    if (action === undefined) throw new Error(`unknown command "${name}"`);
    try {
      const printed = action(this.#cluster, words);
      if (printed !== undefined) this.#lines.push(...printed);
    } catch (error) {
      if (!(error instanceof BrokenInvariant)) throw error;
      this.#lines.push(`BROKEN ${error.message}`);
    }
    if (name === "quiet") this.#isLoud = false;
    if (name === "loud") this.#isLoud = true;
    return this.#lines;
  }
}

type Action = (cluster: Cluster, words: Words) => readonly string[] | void;

const COMMANDS: { readonly [name: string]: Action } = {
  "quiet": () => {},
  "loud": () => {},
  "add-nodes": (cluster, [count = "1"]) => {
    const ids = Array.from({ length: Number(count) }, (_, index) => index + 1);
    for (const id of ids) cluster.add(id, voters(...ids));
  },
  "add-node": (cluster, [id = "", ...rest]) => {
    const known = (option(rest, "knows") ?? "1").split(",").map(memberOf);
    cluster.add(Number(id), { voters: known, learners: [] }, option(rest, "dir") ?? "A");
  },
  "elect": (cluster, words) => cluster.elect(idOf(words)),
  "expire": (cluster, words) => cluster.expire(idOf(words)),
  "tick": (cluster, words) => cluster.tick(idOf(words)),
  "deliver": (cluster, words) => cluster.deliverAll(filterOf(words)),
  "deliver-one": (cluster, words) => {
    return cluster.deliver(filterOf(words)) ? [] : ["nothing to deliver"];
  },
  "drop": (cluster, words) => [`${cluster.drop(filterOf(words))} dropped`],
  "copy": (cluster, words) => {
    cluster.messages.push(...cluster.messages.filter(filterOf(words)));
  },
  "propose": (cluster, [id, count = "1"]) => {
    const proposed = cluster.propose(Number(id), Number(count));
    return [typeof proposed === "string" ? proposed : `at ${proposed.baseOffset}/${proposed.term}`];
  },
  "read": (cluster, [id, token]) => cluster.read(Number(id), Number(token)),
  "pass": (cluster, [ms]) => cluster.pass(Number(ms)),
  "partition": (cluster, words) => {
    const groups = words.join(" ").split("|").map((group) => group.trim().split(" ").map(Number));
    cluster.partition(...groups);
  },
  "heal": (cluster) => cluster.heal(),
  "crash": (cluster, words) => cluster.crash(idOf(words)),
  "restart": (cluster, words) => cluster.restart(idOf(words)),
  "replace-disk": (cluster, words) => {
    cluster.replaceDisk(idOf(words), option(words, "dir") ?? "B");
  },
  "hold-disk": (cluster, words) => cluster.holdDisk(idOf(words)),
  "sync": (cluster, [id, count]) =>
    cluster.sync(Number(id), count === undefined ? Infinity : Number(count)),
  "release-disk": (cluster, words) => cluster.releaseDisk(idOf(words)),
  "compact": (cluster, words) => cluster.compact(idOf(words)),
  "install": (cluster, words) => {
    return cluster.install(idOf(words)) ? [] : ["nothing to install"];
  },
  "fail-fetch": (cluster, words) => failFetch(cluster, idOf(words)),
  "change": (cluster, [id, ...rest]) => {
    const add = option(rest, "add");
    const remove = option(rest, "remove");
    const raft = cluster.raft(Number(id));
    const answer = raft.changeVoters(cluster.now, {
      ...(add === undefined ? {} : { add: memberOf(add) }),
      ...(remove === undefined ? {} : { remove: memberOf(remove) }),
    });
    cluster.pump(cluster.node(Number(id)));
    return [answer];
  },
  "transfer": (cluster, [id, to]) => {
    const key = to === undefined ? undefined : cluster.node(Number(to)).key;
    const answer = cluster.raft(Number(id)).transferLeadership(cluster.now, key);
    cluster.pump(cluster.node(Number(id)));
    return [answer];
  },
  "status": (cluster, [id]) => {
    const nodes = id === undefined ? [...cluster.nodes.values()] : [cluster.node(Number(id))];
    return nodes.map((node) => `${node.key.id} ${node.isUp ? node.raft.describe() : "down"}`);
  },
  "log": (cluster, words) => {
    const lines = cluster.node(idOf(words)).disk.content.batches.map((batch) => batch.line);
    return lines.length === 0 ? ["empty"] : lines;
  },
  "applied": (cluster, words) => {
    const node = cluster.node(idOf(words));
    return [`from ${node.appliedFrom}`, ...node.applied.map((batch) => batch.line)];
  },
  "members": (cluster, words) => {
    const { voters, outgoing, learners } = cluster.raft(idOf(words)).status().configuration;
    const named = (list: readonly Voter[]): string =>
      list.map((member) => `${member.id}[${directoryName(member.directoryId)}]`).join(" ");
    const sets = [`voters ${named(voters)}`];
    if (outgoing !== undefined) sets.push(`outgoing ${named(outgoing)}`);
    if (learners.length > 0) sets.push(`learners ${named(learners)}`);
    return [sets.join(" ")];
  },
  "messages": (cluster) =>
    cluster.messages.length === 0 ? ["none"] : cluster.messages.map(messageText),
};

function failFetch(cluster: Cluster, id: number): readonly string[] {
  const node = cluster.node(id);
  if (node.fetch === undefined) return ["nothing to fetch"];
  const { snapshot } = node.fetch;
  node.fetch = undefined;
  node.raft.step(cluster.now, { kind: "snapshot-failed", snapshot });
  cluster.pump(node);
  return [];
}

/** `4`, `4[B]` or `4?`: the node, with the name of its directory, or without. */
function memberOf(text: string): Voter {
  const [id = "", name = "A"] = text.replace("]", "").replace("?", "[?").split("[");
  return voter(Number(id), name);
}

function idOf(words: Words): number {
  return Number(words[0]);
}

function option(words: Words, name: string): string | undefined {
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** `1->2`, `1->`, `->2`, a kind of message, or any of them together. */
function filterOf(words: Words): (message: Message) => boolean {
  const kind = words.find((word) => !word.includes("->"));
  const [from = "", to = ""] = (words.find((word) => word.includes("->")) ?? "->").split("->");
  return (message) =>
    (kind === undefined || message.kind === kind) &&
    (from === "" || message.from.id === Number(from)) &&
    (to === "" || message.to.id === Number(to));
}
