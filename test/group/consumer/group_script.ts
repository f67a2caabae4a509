/**
 * The language of the other scripts in `test/scenario/group/consumer/`: a group, its members of both
 * protocols, and the cluster around it.
 *
 *     set max-size=2 policy=upgrade assignors=range,uniform   first of all
 *     brokers r s                                   1 in r, 2 in s; before the topics
 *     topic A 3    grow A 6    drop A
 *     join a topics=A,B [regex=…] [instance=i] [assignor=range] [rack=r]
 *     beat a [owned=A:0-1] [epoch=3] [topics=…]     a heartbeat that says no more than it is told to
 *     ack a                                         it says that it has what it was told, no more
 *     leave a      rest a                           for good; a static member for a while
 *     classic-join c topics=A [owned=A:0] [instance=i]       with the member id that it knows
 *     classic-sync c [A:0-3]                        what the leader of a classic group gives itself
 *     classic-beat c   classic-leave c
 *     commit a [epoch=3]                            whether a commit of it is taken
 *     pass 45000   restart                          time passes; the coordinator starts anew
 *     group        history      list                how it all stands
 *
 * A member is its name: the ids that the broker makes are put back to names in what is printed.
 *
 * Long because every command of the language is here.
 */
import { ErrorCode, errorName } from "../../../src/api/error_code.ts";
import {
  readAssignment,
  readSubscription,
  writeAssignment,
  writeSubscription,
} from "../../../src/api/consumer_protocol.ts";
import type { Uuid } from "../../../src/ground/uuid.ts";
import type { GroupSettings } from "../../../src/group/group_settings.ts";
import { listOf, type Partitions, partitionsOf } from "../../../src/group/consumer/partitions.ts";
import { Coordinator } from "../coordinator.ts";
import {
  commit,
  consumerHeartbeat,
  describeConsumerGroup,
  describeGroup,
  GROUP,
  heartbeat,
  join,
  leave,
  sync,
} from "../requests.ts";
import { options, parsePartitions, partitionsText } from "./notation.ts";

interface Client {
  memberId: string;
  epoch: number;
  instanceId: string | null;
  assigned: Partitions;
  protocolName: string | null;
  protocols: readonly { readonly name: string; readonly metadata: Uint8Array }[];
}

type Options = ReadonlyMap<string, string>;
type Action = (script: GroupScript, words: readonly string[]) => string | readonly string[] | void;

export class GroupScript {
  #coordinator: Coordinator | undefined;
  #settings: Partial<GroupSettings> = {};
  readonly #clients = new Map<string, Client>();

  run(command: string): readonly string[] {
    const [name = "", ...words] = command.split(/\s+/);
    const action = ACTIONS[name];
    if (action === undefined) throw new Error(`unknown command "${name}"`);
    const printed = action(this, words) ?? [];
    const lines = typeof printed === "string" ? [printed] : printed;
    return lines.map((line) => this.#named(line));
  }

  get coordinator(): Coordinator {
    return this.#coordinator ??= new Coordinator({ settings: this.#settings });
  }

  set(given: Options): void {
    const assignors = given.get("assignors")?.split(",");
    const policy = given.get("policy") as GroupSettings["consumerGroupMigrationPolicy"] | undefined;
    const maxSize = given.get("max-size");
    this.#settings = {
      ...this.#settings,
      ...(assignors === undefined ? {} : { consumerGroupAssignors: assignors }),
      ...(policy === undefined ? {} : { consumerGroupMigrationPolicy: policy }),
      ...(maxSize === undefined ? {} : { consumerGroupMaxSize: Number(maxSize) }),
    };
  }

  client(name: string): Client {
    let client = this.#clients.get(name);
    if (client === undefined) {
      client = {
        memberId: name,
        epoch: 0,
        instanceId: null,
        assigned: new Map(),
        protocolName: null,
        protocols: [],
      };
      this.#clients.set(name, client);
    }
    return client;
  }

  partitions(text: string): Partitions {
    return parsePartitions(text, (topic) => {
      const topicId = this.coordinator.image.topic(topic)?.topicId;
      if (topicId === undefined) throw new Error(`no topic ${topic}`);
      return topicId;
    });
  }

  text(partitions: Partitions): string {
    const { image } = this.coordinator;
    return partitionsText(partitions, (topicId: Uuid) => image.topicById(topicId)?.name ?? "gone");
  }

  /** As the classic protocol has them. */
  named(text: string): { readonly topic: string; readonly partitions: readonly number[] }[] {
    return listOf(this.partitions(text)).map(({ topicId, partitions }) => ({
      topic: this.coordinator.image.topicById(topicId)?.name ?? "gone",
      partitions,
    }));
  }

