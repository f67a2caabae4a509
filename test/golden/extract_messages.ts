/**
 * Extracts facts from Kafka's message definitions: run by hand, with the folder of the JSON files of
 * Kafka 4.1 as its argument, when an API or a record of groups is added.
 *
 *     clients=clients/src/main/resources/common/message
 *     groups=group-coordinator/src/main/resources/common/message
 *     bun test/golden/extract_messages.ts apis $clients > test/golden/kafka_4_1_messages.json
 *     bun test/golden/extract_messages.ts records $groups > test/golden/kafka_4_1_group_records.json
 *
 * One line per field: path, type, versions, and what else there is to it. The facts are kept, not
 * the files. `test/api/kafka_messages_test.ts` and `test/api/coordinator_record/` compare the schemas
 * with them.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { groupRecords } from "../../src/api/coordinator_record/group_record.ts";
import { legacyOffsetCommitRecord } from "../../src/api/coordinator_record/legacy_offset_commit.ts";
import { apis } from "../../src/api/registry.ts";

interface KafkaField {
  readonly name: string;
  readonly type: string;
  readonly versions: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly tag?: number;
  readonly default?: string | number | boolean | null;
  readonly fields?: readonly KafkaField[];
}

interface KafkaMessage {
  readonly apiKey: number;
  readonly validVersions: string;
  readonly flexibleVersions: string;
  readonly fields: readonly KafkaField[];
  readonly commonStructs?: readonly { readonly name: string; readonly fields: KafkaField[] }[];
}

function message(folder: string, name: string): KafkaMessage {
  const text = readFileSync(`${folder}/${name}.json`, "utf8");
  return JSON.parse(text.replace(/^\s*\/\/.*$/gm, ""));
}

/** A struct is defined where it is first used, or among the common ones. */
function structsOf(
  fields: readonly KafkaField[],
  structs: Map<string, readonly KafkaField[]>,
): void {
  for (const field of fields) {
    if (field.fields === undefined) continue;
    structs.set(field.type.replace("[]", ""), field.fields);
    structsOf(field.fields, structs);
  }
}

function facts(kafka: KafkaMessage): string[] {
  const structs = new Map<string, readonly KafkaField[]>();
  for (const { name, fields } of kafka.commonStructs ?? []) structs.set(name, fields);
  structsOf(kafka.fields, structs);
  const lines: string[] = [];
  const walk = (fields: readonly KafkaField[], path: string): void => {
    for (const field of fields) {
      const name = path + field.name.charAt(0).toLowerCase() + field.name.slice(1);
      const isArray = field.type.startsWith("[]");
      const inner = structs.get(field.type.replace("[]", ""));
      const type = inner === undefined ? field.type : isArray ? "[]struct" : "struct";
      let line = `${name} ${type} ${field.versions}`;
      if (field.nullableVersions !== undefined) line += ` nullable=${field.nullableVersions}`;
      if (field.taggedVersions !== undefined) line += ` tag=${field.tag}:${field.taggedVersions}`;
      // A null that is not in quotes is no default at all to Kafka's generator.
      if (field.default !== undefined && field.default !== null) {
        line += ` default=${field.default}`;
      }
      lines.push(line);
      if (inner !== undefined) walk(inner, `${name}.`);
    }
  };
  walk(kafka.fields, "");
  return lines;
}

/** What a later Kafka has in APIs of which we speak its versions: AddRaftVoter 1 is of Kafka 4.2. */
const LATER: Readonly<
  Record<string, { readonly versions: string; readonly request: readonly string[] }>
> = {
  AddRaftVoter: { versions: "0-1", request: ["ackWhenCommitted bool 1+ default=true"] },
};

function apiFacts(folder: string): unknown[] {
  return apis.map(({ name }) => {
    const request = message(folder, `${name}Request`);
    const response = message(folder, `${name}Response`);
    return {
      name,
      key: request.apiKey,
      versions: LATER[name]?.versions ?? request.validVersions,
      flexible: request.flexibleVersions,
      request: [...facts(request), ...(LATER[name]?.request ?? [])],
      responseVersions: LATER[name]?.versions ?? response.validVersions,
      responseFlexible: response.flexibleVersions,
      response: facts(response),
    };
  });
}

function recordFacts(folder: string): unknown[] {
  return [legacyOffsetCommitRecord, ...groupRecords].map(({ name }) => {
    const key = message(folder, `${name}Key`);
    const value = message(folder, `${name}Value`);
    return {
      name,
      type: key.apiKey,
      keyVersions: key.validVersions,
      keyFlexible: key.flexibleVersions,
      key: facts(key),
      valueVersions: value.validVersions,
      valueFlexible: value.flexibleVersions,
      value: facts(value),
    };
  });
}

const [, , what, folder] = process.argv;
if (folder === undefined) {
  throw new Error('Cannot extract messages: give "apis" or "records", and a folder');
}
console.log(
  JSON.stringify(what === "records" ? recordFacts(folder) : apiFacts(folder), undefined, 2),
);
