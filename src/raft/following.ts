/**
 * The follower: taking over a leader's entries, its commit offset and its snapshot (Raft §5.3, §7).
 *
 * A reply promises only what is durable. Entries that are not yet are promised by a reply that leaves
 * with `sendWhenDurable`; an empty request is answered at once, with what is durable by now, so that
 * a slow disk does not look like a dead follower.
 */
import { type Offset, toOffset } from "../ground/numbers.ts";
import { type Configuration, isSameReplica } from "./configuration.ts";
import { type Core, provenOffset } from "./core.ts";
import type { Entry, SnapshotId } from "./entry.ts";
import type { AppendReply, AppendRequest, SnapshotOffer } from "./message.ts";

export function onAppendRequest(core: Core, request: AppendRequest): void {
  const { log } = core;
  core.hearLeader(request.from);
  const { prevOffset, prevTerm, entries } = request;
  if (prevOffset < core.commitOffset && !core.isSabotaged("truncate-committed")) {
    // A late request. What is committed is the same everywhere, so it is promised without a look.
    core.sendInTerm(accept(core, request, provenOffset(core, core.commitOffset)));
    return;
  }
  if (log.termAt(prevOffset) !== prevTerm) {
    core.sendInTerm(refuse(core, request));
    return;
  }
  takeOver(core, request);
  const verified = entries.at(-1)?.nextOffset ?? prevOffset;
  const known = core.isSabotaged("commit-unverified") ? log.endOffset : verified;
  const commitOffset = Math.min(request.commitOffset, known);
  if (commitOffset > core.commitOffset) core.commitTo(commitOffset);
  if (entries.length === 0 || provenOffset(core, verified) === verified) {
    core.sendInTerm(accept(core, request, provenOffset(core, verified)));
  } else core.sendDurably(accept(core, request, verified));
}

/** Appends what is new. Cuts the log only where an entry really differs: requests may come late. */
function takeOver(core: Core, { entries, records }: AppendRequest): void {
  const { log } = core;
  let index = 0;
  if (!core.isSabotaged("truncate-always") && !core.isSabotaged("truncate-committed")) {
    while (index < entries.length && isInLog(core, entries[index] as Entry)) index++;
  }
  const first = entries[index];
  if (first === undefined) return;
  if (first.baseOffset < log.endOffset) core.truncateTo(first.baseOffset);
  for (const entry of entries.slice(index)) log.append(entry);
  core.persistence.addRecords({ from: first.baseOffset, upTo: log.endOffset, records });
}

/** The same place and the same term is the same entry (Log Matching). */
function isInLog(core: Core, entry: Entry): boolean {
  const own = core.log.entryAt(entry.baseOffset);
  return own !== undefined && own.term === entry.term && own.nextOffset === entry.nextOffset;
}

export function onSnapshotOffer(core: Core, offer: SnapshotOffer): void {
  core.hearLeader(offer.from);
  const { snapshot, from, configuration } = offer;
  if (snapshot.offset <= core.commitOffset && !core.isSabotaged("snapshot-goes-back")) {
    core.sendInTerm(accept(core, offer, provenOffset(core, core.commitOffset)));
    return;
  }
  if (core.log.termAt(snapshot.offset) === snapshot.term) {
    core.commitTo(snapshot.offset); // a snapshot holds only what is committed
    core.sendInTerm(accept(core, offer, provenOffset(core, snapshot.offset)));
    return;
  }
  const { fetching } = core;
  const isKnown = fetching !== undefined && isSameSnapshot(fetching.snapshot, snapshot) &&
    isSameReplica(fetching.from, from);
  if (!isKnown) {
    core.fetching = { from, snapshot, configuration };
    core.isFetchNew = true;
  }
  core.sendInTerm({ ...accept(core, offer, toOffset(0)), isAccepted: false });
}

/** A fetched snapshot is durable. It replaces the log, unless the log has got there by itself. */
export function onSnapshotInstalled(
  core: Core,
  snapshot: SnapshotId,
  configuration: Configuration,
): void {
  const isLate = snapshot.offset <= core.commitOffset && !core.isSabotaged("snapshot-goes-back");
  onSnapshotFailed(core, snapshot); // in any case the fetch is over
  if (isLate || core.roleName === "leader") return; // a leader never loads a snapshot (KIP-630)
  if (core.log.termAt(snapshot.offset) === snapshot.term) {
    core.commitTo(snapshot.offset);
    return;
  }
  const common = core.commitOffset;
  core.log.resetTo(snapshot, configuration);
  core.persistence.resetTo(snapshot, common);
  core.snapshot = { ...snapshot, configuration };
  core.commitOffset = snapshot.offset;
  core.appliedOffset = snapshot.offset;
  core.applyIssued = snapshot.offset;
  if (core.leader === undefined) return;
  core.sendDurably({
    kind: "AppendReply",
    from: core.self,
    to: core.leader,
    term: core.term,
    isAccepted: true,
    matchOffset: snapshot.offset,
    readSequence: 0,
  });
}

export function onSnapshotFailed(core: Core, snapshot: SnapshotId): void {
  if (core.fetching !== undefined && isSameSnapshot(core.fetching.snapshot, snapshot)) {
    core.fetching = undefined;
    core.isFetchNew = false;
  }
}

/** A snapshot of the own state: what it holds need not be kept as a log. */
export function onSnapshotTaken(core: Core, snapshot: SnapshotId): void {
  if (snapshot.offset <= core.log.startOffset) return; // an older one, told late
  if (snapshot.offset > core.appliedOffset) return; // of a state that is not this machine's
  const configuration = core.log.configurationAt(snapshot.offset);
  core.log.compactTo(snapshot);
  core.snapshot = { ...snapshot, configuration };
}

function isSameSnapshot(one: SnapshotId, other: SnapshotId): boolean {
  return one.offset === other.offset && one.term === other.term;
}

function accept(
  core: Core,
  request: AppendRequest | SnapshotOffer,
  matchOffset: Offset,
): AppendReply {
  return {
    kind: "AppendReply",
    from: core.self,
    to: request.from,
    term: core.term,
    isAccepted: true,
    matchOffset,
    readSequence: request.readSequence,
  };
}

/** Names the last place where both logs may still agree. */
function refuse(core: Core, request: AppendRequest): AppendReply {
  const hint = core.log.lastPositionWithin(request.prevOffset, request.prevTerm) ??
    { offset: core.log.startOffset, term: core.log.termAt(core.log.startOffset) ?? 0 };
  return {
    ...accept(core, request, toOffset(0)),
    isAccepted: false,
    hint: { offset: hint.offset, term: hint.term },
  };
}
