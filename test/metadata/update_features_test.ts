import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { decideActivation } from "../../src/metadata/decide/activate.ts";
import {
  decideUpdateFeatures,
  type UpdateFeaturesRequest,
  UPGRADE_TYPE,
} from "../../src/metadata/decide/update_features.ts";
import {
  type Feature,
  FEATURES,
  GROUP_VERSION,
  METADATA_VERSION,
  supportedFeatures,
} from "../../src/metadata/feature.ts";
import type { ClusterImage } from "../../src/metadata/image.ts";
import { Cluster } from "./cluster.ts";

const { upgrade, safeDowngrade, unsafeDowngrade } = UPGRADE_TYPE;
const FAILED = "The update failed for all features since the following feature had an error: ";

/** As a later release might have it: level 3 changes nothing that is written, level 4 does. */
const LATER: readonly Feature[] = [
  {
    name: METADATA_VERSION,
    levelAtFirst: 1,
    levels: [1, 2, 3, 4].map((level) => ({ level, changesMetadata: level !== 3 })),
  },
  ...FEATURES.filter(({ name }) => name !== METADATA_VERSION),
  { name: "share.version", levelAtFirst: 0, levels: [{ level: 1, changesMetadata: true }] },
];

interface Told {
  readonly reply: readonly unknown[];
  readonly levels: readonly (readonly [string, number])[];
}

/** Decides only: the levels of a later release could not be replayed by this one. */
function update(
  image: ClusterImage,
  feature: string,
  maxVersionLevel: number,
  options: Partial<UpdateFeaturesRequest> & { readonly as?: number } = {},
): Told {
  const { as: upgradeType = upgrade, ...fields } = options;
  const { records, reply } = decideUpdateFeatures(image, {
    updates: [{ feature, maxVersionLevel, upgradeType }],
    validateOnly: false,
    controllerId: 1,
    otherControllers: [],
    ...fields,
  });
  return {
    reply: [reply.errorCode, reply.errorMessage],
    levels: records.flatMap((record) =>
      record.kind === "feature-level" ? [[record.name, record.level]] : []
    ),
  };
}

function refused(reason: string): Told {
  return { reply: [ErrorCode.InvalidUpdateVersion, `${FAILED}${reason}`], levels: [] };
}

/** A cluster whose brokers know the later release; its image is at the level. */
function later(level: number): ClusterImage {
  const cluster = Cluster.of();
  cluster.join(1, { features: supportedFeatures(LATER) });
  const { image } = cluster;
  image.replay(image.nextOffset, {
    kind: "feature-level",
    version: 0,
    name: METADATA_VERSION,
    level,
  });
  return image;
}

