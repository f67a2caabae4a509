/**
 * Takes partitions from the application, to give them back or because they are lost.
 *
 * A partition is given back in this order: nothing more of it is handed out, and the application is told;
 * it comes back for more, or has dealt with all that it was handed; `onRevoked` is awaited; under "auto"
 * what is done is committed; the machine is told, which tells the coordinator.
 */
import { errorFrom } from "./client_error.ts";
import type { Progress } from "./group/group_progress.ts";
import type { GroupMember } from "./group_member.ts";
import type { TopicPartition } from "./group_options.ts";
import type { GroupApplication } from "./group_application.ts";
import { sleep } from "./retry.ts";

export interface GroupDeparturesOptions {
  readonly member: GroupMember;
  readonly application: GroupApplication;
  /** Commits what is done of these; never throws. */
  commit(timeoutMs: number, entries: readonly Progress[]): Promise<void>;
}

export class GroupDepartures {
  readonly #options: GroupDeparturesOptions;

  constructor(options: GroupDeparturesOptions) {
    this.#options = options;
  }

  async revoke(partitions: readonly TopicPartition[], serial: number): Promise<void> {
    const { member: { options, progress, membership, signal, now, onChange } } = this.#options;
    const entries = this.#withdraw(partitions);
    options.onRevoking?.(partitions);
    await this.#settled(entries);
    const still = entries.filter((entry) => progress.has(entry));
    if (still.length > 0 && !signal.aborted) await this.#handOver(still);
    for (const entry of still) progress.delete(entry);
    membership.revoked(now(), serial);
    onChange();
  }

  /** They are somebody else's already. */
  lose(partitions: readonly TopicPartition[]): void {
    const { member: { options, progress }, application } = this.#options;
    for (const entry of this.#withdraw(partitions)) progress.delete(entry);
    options.onLost?.(partitions);
    application.poke();
  }

  /** Nothing more of these is fetched or handed out. */
  #withdraw(partitions: readonly TopicPartition[]): readonly Progress[] {
    const { progress, fetcher } = this.#options.member;
    const entries = partitions.flatMap((partition) => progress.get(partition) ?? []);
    for (const entry of entries) {
      entry.isLeaving = true;
      if (entry.position !== undefined) fetcher.remove(entry.position);
    }
    return entries;
  }

  /** Resolves when the application can be said to be through with these, or they are lost. */
  async #settled(entries: readonly Progress[]): Promise<void> {
    const { member: { progress, signal }, application } = this.#options;
    while (application.isHeld && !progress.isFinished(entries) && !signal.aborted) {
      await application.news();
    }
  }

  async #handOver(entries: readonly Progress[]): Promise<void> {
    const { member: { options, settings, tools, signal }, commit } = this.#options;
    const own = entries.map(({ topic, partition }) => ({ topic, partition }));
    const revoking = options.onRevoked?.(own);
    if (revoking !== undefined) await this.#bounded(revoking);
    const timeoutMs = Math.min(tools.requestTimeoutMs, settings.rebalanceTimeoutMs / 2);
    if (settings.isAuto && !signal.aborted) await commit(timeoutMs, entries);
  }

  /** What the application does at a revocation may take as long as a rebalance may. */
  async #bounded(promise: Promise<void>): Promise<void> {
    const { tools: { env: { clock } }, settings, signal, fail } = this.#options.member;
    const patience = new AbortController();
    const either = AbortSignal.any([patience.signal, signal]);
    const limit = sleep(clock, settings.rebalanceTimeoutMs, either).catch(() => undefined);
    try {
      await Promise.race([promise, limit]);
    } catch (thrown) {
      fail(errorFrom(thrown, "Cannot give partitions back"));
    }
    patience.abort();
  }
}
