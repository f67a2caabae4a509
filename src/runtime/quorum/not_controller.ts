/** Why a decision was not made here, and why a node whose metadata is damaged does not go on. */

/**
 * Another node decides, or this one stopped doing so while a decision was on its way.
 *
 * `isDefinite`: nothing of the decision was written and it may be tried elsewhere without a doubt. Where
 * it is false the records may have been committed, or will be: who asks again must look first.
 */
export class NotController extends Error {
  override readonly name = "NotController";
  /** Who is believed to lead; undefined where nobody is known. */
  readonly leaderId: number | undefined;
  readonly isDefinite: boolean;

  constructor(leaderId: number | undefined, isDefinite: boolean) {
    const leader = leaderId === undefined ? "nobody is known to lead" : `node ${leaderId} leads`;
    super(
      isDefinite
        ? `Cannot decide here: ${leader}`
        : `Cannot tell whether this was decided: leadership was lost meanwhile, ${leader}`,
    );
    this.leaderId = leaderId;
    this.isDefinite = isDefinite;
  }
}

/**
 * Something of the metadata log, of its snapshots or of the quorum's state that this version does not
 * understand or that is not what was written: the node does not go on, and nothing is removed.
 */
export class MetadataCorrupt extends Error {
  override readonly name = "MetadataCorrupt";
}

/** A decision whose batch no peer would take: it is refused before anything of it is written. */
export class DecisionTooLarge extends Error {
  override readonly name = "DecisionTooLarge";
}

/** A decision with a record that no node could replay: nothing of it is written. */
export class DecisionUnsound extends Error {
  override readonly name = "DecisionUnsound";
}
