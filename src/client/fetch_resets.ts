/**
 * Where to go on when the offset that is to be fetched is not there.
 *
 *     out of range    the log was cut below it, or begins behind it: the reader's rule decides
 *     diverging       the log was cut and has grown again: on at the first offset that is known to
 *                     differ (KIP-320)
 *     made anew       the topic was deleted, and there is another one of its name: from its start, all of
 *                     which is new
 *
 * Where the rule is "error" all of them are. Whatever was fetched before is handed out first: to move the
 * position under what is held would skip records. One "out of range" is not believed: it may come from
 * a broker that is behind, so the topic is looked up and the offset asked for once more.
 */
import { ErrorCode } from "../api/error_code.ts";
import { type Uuid, ZERO_UUID } from "../ground/uuid.ts";
import { type ClientError, errorOfCode } from "./client_error.ts";
import type { ClientTools } from "./client_tools.ts";
import type { ConsumerSettings } from "./consumer_options.ts";
import { actionOf, type FetchPosition, movePosition, NO_EPOCH } from "./fetch_position.ts";
import { listOffsetsOf } from "./list_offsets_call.ts";

/** A partition that is read on from somewhere else than where it stood. */
export interface OffsetReset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly newOffset: number;
  /** In words. */
  readonly message: string;
}

export interface FetchResetsOptions {
  readonly tools: ClientTools;
  readonly settings: ConsumerSettings;
  /** Whether what is read to an end is read to where its log ends, wherever that is by then. */
  readonly isToEnd: boolean;
  onReset?: ((reset: OffsetReset) => void) | undefined;
  /** To be fetched again behind a pause. */
  onLater(position: FetchPosition): void;
  onFailed(position: FetchPosition, error: ClientError): void;
  fail(error: ClientError): void;
}

export class FetchResets {
  readonly #options: FetchResetsOptions;

  constructor(options: FetchResetsOptions) {
    this.#options = options;
  }

  /** Whether its topic is another one by now. */
  isMadeAnew({ topicId }: FetchPosition, now: Uuid | undefined): boolean {
    return topicId !== undefined && now !== undefined && topicId !== now &&
      topicId !== ZERO_UUID && now !== ZERO_UUID;
  }

  async madeAnew(position: FetchPosition, topicId: Uuid): Promise<void> {
    const { topic, partition } = position;
    if (this.#isRefused(position, "its topic was deleted and made anew")) return;
    if (!isHandedOut(position)) return this.#options.onLater(position);
    const offset = await this.#lookUp(position, "start");
    if (offset === undefined) return;
    await this.#move(position, offset, {
      topicId,
      leaderEpoch: NO_EPOCH,
      event: "topic was made anew",
      message: `Topic ${topic} was deleted and made anew: ${topic}-${partition} is read from ` +
        `offset ${offset}`,
    });
  }

  async outOfRange(position: FetchPosition): Promise<void> {
    const { tools, settings: { onOutOfRange }, onLater } = this.#options;
    const { topic, partition, fetchOffset } = position;
    const detail = `offset ${fetchOffset} is not, or no longer, there`;
    if (onOutOfRange === "error") {
      this.#isRefused(position, detail);
      return;
    }
    if (!position.isDoubted || !isHandedOut(position)) {
      // Who answers next is to be who leads by what the cluster says now.
      if (!position.isDoubted) await tools.metadata.refresh(topic);
      position.isDoubted = true;
      onLater(position);
      return;
    }
    const offset = await this.#lookUp(position, onOutOfRange);
    if (offset === undefined) return;
    await this.#move(position, offset, {
      leaderEpoch: NO_EPOCH,
      event: "offset is out of range",
      message:
        `Offset ${fetchOffset} of ${topic}-${partition} is not, or no longer, there: it is ` +
        `read from its ${onOutOfRange}, ${offset}`,
    });
  }

  async diverging(
    position: FetchPosition,
    { epoch, endOffset }: { readonly epoch: number; readonly endOffset: number },
  ): Promise<void> {
    const { topic, partition, fetchOffset } = position;
    const newOffset = Math.min(endOffset, fetchOffset);
    if (this.#isRefused(position, `its log was cut at offset ${newOffset}, and has grown again`)) {
      return;
    }
    if (!isHandedOut(position)) return this.#options.onLater(position);
    await this.#move(position, newOffset, {
      leaderEpoch: epoch,
      event: "log was cut",
      message: `Records of ${topic}-${partition} between offsets ${newOffset} and ${fetchOffset} ` +
        `were lost by the cluster: it is read from offset ${newOffset}`,
    });
  }

  /** Undefined where it could not be looked up, or is wanted no more. */
  async #lookUp(position: FetchPosition, spec: "start" | "end"): Promise<number | undefined> {
    const { tools, settings, onFailed } = this.#options;
    const { topic, partition } = position;
    const [found] = await listOffsetsOf(tools, topic, spec, {
      partitions: [partition],
      isolation: settings.isReadCommitted ? "read_committed" : "read_uncommitted",
    });
    if (found?.error === undefined) return position.isRemoved ? undefined : found?.offset;
    onFailed(position, found.error);
    return undefined;
  }

  async #move(
    position: FetchPosition,
    newOffset: number,
    { topicId = position.topicId, leaderEpoch, event, message }: {
      readonly topicId?: Uuid;
      readonly leaderEpoch: number;
      /** For the trace. */
      readonly event: string;
      readonly message: string;
    },
  ): Promise<void> {
    const { tools, isToEnd, onReset } = this.#options;
    const { topic, partition, fetchOffset: offset } = position;
    if (isToEnd && position.until < Infinity) {
      const end = await this.#lookUp(position, "end");
      if (end === undefined) return;
      position.until = Math.min(position.until, end);
    }
    const where = { partition: `${topic}-${partition}`, offset, newOffset };
    tools.env.trace.event("warn", event, where);
    position.topicId = topicId;
    movePosition(position, newOffset, leaderEpoch);
    onReset?.({ topic, partition, offset, newOffset, message });
  }

  /** Ends the reader where its rule is that a gap is an error. */
  #isRefused(position: FetchPosition, detail: string): boolean {
    const { settings, fail } = this.#options;
    if (settings.onOutOfRange !== "error") return false;
    fail(errorOfCode(ErrorCode.OffsetOutOfRange, actionOf(position), detail));
    return true;
  }
}

/** Whether nothing that was fetched waits to be handed out. */
function isHandedOut({ readOffset, fetchOffset }: FetchPosition): boolean {
  return readOffset === fetchOffset;
}