describe("decideUpdateFeatures()", () => {
  test("raises a level that all nodes know", () => {
    const done = { reply: [ErrorCode.None, null], levels: [[METADATA_VERSION, 4] as const] };
    expect(update(later(2), METADATA_VERSION, 4, { features: LATER })).toEqual(done);
    expect(update(later(2), METADATA_VERSION, 2, { features: LATER }).levels).toEqual([]);
  });

  test("names the first node that does not know the level", () => {
    const invalid = (reason: string): Told =>
      refused(`Invalid update version 4 for feature metadata.version. ${reason}`);
    const cluster = Cluster.of(7);
    const of = (fields: Partial<UpdateFeaturesRequest>, image = later(2)): Told =>
      update(image, METADATA_VERSION, 4, { features: LATER, ...fields });
    expect(of({ features: FEATURES }))
      .toEqual(invalid("Local controller 1 only supports versions 1-3"));
    expect(of({}, cluster.image)).toEqual(invalid("Broker 7 only supports versions 1-3"));
    expect(of({ otherControllers: [{ nodeId: 3, features: supportedFeatures() }] }))
      .toEqual(invalid("Controller 3 only supports versions 1-3"));
    expect(of({ otherControllers: [{ nodeId: 3, features: undefined }] })).toEqual(
      invalid("controller 3 has not registered, and may not support this feature"),
    );
    expect(of({ otherControllers: [{ nodeId: 1, features: undefined }] }).levels).toHaveLength(1);
  });

  test("refuses features that are unknown, and levels and types that there are not", () => {
    const { image } = Cluster.of(1);
    expect(update(image, "warp.drive", 1)).toEqual(refused(
      "Invalid update version 1 for feature warp.drive. Local controller 1 does not support this " +
        "feature.",
    ));
    const invalid = (level: number, reason: string): Told =>
      refused(`Invalid update version ${level} for feature metadata.version. ${reason}`);
    expect(update(image, METADATA_VERSION, -1))
      .toEqual(invalid(-1, "A feature version cannot be less than 0."));
    expect(update(image, METADATA_VERSION, 0))
      .toEqual(invalid(0, "Local controller 1 only supports versions 1-3"));
    expect(update(image, METADATA_VERSION, 2, { as: 0 }))
      .toEqual(invalid(2, "The controller does not support the given upgrade type."));
  });

  test("lowers a level only where it is asked to, and nothing written is lost", () => {
    const features = { features: LATER };
    const at4 = later(4);
    expect(update(at4, METADATA_VERSION, 3, features)).toEqual(refused(
      "Invalid update version 3 for feature metadata.version. Can't downgrade the version of this " +
        "feature without setting the upgrade type to either safe or unsafe downgrade.",
    ));
    expect(update(at4, METADATA_VERSION, 3, { as: safeDowngrade, ...features })).toEqual(refused(
      "Invalid metadata.version 3. Refusing to perform the requested downgrade because it might " +
        "delete metadata information.",
    ));
    expect(update(at4, METADATA_VERSION, 3, { as: unsafeDowngrade, ...features })).toEqual(refused(
      "Invalid metadata.version 3. Unsafe metadata downgrade is not supported in this version.",
    ));
    const done = [[METADATA_VERSION, 2] as const];
    expect(update(later(3), METADATA_VERSION, 2, { as: safeDowngrade, ...features }).levels)
      .toEqual(done);
    expect(update(later(3), METADATA_VERSION, 4, { as: safeDowngrade, ...features })).toEqual(
      refused(
        "Invalid update version 4 for feature metadata.version. Can't downgrade to a newer version.",
      ),
    );
  });

  test("another feature can be done without again", () => {
    const image = later(2);
    const features = { features: LATER };
    const on = [["share.version", 1] as const];
    expect(update(image, "share.version", 1, features).levels).toEqual(on);
    image.replay(image.nextOffset, {
      kind: "feature-level",
      version: 0,
      name: "share.version",
      level: 1,
    });
    const off = [["share.version", 0] as const];
    expect(update(image, "share.version", 0, { as: safeDowngrade, ...features }).levels).toEqual(
      off,
    );
    expect(update(image, "share.version", 0, { as: unsafeDowngrade, ...features }).levels).toEqual(
      off,
    );
  });

  test("does all of a request or nothing, and nothing when it only validates", () => {
    const image = later(2);
    const one = { feature: METADATA_VERSION, maxVersionLevel: 3, upgradeType: upgrade };
    const bad = { feature: "share.version", maxVersionLevel: 2, upgradeType: upgrade };
    const features = { features: LATER };
    const of = (fields: Partial<UpdateFeaturesRequest>): Told =>
      update(image, METADATA_VERSION, 3, { ...features, ...fields });
    expect(of({ updates: [one, bad] }).levels).toEqual([]);
    expect(of({ updates: [one, one] }).reply[0]).toBe(ErrorCode.InvalidRequest);
    expect(of({ validateOnly: true })).toEqual({ reply: [ErrorCode.None, null], levels: [] });
  });
});

describe("decideActivation()", () => {
  test("puts all levels of this release in force where none was decided, once", () => {
    const cluster = new Cluster();
    cluster.register(1); // a node alone from before
    cluster.decide(decideActivation);
    expect([...cluster.image.featureLevels()]).toEqual([[METADATA_VERSION, 3], [GROUP_VERSION, 1]]);
    cluster.decide(decideActivation);
    expect(cluster.written).toHaveLength(0);
  });

  test("leaves a level alone that was decided", () => {
    const cluster = new Cluster();
    cluster.replay({ kind: "feature-level", version: 0, name: METADATA_VERSION, level: 1 });
    cluster.decide(decideActivation);
    expect(cluster.written).toHaveLength(0);
    const asked = { feature: METADATA_VERSION, maxVersionLevel: 2, upgradeType: upgrade };
    cluster.decide((image) =>
      decideUpdateFeatures(image, {
        updates: [asked],
        validateOnly: false,
        controllerId: 1,
        otherControllers: [],
      })
    );
    expect(cluster.image.metadataVersion()).toBe(2);
  });
});