  heartbeat(name: string, fields: Parameters<typeof consumerHeartbeat>[0]): string {
    const client = this.client(name);
    const { errorCode, errorMessage, memberEpoch, assignment } = this.coordinator.ask(
      consumerHeartbeat({
        memberId: client.memberId,
        memberEpoch: client.epoch,
        rebalanceTimeoutMs: -1,
        subscribedTopicNames: null,
        topicPartitions: null,
        ...fields,
      }),
    );
    if (errorCode !== ErrorCode.None) {
      return `${name}: ${errorName(errorCode)}${errorMessage ? ` ${errorMessage}` : ""}`;
    }
    if (memberEpoch !== undefined) client.epoch = memberEpoch;
    if (!assignment) return `${name}: epoch ${memberEpoch}`;
    client.assigned = partitionsOf(assignment.topicPartitions);
    return `${name}: epoch ${memberEpoch}, has ${this.text(client.assigned)}`;
  }

  #named(line: string): string {
    let named = line;
    for (const [name, { memberId }] of this.#clients) {
      if (memberId !== "" && memberId !== name) named = named.replaceAll(memberId, name);
    }
    return named;
  }
}

const ACTIONS: Readonly<Record<string, Action>> = {
  "set": (script, words) => script.set(options(words)),
  "brokers": (script, racks) => script.coordinator.placeBrokers(racks),
  "topic": (script, [name = "", count = "1"]) => {
    script.coordinator.createTopic(name, Number(count));
  },
  "grow": (script, [name = "", count = "1"]) => {
    script.coordinator.addPartitions(name, Number(count));
  },
  "drop": (script, [name = ""]) => script.coordinator.deleteTopic(name),
  "join": (script, [name = "", ...words]) => {
    const given = options(words);
    const client = script.client(name);
    client.epoch = 0;
    client.instanceId = given.get("instance") ?? client.instanceId;
    return script.heartbeat(name, {
      ...told(given),
      instanceId: client.instanceId,
      subscribedTopicNames: names(given) ?? (given.has("regex") ? null : []),
      rebalanceTimeoutMs: 30_000,
      topicPartitions: [],
    });
  },
  "beat": (script, [name = "", ...words]) => {
    const given = options(words);
    const owned = given.get("owned");
    const epoch = given.get("epoch");
    const client = script.client(name);
    return script.heartbeat(name, {
      ...told(given),
      instanceId: client.instanceId,
      subscribedTopicNames: names(given),
      topicPartitions: owned === undefined ? null : listOf(script.partitions(owned)),
      memberEpoch: epoch === undefined ? client.epoch : Number(epoch),
    });
  },
  "ack": (script, [name = ""]) => {
    const { assigned, instanceId } = script.client(name);
    return script.heartbeat(name, { instanceId, topicPartitions: listOf(assigned) });
  },
  "leave": (script, [name = ""]) => {
    const { instanceId } = script.client(name);
    return script.heartbeat(name, { instanceId, memberEpoch: -1 });
  },
  "rest": (script, [name = ""]) => {
    const { instanceId } = script.client(name);
    return script.heartbeat(name, { instanceId, memberEpoch: -2 });
  },
  "classic-join": (script, [name = "", ...words]) => classicJoin(script, name, options(words)),
  "classic-sync": (script, [name = "", ...words]) => {
    const { memberId, epoch, instanceId, protocolName } = script.client(name);
    const assignedPartitions = script.named(words.join(" "));
    const asked = script.coordinator.send(sync({
      memberId,
      generationId: epoch,
      groupInstanceId: instanceId,
      protocolName,
      assignments: assignedPartitions.length === 0
        ? []
        : [{ memberId, assignment: writeAssignment({ assignedPartitions }) }],
    }));
    script.coordinator.wakeAll();
    if (asked.answer === undefined) return `${name}: waits for its assignment`;
    const { errorCode, assignment } = asked.answer;
    if (errorCode !== ErrorCode.None) return `${name}: ${errorName(errorCode)}`;
    const read = readAssignment(assignment);
    const text = read?.assignedPartitions
      .map(({ topic, partitions }) => `${topic}:${partitions.join(",")}`).sort().join(" ");
    return `${name}: is assigned ${text || "-"}`;
  },
  "classic-beat": (script, [name = ""]) => {
    const { memberId, epoch, instanceId } = script.client(name);
    const asked = heartbeat({ memberId, generationId: epoch, groupInstanceId: instanceId });
    return `${name}: ${errorName(script.coordinator.ask(asked).errorCode)}`;
  },
  "classic-leave": (script, [name = ""]) => {
    const { memberId } = script.client(name);
    const { errorCode, members } = script.coordinator.ask(leave(memberId));
    return `${name}: ${errorName(members?.[0]?.errorCode ?? errorCode)}`;
  },
  "commit": (script, [name = "", ...words]) => {
    const { memberId, epoch } = script.client(name);
    const given = options(words).get("epoch");
    const { topics } = script.coordinator.ask(commit({
      memberId,
      topic: "A",
      generationIdOrMemberEpoch: given === undefined ? epoch : Number(given),
    }));
    return `${name}: commit ${errorName(topics[0]?.partitions[0]?.errorCode ?? ErrorCode.None)}`;
  },
  "pass": (script, [ms = "0"]) => script.coordinator.advance(Number(ms)),
  "restart": (script) => script.coordinator.restart(),
  "group": (script) => groupText(script),
  "history": (script) => historyText(script),
  "list": ({ coordinator }) =>
    coordinator.shard.listGroups(coordinator.now, { statesFilter: [], typesFilter: [] })
      .map(({ groupId, groupState, groupType, protocolType }) =>
        `${groupId}: ${groupType} ${groupState} ${protocolType}`
      ),
};

