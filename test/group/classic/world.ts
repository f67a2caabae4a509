/**
 * One classic group between a log and its clients: what a shard and its driver do for it, in a few
 * lines, and clients that say what they are told to say.
 *
 * Longer than most, because every request is said here once, with what real clients say in it.
 *
 * Member ids are given short names in the order in which they appear: `a#1` is the first id that client
 * `a` got. After every turn it is checked that the group that lives is the group its records make.
 */
import { ErrorCode, errorName } from "../../../src/api/error_code.ts";
import type { GroupRecord } from "../../../src/api/coordinator_record/group_record.ts";
import { type Ms, toMs } from "../../../src/ground/numbers.ts";
import { Prng } from "../../../src/ground/prng.ts";
import { bytesOf, textOf } from "../../../src/ground/text.ts";
import { ClassicGroup } from "../../../src/group/classic/classic_group.ts";
import type { Commit } from "../../../src/group/group.ts";
import type {
  Caller,
  HeartbeatRequest,
  JoinGroupRequest,
  LeaveGroupRequest,
  ResponseTo,
  SyncGroupRequest,
} from "../../../src/group/group_request.ts";
import { DEFAULT_GROUP_SETTINGS, defaultGroupConfig } from "../../../src/group/group_settings.ts";
import type { GroupSettings } from "../../../src/group/group_settings.ts";
import type { Token, Turn } from "../../../src/group/turn.ts";
import { ClusterImage } from "../../../src/metadata/image.ts";

export type JoinAnswer = ResponseTo<JoinGroupRequest>;
export type SyncAnswer = ResponseTo<SyncGroupRequest>;
export type LeaveAnswer = ResponseTo<LeaveGroupRequest>;

export interface JoinOptions {
  readonly version?: number;
  readonly memberId?: string;
  readonly instance?: string | null;
  readonly sessionMs?: number;
  readonly rebalanceMs?: number;
  readonly type?: string;
  /** Name and what it says, in the order of preference. */
  readonly protocols?: readonly (readonly [name: string, metadata: string | Uint8Array])[];
  readonly reason?: string | null;
}

export interface SyncOptions {
  readonly version?: number;
  readonly memberId?: string;
  readonly instance?: string | null;
  readonly generation?: number;
  readonly protocolType?: string | null;
  readonly protocolName?: string | null;
  /** By member id; a leader that is not told assigns `p-<name>` to everybody. */
  readonly assignments?: ReadonlyMap<string, string>;
}

/** What a client knows of itself, as real clients do. */
export interface Client {
  memberId: string;
  generation: number;
  instance: string | null;
  protocolName: string | null;
  isLeader: boolean;
  /** Of the generation, where it leads. */
  members: readonly string[];
  join: JoinOptions;
}

/** A request on its way: who asked what. */
interface Asked {
  readonly client: string;
  readonly kind: "JoinGroup" | "SyncGroup" | "Heartbeat" | "LeaveGroup";
}

export class World {
  now: Ms = toMs(1_000_000);
  group = ClassicGroup.created("g");
  settings: GroupSettings = { ...DEFAULT_GROUP_SETTINGS, groupInitialRebalanceDelayMs: 3000 };
  readonly clients = new Map<string, Client>();
  readonly log: GroupRecord[] = [];
  /** Whether the log takes records. */
  isLogOpen = true;
  /** What happened since it was last taken, in words. */
  lines: string[] = [];
  readonly replies = new Map<Token<unknown>, unknown>();
  readonly #asked = new Map<Token<unknown>, Asked>();
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  readonly #random = new Prng(1);
  readonly #image = new ClusterImage();
  #nextToken = 1;

  client(name: string): Client {
    let client = this.clients.get(name);
    if (client === undefined) {
      client = {
        memberId: "",
        generation: -1,
        instance: null,
        protocolName: null,
        isLeader: false,
        members: [],
        join: {},
      };
      this.clients.set(name, client);
    }
    return client;
  }

