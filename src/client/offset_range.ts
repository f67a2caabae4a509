/**
 * From a range as people say it ("the last ten", "since nine o'clock") to offsets per partition.
 *
 * Everything is settled when it is asked: "end" is the end at that moment, so that a range with an
 * end ends. An offset below the first that is there becomes that one; one above the end stays as it
 * is, and the consumer says that it is out of range. Not here: the grammar of text, the program's.
 */
import type { OffsetSpec } from "./admin_results.ts";
import type { Assignment, Isolation } from "./consumer_options.ts";
import type { Admin } from "./admin.ts";
import { ClientError } from "./client_error.ts";
import type { RetryReport } from "./retry_report.ts";

export type OffsetPoint =
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  | { readonly kind: "offset"; readonly offset: number }
  /** So many behind the start. */
  | { readonly kind: "from-start"; readonly count: number }
  /** So many before the end; per partition. */
  | { readonly kind: "from-end"; readonly count: number }
  /** The first record that is not older: milliseconds since 1970. The end where there is none. */
  | { readonly kind: "time"; readonly timestamp: number };

export interface OffsetRange {
  readonly from: OffsetPoint;
  /** Not included; absent = follow. */
  readonly until?: OffsetPoint;
}

export interface ResolveOptions {
  /** All where left out. */
  readonly partitions?: readonly number[];
  readonly isolation?: Isolation;
  /** Hears of every failure behind which a partition is asked about again. */
  readonly onRetry?: (report: RetryReport) => void;
}

/** The assignments for a topic, by partition. Throws a `ClientError`. */
export async function resolveOffsets(
  client: { readonly admin: Pick<Admin, "listOffsets"> },
  topic: string,
  range: OffsetRange,
  options: ResolveOptions = {},
): Promise<readonly Assignment[]> {
  const lookup = new Lookup(client.admin, topic, options);
  const [starts, from, until] = await Promise.all([
    lookup.offsets("start"),
    lookup.points(range.from),
    range.until === undefined ? undefined : lookup.points(range.until),
  ]);
  return [...starts].map(([partition, start]) => {
    const assignment = { topic, partition, from: Math.max(from.get(partition) ?? start, start) };
    const end = until?.get(partition);
    return end === undefined ? assignment : { ...assignment, until: end };
  });
}

/** Each question is asked once, however many points need its answer. */
class Lookup {
  readonly #admin: Pick<Admin, "listOffsets">;
  readonly #topic: string;
  readonly #options: ResolveOptions;
  readonly #asked = new Map<string, Promise<ReadonlyMap<number, number>>>();

  constructor(admin: Pick<Admin, "listOffsets">, topic: string, options: ResolveOptions) {
    this.#admin = admin;
    this.#topic = topic;
    this.#options = options;
  }

  offsets(spec: OffsetSpec): Promise<ReadonlyMap<number, number>> {
    const key = typeof spec === "string" ? spec : String(spec.timestamp);
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      asked = this.#ask(spec);
      this.#asked.set(key, asked);
    }
    return asked;
  }

  async points(point: OffsetPoint): Promise<ReadonlyMap<number, number>> {
    switch (point.kind) {
      case "start":
      case "end":
        return await this.offsets(point.kind);
      case "offset":
        return shifted(await this.offsets("start"), () => point.offset);
      case "from-start":
        return shifted(await this.offsets("start"), (start) => start + point.count);
      case "from-end":
        return shifted(await this.offsets("end"), (end) => Math.max(end - point.count, 0));
      case "time": {
        const [found, ends] = await Promise.all([
          this.offsets({ timestamp: point.timestamp }),
          this.offsets("end"),
        ]);
        return new Map(
          [...found].map(([partition, offset]) => {
            return [partition, offset < 0 ? ends.get(partition) ?? 0 : offset];
          }),
        );
      }
    }
  }

  async #ask(spec: OffsetSpec): Promise<ReadonlyMap<number, number>> {
    const listed = await this.#admin.listOffsets(this.#topic, spec, this.#options);
    const offsets = new Map<number, number>();
    for (const { partition, offset, error } of listed) {
      if (error instanceof ClientError) throw error;
      offsets.set(partition, offset);
    }
    return offsets;
  }
}

function shifted(
  offsets: ReadonlyMap<number, number>,
  shift: (offset: number) => number,
): ReadonlyMap<number, number> {
  return new Map([...offsets].map(([partition, offset]) => [partition, shift(offset)]));
}