function names(given: Options): readonly string[] | null {
  return given.get("topics")?.split(",").filter((name) => name !== "") ?? null;
}

function told(given: Options): Parameters<typeof consumerHeartbeat>[0] {
  return {
    subscribedTopicRegex: given.get("regex") ?? null,
    serverAssignor: given.get("assignor") ?? null,
    rackId: given.get("rack") ?? null,
  };
}

function classicJoin(script: GroupScript, name: string, given: Options): string {
  const client = script.client(name);
  if (client.memberId === name) client.memberId = "";
  client.instanceId = given.get("instance") ?? client.instanceId;
  const topics = names(given);
  const known = client.protocols[0];
  const before = known === undefined ? undefined : readSubscription(known.metadata);
  const metadata = writeSubscription({
    topics: topics ?? before?.topics ?? [],
    ownedPartitions: script.named(given.get("owned") ?? "-"),
  });
  client.protocols = (given.get("protocols") ?? "range").split(",")
    .map((protocol) => ({ name: protocol, metadata }));
  const asked = script.coordinator.send(join({
    memberId: client.memberId,
    groupInstanceId: client.instanceId,
    protocols: client.protocols,
  }));
  script.coordinator.wakeAll();
  if (asked.answer === undefined) return `${name}: waits to join`;
  const { errorCode, memberId, generationId, protocolName } = asked.answer;
  client.memberId = memberId;
  client.protocolName = protocolName;
  if (errorCode === ErrorCode.MemberIdRequired) return classicJoin(script, name, given);
  if (errorCode !== ErrorCode.None) return `${name}: ${errorName(errorCode)}`;
  client.epoch = generationId ?? -1;
  return `${name}: joined generation ${generationId} with ${protocolName}`;
}

function groupText(script: GroupScript): readonly string[] {
  const { coordinator } = script;
  const { errorCode, groupState, groupEpoch, assignmentEpoch, assignorName, members = [] } =
    coordinator.ask(describeConsumerGroup());
  if (errorCode !== ErrorCode.None) {
    const classic = coordinator.ask(describeGroup());
    const ids = classic.members?.map(({ memberId }) => memberId).join(", ") ?? "";
    return [`classic ${classic.groupState} ${classic.protocolData}: ${ids || "nobody"}`];
  }
  return [
    `${groupState} epoch=${groupEpoch} targets=${assignmentEpoch} ${assignorName}`,
    ...members.map((member) => {
      const has = script.text(partitionsOf(member.assignment.topicPartitions));
      const target = script.text(partitionsOf(member.targetAssignment.topicPartitions));
      const kind = member.memberType === 0 ? " classic" : "";
      const toHave = has === target ? "" : `, is to have ${target}`;
      return `  ${member.memberId} epoch=${member.memberEpoch}${kind} has ${has}${toHave}`;
    }),
  ];
}

function historyText({ coordinator }: GroupScript): readonly string[] {
  const body = { groupId: GROUP, includeHistory: true };
  const question = describeConsumerGroup();
  const answer = coordinator.ask({ ...question, body });
  const { history = [] } = answer.errorCode === ErrorCode.None
    ? answer
    : coordinator.ask({ ...describeGroup(), body });
  return history.map(({ generation, reason, memberCount, durationMs = -1 }) =>
    `epoch ${generation}: ${reason}; ${memberCount} member(s); ` +
    (durationMs < 0 ? "not ended" : `${durationMs} ms`)
  );
}