  /** The short name of a member id. */
  nameOf(memberId: string): string {
    if (memberId === "") return "-";
    let name = this.#names.get(memberId);
    if (name === undefined) {
      const prefix = memberId.replace(/-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "");
      const isGiven = prefix !== memberId;
      const count = (this.#counts.get(prefix) ?? 0) + 1;
      this.#counts.set(prefix, count);
      name = isGiven ? `${prefix}#${count}` : memberId;
      this.#names.set(memberId, name);
      this.#ids.set(name, memberId);
    }
    return name;
  }

  /** The member id that has this short name, or else the text itself. */
  idOf(name: string): string {
    return this.#ids.get(name) ?? name;
  }

  join(name: string, options: JoinOptions = {}): JoinAnswer | undefined {
    const client = this.client(name);
    const join = { ...client.join, ...options };
    client.join = { ...join };
    const { version = 9, instance = client.instance } = join;
    client.instance = instance;
    const body: JoinGroupRequest["body"] = {
      groupId: "g",
      sessionTimeoutMs: join.sessionMs ?? 10_000,
      rebalanceTimeoutMs: version === 0 ? -1 : join.rebalanceMs ?? 60_000,
      memberId: options.memberId ?? client.memberId,
      groupInstanceId: instance,
      protocolType: join.type ?? "consumer",
      protocols: (join.protocols ?? [["range", name]])
        .map(([protocol, metadata]) => ({
          name: protocol,
          metadata: typeof metadata === "string" ? bytesOf(metadata) : metadata,
        })),
      reason: options.reason ?? null,
    };
    const caller = this.#caller(name, version);
    return this.#ask<JoinAnswer>(
      { client: name, kind: "JoinGroup" },
      (turn, token) => this.group.join(turn, { kind: "JoinGroup", body, caller }, token),
    );
  }

