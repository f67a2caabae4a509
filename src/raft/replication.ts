/**
 * The leader's side of copying the log: what goes to each follower, and appending own entries.
 *
 * Nothing is sent at once. Events change the progress of followers, and when a Ready is taken
 * `sendAll` makes the requests, so that ten proposals made in one turn are one request. A leader sends
 * before its own sync; it counts itself only up to what is durable (`leading.ts`).
 */
import { assert } from "../ground/assert.ts";
import { type Offset, toOffset } from "../ground/numbers.ts";
import type { Configuration } from "./configuration.ts";
import type { Core } from "./core.ts";
import type { Entry } from "./entry.ts";
import type { Leadership } from "./leadership.ts";
import type { Progress } from "./progress.ts";
import type { OutgoingAppend } from "./ready.ts";

/** Estimates: the driver makes these batches (see `Entry.byteLength`). */
const CONTROL_BATCH_BYTES = 128;
const VOTER_BYTES = 96;
/** For so many election timeouts a replica that was removed is still served. */
const FAREWELL_TIMEOUTS = 10;

const NO_ENTRIES: readonly Entry[] = [];

/** Appends an entry of the own term. */
export function appendOwn(
  core: Core,
  entry: Omit<Entry, "baseOffset" | "nextOffset" | "term"> & { readonly recordCount: number },
): Entry {
  const { recordCount, byteLength, configuration } = entry;
  const baseOffset = core.log.endOffset;
  const plain = {
    baseOffset,
    nextOffset: toOffset(baseOffset + recordCount),
    term: core.term,
    byteLength,
  };
  let appended: Entry = plain;
  if (configuration !== undefined) appended = { ...plain, configuration };
  else if (entry.isLeaderChange === true) appended = { ...plain, isLeaderChange: true };
  core.log.append(appended);
  return appended;
}

/** A new configuration, in force from now on (Raft §6). */
export function appendConfiguration(
  core: Core,
  leadership: Leadership,
  configuration: Configuration,
): void {
  const replicaCount = configuration.voters.length + configuration.learners.length +
    (configuration.outgoing?.length ?? 0);
  appendOwn(core, {
    recordCount: 1,
    byteLength: CONTROL_BATCH_BYTES + VOTER_BYTES * replicaCount,
    configuration,
  });
  followConfiguration(core, leadership);
}

export function appendLeaderChange(core: Core): Offset {
  const entry = appendOwn(core, {
    recordCount: 1,
    byteLength: CONTROL_BATCH_BYTES,
    isLeaderChange: true,
  });
  return entry.nextOffset;
}

/** Brings the list of followers in line with the configuration in force. */
export function followConfiguration(core: Core, leadership: Leadership): void {
  const { log, now, options } = core;
  leadership.setMembers(log.configuration, core.self, {
    nextOffset: log.endOffset,
    nowMs: now,
    servedUntilMs: now + options.electionTimeoutMs * FAREWELL_TIMEOUTS,
  });
}

/** Every follower gets a request with the next Ready, be it empty: a heartbeat. */
export function nudgeAll(leadership: Leadership): void {
  for (const progress of leadership.progresses) progress.isNudged = true;
}

/** The commit offset moved: followers that are known to match hear of it now, not a beat later. */
export function nudgeCommit(core: Core, leadership: Leadership): void {
  for (const progress of leadership.progresses) {
    // A request tells of commits up to its own end only, so there is no news beyond that: without
    // this bound, answers and requests would chase each other while entries wait to be written.
    const tellable = Math.min(core.commitOffset, progress.nextOffset);
    const isNews = progress.state === "replicate" && progress.sentCommitOffset < tellable;
    if (isNews) progress.isNudged = true;
  }
}

/** Makes the requests that are due. */
export function sendAll(core: Core, leadership: Leadership): void {
  for (const progress of leadership.progresses) {
    send(core, leadership, progress);
    progress.isNudged = false;
  }
}

function send(core: Core, leadership: Leadership, progress: Progress): void {
  if (progress.state !== "snapshot" && progress.nextOffset < core.log.startOffset) {
    progress.becomeSnapshot();
  }
  switch (progress.state) {
    case "snapshot":
      if (progress.isNudged) sendOffer(core, leadership, progress);
      break;
    case "probe":
      if (!progress.isProbing) sendEntries(core, leadership, progress);
      else if (progress.isNudged) sendAppend(core, leadership, { progress, entries: NO_ENTRIES });
      break;
    case "replicate":
      sendPipelined(core, leadership, progress);
      break;
  }
}

/** In probe: once with entries, and then it waits for an answer. */
function sendEntries(core: Core, leadership: Leadership, progress: Progress): void {
  const entries = core.log.slice(progress.nextOffset, core.options.appendBytesMax);
  sendAppend(core, leadership, { progress, entries });
  progress.sent(entries.at(-1)?.nextOffset ?? progress.nextOffset);
}

function sendPipelined(core: Core, leadership: Leadership, progress: Progress): void {
  const { log, options } = core;
  let isSilent = true;
  while (progress.nextOffset < log.endOffset && progress.inflightCount < options.inflightMax) {
    const entries = log.slice(progress.nextOffset, options.appendBytesMax);
    sendAppend(core, leadership, { progress, entries });
    progress.sent((entries.at(-1) as Entry).nextOffset);
    isSilent = false;
  }
  if (isSilent && progress.isNudged) {
    sendAppend(core, leadership, { progress, entries: NO_ENTRIES });
  }
}

function sendAppend(
  core: Core,
  leadership: Leadership,
  what: { readonly progress: Progress; readonly entries: readonly Entry[] },
): void {
  const { progress, entries } = what;
  const prevTerm = core.log.termAt(progress.nextOffset);
  assert(prevTerm !== undefined, "what goes to a follower begins where a batch ends");
  const upTo = entries.at(-1)?.nextOffset ?? progress.nextOffset;
  const message: OutgoingAppend = {
    kind: "AppendRequest",
    from: core.self,
    to: progress.address,
    term: core.term,
    prevOffset: progress.nextOffset,
    prevTerm,
    entries,
    commitOffset: core.commitOffset,
    readSequence: leadership.readSequence,
    range: entries.length === 0 ? undefined : { from: progress.nextOffset, upTo },
  };
  progress.sentCommitOffset = Math.min(core.commitOffset, upTo);
  core.sendNow.push(message);
}

/** Always the newest snapshot: an older one may be deleted while it is fetched (etcd #18055). */
function sendOffer(core: Core, leadership: Leadership, progress: Progress): void {
  const { snapshot } = core;
  assert(snapshot !== undefined, "a log that does not begin at 0 has a snapshot before it");
  core.sendNow.push({
    kind: "SnapshotOffer",
    from: core.self,
    to: progress.address,
    term: core.term,
    snapshot: { offset: snapshot.offset, term: snapshot.term },
    configuration: snapshot.configuration,
    readSequence: leadership.readSequence,
  });
}
