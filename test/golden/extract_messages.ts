/**
 * Extracts facts from Kafka's message definitions: run by hand, with the folder of the JSON files of
 * Kafka 4.1 (`clients/src/main/resources/common/message`) as its argument, when an API is added.
 *
 *     bun test/golden/extract_messages.ts FOLDER > test/golden/kafka_4_1_messages.json
 *
 * One line per field: path, type, versions, and what else there is to it. The facts are kept, not
 * the files. `test/api/kafka_messages_test.ts` compares the schemas with them.
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { apis } from "../../src/api/registry.ts";

interface KafkaField {
  readonly name: string;
  readonly type: string;
  readonly versions: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly tag?: number;
  readonly default?: string | number | boolean;
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
      if (field.default !== undefined) line += ` default=${field.default}`;
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

const [, , folder] = process.argv;
if (folder === undefined) throw new Error("Cannot extract messages: give the folder of the files");
const table = apis.map(({ name }) => {
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
console.log(JSON.stringify(table, undefined, 2));
