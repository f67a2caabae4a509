/** `mq topic describe`: partitions, offsets and settings of topics. */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { type Failure, failureOf } from "../failure.ts";
import { failureDocument } from "../printer.ts";
import { type Client, withClient } from "../session.ts";

export const topicDescribe: CommandSpec = {
  path: "topic describe",
  aliases: ["topic desc"],
  summary: "Show partitions, offsets and settings of topics",
  arguments: [{ name: "NAME", isMany: true }],
  flags: [
    {
      name: "section",
      value: "SECTION",
      choices: ["all", "summary", "partitions", "config"],
      summary: "only this part: summary, partitions or config",
    },
  ],
  details: [
    "As text only the settings that differ from the broker's are shown; --json has them all, under " +
    'config. Of several topics --json gives {"results":[…]}.',
  ],
  examples: [
    ["Everything about a topic", "mq topic describe orders"],
    ["One setting", "mq topic describe orders --json | jq -r '.config[\"retention.ms\"]'"],
  ],
  run: (context) => withClient(context, (client) => describe(context, client)),
};

interface PartitionDescription {
  readonly partition: number;
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  /** Its log is damaged, or on a disk that has failed. */
  readonly isOffline: boolean;
  readonly startOffset: number | null;
  readonly endOffset: number | null;
}

interface TopicDescription {
  readonly name: string;
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly replicationFactor: number;
  readonly partitions: readonly PartitionDescription[];
  readonly config: Readonly<Record<string, string | null>>;
}

/** What `config` leaves to the reader: which values were set on the topic itself. */
interface Described {
  readonly name: string;
  readonly topic?: TopicDescription;
  readonly ownSettings: readonly string[];
  readonly failure?: Failure;
}

async function describe(context: Context, client: Client): Promise<ExitCode> {
  const { printer } = context;
  const names = [...new Set(context.arguments)];
  const described = await describeAll(client, names);
  const failed = described.find(({ failure }) => failure !== undefined)?.failure;
  if (described.length === 1 && failed !== undefined) throw failed;
  if (printer.isJson) await printJson(context, described);
  else {
    for (const { topic, ownSettings, failure } of described) {
      if (failure !== undefined) printer.complain(failure);
      else if (topic !== undefined) await printText(context, topic, ownSettings);
    }
  }
  return failed?.exitCode ?? ExitCode.Done;
}

async function describeAll(
  client: Client,
  names: readonly string[],
): Promise<readonly Described[]> {
  const results = await client.admin.describeTopics(names);
  const found = results.flatMap(({ topic }) => topic === undefined ? [] : [topic.name]);
  const configs = new Map(
    (await client.admin.describeConfigs(found)).map((result) => [result.name, result.configs]),
  );
  return await Promise.all(results.map(async ({ name, topic, error }): Promise<Described> => {
    if (topic === undefined) return { name, ownSettings: [], failure: failureOf(error) };
    // One whose log cannot be served has no offsets to tell, and would be asked until time is up.
    const served = topic.partitions.filter((partition) =>
      partition.leaderId >= 0 && !isOffline(partition)
    );
    const options = { partitions: served.map(({ partition }) => partition) };
    const [starts, ends] = await Promise.all([
      client.admin.listOffsets(name, "start", options),
      client.admin.listOffsets(name, "end", options),
    ]);
    const settings = configs.get(name) ?? [];
    const offsetIn = (listed: typeof starts, partition: number): number | null => {
      const found = listed.find((entry) => entry.partition === partition);
      return found === undefined || found.error !== undefined ? null : found.offset;
    };
    return {
      name,
      ownSettings: settings.filter(({ source }) => source === "DYNAMIC_TOPIC_CONFIG")
        .map((setting) => setting.name),
      topic: {
        name,
        topicId: topic.topicId,
        isInternal: topic.isInternal,
        replicationFactor: topic.partitions[0]?.replicas.length ?? 0,
        partitions: topic.partitions.map((partition) => ({
          partition: partition.partition,
          leader: partition.leaderId,
          leaderEpoch: partition.leaderEpoch,
          replicas: partition.replicas,
          isr: partition.isr,
          isOffline: isOffline(partition),
          startOffset: offsetIn(starts, partition.partition),
          endOffset: offsetIn(ends, partition.partition),
        })),
        config: Object.fromEntries(settings.map((setting) => [setting.name, setting.value])),
      },
    };
  }));
}

/** Not what is unknown: an older broker does not tell of offline replicas. */
function isOffline(
  { leaderId, offlineReplicas }: {
    readonly leaderId: number;
    readonly offlineReplicas?: readonly number[];
  },
): boolean {
  return offlineReplicas?.includes(leaderId) === true;
}

async function printJson({ printer }: Context, described: readonly Described[]): Promise<void> {
  const documents = described.map(({ name, topic, failure }) =>
    failure === undefined ? topic : { name, error: failureDocument(failure) }
  );
  const [only] = documents;
  if (documents.length === 1 && only !== undefined) await printer.printJson(only);
  else await printer.printJson({ results: documents });
}

async function printText(
  { printer, flags }: Context,
  topic: TopicDescription,
  ownSettings: readonly string[],
): Promise<void> {
  const { format, out } = printer;
  if (format === "name") return await printer.printLines([topic.name]);
  const section = flags.text("section") ?? "all";
  const isWanted = (name: string): boolean => section === "all" || section === name;
  const heads = section === "all" && format !== "csv";
  if (isWanted("summary") && format !== "csv") {
    await printer.printLines([
      `${out.bold("name")}\t${topic.name}`,
      `${out.bold("id")}\t${topic.topicId}`,
      `${out.bold("partitions")}\t${topic.partitions.length}`,
      `${out.bold("replicas")}\t${topic.replicationFactor}`,
    ]);
  }
  if (isWanted("partitions")) {
    if (heads) await printer.print("\n");
    await printer.printList({ names: [], items: topic.partitions, table: partitionTable(topic) });
    warnOfUnserved(printer, topic);
  }
  if (isWanted("config") && (section === "config" || (ownSettings.length > 0 && heads))) {
    if (heads) await printer.print("\n");
    await printer.printList({
      names: ownSettings,
      items: [],
      table: {
        columns: ["SETTING", "VALUE"],
        rows: ownSettings.map((name) => [name, topic.config[name] ?? null]),
      },
    });
  }
}

/** Those that neither take nor give records, and whom to ask. */
function warnOfUnserved(printer: Context["printer"], topic: TopicDescription): void {
  for (const { partition, leader, replicas, isOffline } of topic.partitions) {
    if (isOffline) {
      printer.warn(
        `${topic.name}-${partition} is offline: its disk has failed, or its log is damaged`,
        `See what broker ${leader} logs; on its machine mq log verify and mq storage info say more`,
      );
    } else if (leader < 0) {
      printer.warn(
        `${topic.name}-${partition} has no leader: no broker that has its log is there`,
        `Start broker ${replicas.join(" or ")}, or see what its log says`,
      );
    }
  }
}

function partitionTable(topic: TopicDescription): Parameters<
  Context["printer"]["printTable"]
>[0] {
  return {
    columns: ["PARTITION", "LEADER", "EPOCH", "REPLICAS", "ISR", "START-OFFSET", "END-OFFSET"],
    rows: topic.partitions.map((partition) => [
      partition.partition,
      partition.leader,
      partition.leaderEpoch,
      partition.replicas.join(","),
      partition.isr.join(","),
      partition.startOffset,
      partition.endOffset,
    ]),
  };
}
