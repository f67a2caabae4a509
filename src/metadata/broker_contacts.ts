/**
 * When each broker was last heard of: what the active controller knows beside the image, and loses with
 * its leadership.
 *
 * A new active controller gives every broker a whole session from its first moment on: it has heard of
 * none yet. Its own node is always in contact. Nothing is fenced here; who is overdue is decided about
 * by `decideFenceBroker`.
 * Source: kafka: BrokerHeartbeatManager.
 */
import { type Ms, toMs } from "../ground/numbers.ts";

interface Contact {
  lastMs: Ms;
  /** Offset behind what the broker told that it has of the metadata log. */
  metadataOffset: number;
  /** Where a controlled shutdown is under way: offset behind what moved its partitions. */
  shutdownOffset: number | undefined;
}

export class BrokerContacts {
  readonly #sessionMs: number;
  readonly #contacts = new Map<number, Contact>();
  #ownId: number | undefined;

  constructor(sessionMs: number) {
    this.#sessionMs = sessionMs;
  }

  /** On new leadership: of `brokerIds`, which are not fenced, nothing was heard yet. */
  reset(now: Ms, brokerIds: Iterable<number>, ownId: number | undefined): void {
    this.#ownId = ownId;
    this.#contacts.clear();
    for (const brokerId of brokerIds) this.contact(brokerId, now);
  }

  /** The broker was heard of. A time before the one known does not count: clocks do not go back. */
  contact(brokerId: number, now: Ms, metadataOffset = 0): void {
    const known = this.#contacts.get(brokerId);
    if (known === undefined) {
      this.#contacts.set(brokerId, { lastMs: now, metadataOffset, shutdownOffset: undefined });
      return;
    }
    known.lastMs = toMs(Math.max(known.lastMs, now));
    known.metadataOffset = Math.max(known.metadataOffset, metadataOffset);
  }

  /** Another incarnation has registered: what the one before had told does not hold for it. */
  register(brokerId: number, now: Ms): void {
    this.#contacts.delete(brokerId);
    this.contact(brokerId, now);
  }

  /** It is fenced or not registered any more: there is nothing to wait for. */
  forget(brokerId: number): void {
    this.#contacts.delete(brokerId);
  }

  isInContact(brokerId: number, now: Ms): boolean {
    if (brokerId === this.#ownId) return true;
    const contact = this.#contacts.get(brokerId);
    return contact !== undefined && now < contact.lastMs + this.#sessionMs;
  }

  /** Those whose session is over, in the order of their ids. */
  overdue(now: Ms): readonly number[] {
    return [...this.#contacts.keys()]
      .filter((brokerId) => !this.isInContact(brokerId, now))
      .sort((one, other) => one - other);
  }

  /** When the first session may be over; undefined where there is none to watch. */
  get wakeAt(): Ms | undefined {
    let first: number | undefined;
    for (const [brokerId, { lastMs }] of this.#contacts) {
      if (brokerId === this.#ownId) continue;
      first = Math.min(first ?? Infinity, lastMs + this.#sessionMs);
    }
    return first === undefined ? undefined : toMs(first);
  }

  /** The broker's partitions have moved by the records before this offset. The first one stays. */
  shutsDownBy(brokerId: number, offset: number): void {
    const contact = this.#contacts.get(brokerId);
    if (contact !== undefined) contact.shutdownOffset ??= offset;
  }

  /**
   * Whether all of `others` have the records that moved the partitions of a broker that shuts down. A
   * controller that does not know when that was lets it go, as does Kafka's.
   */
  haveSeen(brokerId: number, others: Iterable<number>): boolean {
    const offset = this.#contacts.get(brokerId)?.shutdownOffset;
    if (offset === undefined) return true;
    for (const other of others) {
      if (other === brokerId || other === this.#ownId) continue;
      const contact = this.#contacts.get(other);
      if (contact !== undefined && contact.metadataOffset < offset) return false;
    }
    return true;
  }
}
