/**
 * `npm run bench`: figures of mq on this machine, beside kcat and Apache Kafka where they are there.
 *
 *     npm run bench                          everything
 *     npm run bench -- validate pipe         these parts
 *
 * It is not a test: nothing here passes or fails. Build first (`npm run build`).
 */
import process from "node:process";
import { benchIdle, benchPipe, benchStart } from "./binary.ts";
import { benchLoad } from "./load.ts";
import { benchAppend, benchValidate } from "./records.ts";
import { printTable } from "./report.ts";

const parts: Readonly<Record<string, () => Promise<void>>> = {
  validate: benchValidate,
  append: benchAppend,
  start: benchStart,
  idle: benchIdle,
  pipe: benchPipe,
  load: benchLoad,
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => parts[name] === undefined);
if (unknown === undefined) {
  for (const name of asked.length === 0 ? Object.keys(parts) : asked) await parts[name]?.();
  printTable();
} else {
  process.stderr.write(`There is no part ${unknown}: ${Object.keys(parts).join(", ")}\n`);
  process.exitCode = 2;
}
