/**
 * Names of the bugs that tests can plant, to show that the simulator finds them (etcd and TigerBeetle
 * call them mutants). Each is looked for at one marked place; in production the set is empty.
 */
export type Sabotage =
  /** Grants a vote whoever had it before (§5.2). */
  | "vote-twice"
  /** Grants a vote to a candidate with a shorter log (§5.4.1). */
  | "vote-for-any-log"
  /** A vote leaves before it is durable. */
  | "vote-before-durable"
  /** A candidate campaigns without asking first. */
  | "no-pre-vote"
  /** A leader stays without a majority, and followers defend none. */
  | "no-check-quorum"
  /** Commits entries of former terms by counting (fig. 8). */
  | "commit-old-term"
  /** A leader counts its own entries before they are durable. */
  | "count-unsynced-self"
  /** A follower acknowledges what is only in memory. */
  | "accept-before-durable"
  /** Applies what is committed but not durable here. */
  | "apply-unsynced"
  /** A late completion of a write counts although the log was cut since (ABA). */
  | "late-write-counts"
  /** Cuts the log at every append, also where nothing differs. */
  | "truncate-always"
  /** Takes over the leader's commit offset beyond what the append has verified. */
  | "commit-unverified"
  /** Answers reads without asking a majority. */
  | "lease-read"
  /** Answers reads before an entry of the own term is committed. */
  | "read-before-own-term"
  /** Decides and changes voters before an entry of the own term is committed. */
  | "decide-before-own-term"
  /** While both sets rule, only the new one is asked. */
  | "one-set-in-joint"
  /** Skips joint consensus. */
  | "no-joint"
  /** Learners count for commit and votes. */
  | "learners-count"
  /** A leader on its way out counts itself. */
  | "removed-leader-counts"
  /** A cut of the log leaves a configuration in force that was cut off. */
  | "no-configuration-rollback"
  /** A node is known by its id alone. */
  | "directory-ignored"
  /** Installs a snapshot although the log is ahead of it. */
  | "snapshot-goes-back"
  /** Counts votes and acknowledgements of other terms. */
  | "count-old-terms"
  /** Begins a change of voters while one is under way (§6). */
  | "change-while-pending"
  /** A late request cuts off what is committed, and no assertion stops it. */
  | "truncate-committed";
