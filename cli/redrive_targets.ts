/** The topics that dead letters go into: how many partitions they have, where they end, what has arrived. */
import { headerText, REDRIVE_ID } from "./dead_letter.ts";
import { failureOf } from "./failure.ts";
import { letters } from "./letter_box.ts";
import type { Ends } from "./redrive_mark.ts";
import type { Client } from "./session.ts";

export interface TargetPlace {
  readonly target: string;
  /** Undefined = as the key says. */
  readonly partition: number | undefined;
}

export class RedriveTargets {
  readonly #client: Client;
  readonly #counts = new Map<string, number>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** Undefined where there is no such topic. */
  async partitionCount(target: string): Promise<number | undefined> {
    const known = this.#counts.get(target);
    if (known !== undefined) return known;
    const [described] = await this.#client.admin.describeTopics([target]);
    if (described?.topic === undefined) {
      const failure = failureOf(described?.error);
      if (failure.code === "UNKNOWN_TOPIC_OR_PARTITION") return undefined;
      throw failure;
    }
    const count = described.topic.partitions.length;
    this.#counts.set(target, count);
    return count;
  }

  /** Where the partitions end that are meant. */
  async endsOf(places: readonly TargetPlace[]): Promise<Ends> {
    const targets = [...new Set(places.map(({ target }) => target))];
    return new Map(
      await Promise.all(targets.map(async (target) => {
        const wanted = places.filter((one) => one.target === target)
          .map(({ partition }) => partition);
        const known = wanted.filter((partition) => partition !== undefined);
        const isAll = known.length < wanted.length;
        const options = isAll ? {} : { partitions: [...new Set(known)] };
        const listed = await this.#client.admin.listOffsets(target, "end", options);
        const failed = listed.find(({ error }) => error !== undefined)?.error;
        if (failed !== undefined) throw failed;
        const ends = listed.map(({ partition, offset }) => [partition, offset] as const);
        return [target, new Map(ends)] as const;
      })),
    );
  }

  /** Ids of letters that begin with `prefix` and have arrived behind `ends`. */
  async arrivedIds(prefix: string, ends: Ends): Promise<ReadonlySet<string>> {
    const found = new Set<string>();
    for (const [target, froms] of ends) {
      // deno-lint-ignore no-await-in-loop -- one target after the other
      const spans = await spansBehind(this.#client, target, froms);
      for (const span of spans) {
        for await (const record of letters(this.#client, { topic: target, ...span })) {
          const id = headerText(record.headers, REDRIVE_ID);
          if (id?.startsWith(prefix) === true) found.add(id);
        }
      }
    }
    return found;
  }
}

async function spansBehind(
  client: Client,
  topic: string,
  froms: ReadonlyMap<number, number>,
): Promise<
  readonly { readonly partition: number; readonly from: number; readonly until: number }[]
> {
  const [described] = await client.admin.describeTopics([topic]);
  if (described?.topic === undefined) return []; // what has gone with it is not there
  const there = new Set(described.topic.partitions.map(({ partition }) => partition));
  const partitions = [...froms.keys()].filter((partition) => there.has(partition));
  const [starts, ends] = await Promise.all([
    client.admin.listOffsets(topic, "start", { partitions }),
    client.admin.listOffsets(topic, "end", { partitions }),
  ]);
  const failed = [...starts, ...ends].find(({ error }) => error !== undefined)?.error;
  if (failed !== undefined) throw failed;
  return partitions.map((partition) => {
    const start = starts.find((one) => one.partition === partition)?.offset ?? 0;
    const until = ends.find((one) => one.partition === partition)?.offset ?? 0;
    return { partition, from: Math.max(froms.get(partition) ?? 0, start), until };
  });
}