  sync(name: string, options: SyncOptions = {}): SyncAnswer | undefined {
    const client = this.client(name);
    const assigned = options.assignments ?? new Map(
      client.isLeader ? client.members.map((id) => [id, `p-${this.nameOf(id)}`]) : [],
    );
    const body: SyncGroupRequest["body"] = {
      groupId: "g",
      generationId: options.generation ?? client.generation,
      memberId: options.memberId ?? client.memberId,
      groupInstanceId: options.instance === undefined ? client.instance : options.instance,
      protocolType: options.protocolType === undefined ? "consumer" : options.protocolType,
      protocolName: options.protocolName === undefined ? client.protocolName : options.protocolName,
      assignments: [...assigned].map(([memberId, assignment]) => ({
        memberId,
        assignment: bytesOf(assignment),
      })),
    };
    const caller = this.#caller(name, options.version ?? 5);
    return this.#ask<SyncAnswer>(
      { client: name, kind: "SyncGroup" },
      (turn, token) => this.group.sync(turn, { kind: "SyncGroup", body, caller }, token),
    );
  }

  heartbeat(name: string, options: Partial<HeartbeatRequest["body"]> = {}): ErrorCode {
    const client = this.client(name);
    const body: HeartbeatRequest["body"] = {
      groupId: "g",
      generationId: client.generation,
      memberId: client.memberId,
      groupInstanceId: client.instance,
      ...options,
    };
    const caller = this.#caller(name, 4);
    const answer = this.#ask<ResponseTo<HeartbeatRequest>>(
      { client: name, kind: "Heartbeat" },
      (turn, token) => this.group.heartbeat(turn, { kind: "Heartbeat", body, caller }, token),
    );
    return (answer as ResponseTo<HeartbeatRequest>).errorCode as ErrorCode;
  }

  leave(
    name: string,
    members: LeaveGroupRequest["body"]["members"],
    version = 5,
  ): LeaveAnswer {
    const body = { groupId: "g", memberId: members[0]?.memberId ?? "", members };
    const caller = this.#caller(name, version);
    const answer = this.#ask<LeaveAnswer>(
      { client: name, kind: "LeaveGroup" },
      (turn, token) => this.group.leave(turn, { kind: "LeaveGroup", body, caller }, token),
    );
    return answer as LeaveAnswer;
  }

  /** The one who says nothing else leaves under its own id. */
  leaveAlone(name: string): ErrorCode {
    const { memberId } = this.client(name);
    const answer = this.leave(name, [{ memberId, groupInstanceId: null, reason: null }]);
    return answer.members?.[0]?.errorCode as ErrorCode;
  }

  commit(name: string, commit: Partial<Commit> = {}): ErrorCode {
    const client = this.client(name);
    let errorCode: ErrorCode | undefined;
    this.turn((turn) => {
      errorCode = this.group.refuseCommit({
        memberId: client.memberId,
        groupInstanceId: client.instance,
        generationIdOrMemberEpoch: client.generation,
        apiVersion: 9,
        isTransactional: false,
        ...commit,
      }, turn);
    });
    return errorCode ?? ErrorCode.None;
  }

  /** Lets time pass, and wakes the group whenever it wants to be woken. */
  pass(ms: number): void {
    const until = toMs(this.now + ms);
    for (let woken = 0;; woken++) {
      const at = this.group.wakeAt;
      if (at === undefined || at > until) break;
      if (woken > 100_000) throw new Error("the group is woken without end");
      this.now = toMs(Math.max(at, this.now));
      this.turn((turn) => this.group.wake(turn));
    }
    this.now = until;
  }

  /** The coordinator fails: another one reads the log. Whoever waits hears nothing. */
  crash(): void {
    this.group = ClassicGroup.created("g");
    for (const record of this.log) this.#replay(record);
    this.#asked.clear();
    this.turn((turn) => this.group.loaded(turn));
  }

  /** One turn of the shard: decide, append, replay, reply. */
  turn(act: (turn: Turn) => void): void {
    const records: GroupRecord[] = [];
    const replies: [Token<unknown>, unknown][] = [];
    const before = this.group.state();
    act(this.#turn(records, replies));
    const isRefused = records.length > 0 && !this.isLogOpen;
    if (!isRefused) { for (const record of records) this.#append(record); }
    for (const [token, response] of replies) this.#deliver(token, response, isRefused);
    if (isRefused) this.lines.push("log refused the record");
    const after = this.group.state();
    if (before !== after) this.lines.push(`${before} -> ${after}`);
    this.#check();
  }

  #turn(records: GroupRecord[], replies: [Token<unknown>, unknown][]): Turn {
    const { settings } = this;
    return {
      now: this.now,
      settings,
      image: this.#image,
      random: this.#random,
      regexes: { compile: () => undefined },
      configOf: () => defaultGroupConfig(settings),
      write: (record) => void records.push(record),
      become: () => {
        throw new Error("a classic group does not become another by itself");
      },
      reply: (token, response) => void replies.push([token, response]),
    };
  }

  #caller(name: string, apiVersion: number): Caller {
    return { apiVersion, clientId: name, clientHost: `/${name}` };
  }

  #ask<Answer>(
    asked: Asked,
    act: (turn: Turn, token: Token<Answer>) => void,
  ): Answer | undefined {
    const token: Token<Answer> = { id: this.#nextToken++ };
    this.#asked.set(token, asked);
    this.turn((turn) => act(turn, token));
    return this.replies.get(token) as Answer | undefined;
  }

  /** How many requests have not been answered. */
  get waitingCount(): number {
    return this.#asked.size;
  }

  #append(record: GroupRecord): void {
    this.log.push(record);
    this.lines.push(`log ${this.recordText(record)}`);
    this.#replay(record);
  }

  #replay(record: GroupRecord): void {
    if (record.kind !== "GroupMetadata") throw new Error(`a classic group wrote ${record.kind}`);
    this.group.replayMetadata(record.value);
  }

  recordText(record: GroupRecord): string {
    if (record.kind !== "GroupMetadata") return record.kind;
    const { value } = record;
    if (value === null) return "tombstone";
    const members = value.members.map(({ memberId, assignment }) =>
      `${this.nameOf(memberId)}=${textOf(assignment)}`
    );
    const leader = value.leader === null ? "-" : this.nameOf(value.leader);
    return `generation=${value.generation} protocol=${value.protocol ?? "-"} leader=${leader}` +
      ` members=[${members.join(" ")}]`;
  }

  #deliver(token: Token<unknown>, response: unknown, isRefused: boolean): void {
    const asked = this.#asked.get(token);
    if (asked === undefined) throw new Error(`token ${token.id} is answered twice`);
    this.#asked.delete(token);
    // As the driver of a shard does where the log refused the records.
    const answer = isRefused
      ? { errorCode: ErrorCode.CoordinatorNotAvailable, memberId: "", members: [] }
      : response;
    this.replies.set(token, answer);
    this.lines.push(`${asked.client} <- ${this.#told(asked, answer)}`);
  }

  #told({ client: name, kind }: Asked, answer: unknown): string {
    const client = this.client(name);
    switch (kind) {
      case "JoinGroup":
        return `joined ${this.#toldJoin(client, answer as JoinAnswer)}`;
      case "SyncGroup": {
        const { errorCode, assignment } = answer as SyncAnswer;
        return `synced ${errorCode === 0 ? textOf(assignment) || "nothing" : errorName(errorCode)}`;
      }
      case "Heartbeat":
        return `heartbeat ${errorName((answer as ResponseTo<HeartbeatRequest>).errorCode)}`;
      case "LeaveGroup": {
        const { errorCode, members = [] } = answer as LeaveAnswer;
        if (members.length === 0) return `left ${errorName(errorCode)}`;
        return `left ${
          members.map((member) =>
            `${this.nameOf(member.memberId)}` +
            `${member.groupInstanceId === null ? "" : `/${member.groupInstanceId}`}=` +
            errorName(member.errorCode)
          ).join(" ")
        }`;
      }
    }
  }

  /** A client keeps what it is told. */
  #toldJoin(client: Client, answer: JoinAnswer): string {
    const { errorCode, memberId } = answer;
    if (errorCode === ErrorCode.MemberIdRequired) client.memberId = memberId;
    if (errorCode === ErrorCode.UnknownMemberId) client.memberId = "";
    if (errorCode !== ErrorCode.None) {
      return `${errorName(errorCode)}${memberId === "" ? "" : ` ${this.nameOf(memberId)}`}`;
    }
    client.memberId = memberId;
    client.generation = answer.generationId as number;
    client.protocolName = answer.protocolName;
    client.isLeader = answer.leader === memberId;
    client.members = answer.members.map((member) => member.memberId);
    const members = answer.members.map((member) =>
      `${this.nameOf(member.memberId)}:${textOf(member.metadata)}`
    );
    return `${this.nameOf(memberId)} generation=${answer.generationId}` +
      ` protocol=${answer.protocolName} leader=${this.nameOf(answer.leader)}` +
      (members.length === 0 ? "" : ` members=[${members.join(" ")}]`) +
      (answer.skipAssignment === true ? " skip" : "");
  }

  /** Live state = replayed state, after every turn. */
  #check(): void {
    const replayed = ClassicGroup.created("g");
    for (const record of this.log.slice(-1)) {
      if (record.kind === "GroupMetadata") replayed.replayMetadata(record.value);
    }
    const [live, durable] = [this.group.dump(), replayed.dump()].map((dump) =>
      JSON.stringify(dump)
    );
    if (live !== durable) throw new Error(`live ${live} is not what the log says, ${durable}`);
  }

  /** Brings the clients into a Stable group in which each has been assigned. */
  settle(...names: readonly string[]): void {
    this.gather(...names);
    this.syncAll(...names);
  }

  /** All of them join, with the round for an id where they have none, until they have a generation. */
  gather(...names: readonly string[]): void {
    for (const name of names) {
      const answer = this.join(name);
      if (answer?.errorCode === ErrorCode.MemberIdRequired) this.join(name);
    }
    this.passJoins();
  }

  /** Lets time pass until joins are waited for no more. */
  passJoins(): void {
    for (let wait = 0; wait < 100 && this.group.state() === "PreparingRebalance"; wait++) {
      this.pass((this.group.wakeAt ?? this.now) - this.now);
    }
  }

  /** Followers first, so that some of them wait. */
  syncAll(...names: readonly string[]): void {
    const isLeader = (name: string): boolean => this.client(name).isLeader;
    for (const name of names) if (!isLeader(name)) this.sync(name);
    for (const name of names) if (isLeader(name)) this.sync(name);
  }
}
