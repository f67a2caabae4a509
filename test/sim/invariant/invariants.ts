/** All invariants, new for each world. */
import type { SimNode } from "../sim_node.ts";
import { committedIsOnTheMedium } from "./committed_is_on_the_medium.ts";
import { committedMetadataIsDurable } from "./committed_metadata_is_durable.ts";
import { epochsGrow } from "./epochs_grow.ts";
import { filesAreBounded } from "./files_are_bounded.ts";
import { identityIsOfTheDisk } from "./identity_is_of_the_disk.ts";
import { highWatermarkNeverBack } from "./high_watermark_never_back.ts";
import { imagesEqual } from "./images_equal.ts";
import type { Invariant } from "./invariant.ts";
import { logBounds } from "./log_bounds.ts";
import { oneLeaderPerTerm } from "./one_leader_per_term.ts";
import { theSilentAreFenced } from "./the_silent_are_fenced.ts";
import { servingHasItsMetadata } from "./serving_has_its_metadata.ts";

export function allInvariants(
  nodes: readonly SimNode[],
  sessionMs: number,
): readonly Invariant[] {
  return [
    highWatermarkNeverBack(),
    logBounds(),
    committedIsOnTheMedium(),
    filesAreBounded(),
    servingHasItsMetadata(),
    oneLeaderPerTerm(),
    theSilentAreFenced(nodes, sessionMs),
    imagesEqual(),
    epochsGrow(),
    identityIsOfTheDisk(nodes),
    committedMetadataIsDurable(nodes),
  ];
}
