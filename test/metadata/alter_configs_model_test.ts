/**
 * Any sequence of changes against a plain map: what the image has afterwards is what the map has, a
 * refused or only asked change does nothing, and replaying the records anew gives the same image.
 */
import fc from "fast-check";
import process from "node:process";
import { describe, expect, test } from "bun:test";
import { ErrorCode } from "../../src/api/error_code.ts";
import { parseUuid, type Uuid } from "../../src/ground/uuid.ts";
import {
  CONFIG_OPERATION,
  type ConfigChange,
  decideAlterConfigs,
} from "../../src/metadata/decide/alter_configs.ts";
import { ClusterImage } from "../../src/metadata/image.ts";
import type { MetadataRecord } from "../../src/metadata/record.ts";

const SEED = Number(process.env["MQ_SEED"] ?? 20261123);
const TOPIC: MetadataRecord = {
  kind: "topic",
  version: 0,
  name: "t",
  topicId: parseUuid("AAAAAAAAAAAAAAAAAAAAAQ") as Uuid,
};

interface Step {
  readonly isWholeSet: boolean;
  readonly validateOnly: boolean;
  readonly configs: readonly ConfigChange[];
}

const change: fc.Arbitrary<ConfigChange> = fc.oneof(
  fc.record({
    name: fc.constantFrom("retention.ms", "segment.ms", "flush.ms"),
    configOperation: fc.constantFrom(CONFIG_OPERATION.set, CONFIG_OPERATION.delete),
    value: fc.constantFrom("0", "1", "7", "x"),
  }),
  fc.record({
    name: fc.constant("cleanup.policy"),
    configOperation: fc.constantFrom(0, 1, 2, 3),
    value: fc.constantFrom("compact", "delete", "compact,delete", "", "shrink"),
  }),
);
const step: fc.Arbitrary<Step> = fc.record({
  isWholeSet: fc.boolean(),
  validateOnly: fc.nat(4).map((chance) => chance === 0),
  configs: fc.uniqueArray(change, { selector: ({ name }) => name, maxLength: 4 }),
});

function imageOf(records: readonly MetadataRecord[]): ClusterImage {
  const image = new ClusterImage();
  for (const record of records) image.replay(image.nextOffset, record);
  return image;
}

function settingsIn(image: ClusterImage): Readonly<Record<string, string>> {
  return Object.fromEntries([...image.topic("t")?.config ?? []].sort());
}

/** What a change makes of a list, told by sets. */
function changedList(
  present: string | undefined,
  { configOperation, value }: ConfigChange,
): string {
  const before = (present ?? "delete").split(",").filter((element) => element !== "");
  const given = (value ?? "").split(",");
  return configOperation === CONFIG_OPERATION.append
    ? [...before, ...given.filter((element) => !before.includes(element))].join(",")
    : before.filter((element) => !given.includes(element)).join(",");
}

function applied(
  before: ReadonlyMap<string, string>,
  { isWholeSet, configs }: Step,
): Map<string, string> {
  const after = new Map(isWholeSet ? [] : before);
  for (const config of configs) {
    const { name, value, configOperation } = config;
    if (configOperation === CONFIG_OPERATION.set) after.set(name, value as string);
    else if (configOperation === CONFIG_OPERATION.delete) after.delete(name);
    else after.set(name, changedList(after.get(name), config));
  }
  return after;
}

function isValid(settings: ReadonlyMap<string, string>): boolean {
  return [...settings].every(([name, value]) => {
    if (name === "cleanup.policy") {
      return value === "" || value.split(",").every((one) => one === "compact" || one === "delete");
    }
    return /^\d$/.test(value) && (name !== "segment.ms" || value !== "0");
  });
}

describe("decideAlterConfigs()", () => {
  test("is a map that is changed step by step, and the same when its records are replayed", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const records: MetadataRecord[] = [TOPIC];
        const image = imageOf(records);
        let model: ReadonlyMap<string, string> = new Map();
        for (const one of steps) {
          const { records: made, reply } = decideAlterConfigs(image, {
            ...one,
            resources: [{ resourceType: 2, resourceName: "t", configs: one.configs }],
            brokerValue: () => undefined,
          });
          const after = applied(model, one);
          expect(reply[0]?.errorCode === ErrorCode.None).toBe(isValid(after));
          if (isValid(after) && !one.validateOnly) model = after;
          else expect(made).toHaveLength(0);
          for (const record of made) image.replay(image.nextOffset, record);
          records.push(...made);
          expect(settingsIn(image)).toEqual(Object.fromEntries([...model].sort()));
        }
        expect(settingsIn(imageOf(records))).toEqual(settingsIn(image));
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });
});
