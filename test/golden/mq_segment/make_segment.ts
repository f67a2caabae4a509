/**
 * Makes the partition directory beside this script anew, with the broker of `dist/mq`:
 *
 *     node_modules/.bin/bun test/golden/mq_segment/make_segment.ts
 *
 * `content.ts` says what is in it; ids differ from run to run.
 */
import { copyFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { mq, startBroker } from "../../harness/broker.ts";
import { codecs, linesOf, segmentDays } from "./content.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const FILES = /\.(log|index|timeindex|snapshot)$|^leader-epoch-checkpoint$|^partition\.metadata$/;

await using broker = await startBroker({ words: ["-X", "log.index.interval.bytes=200"] });
await produce(["topic", "create", "golden", "-p", "1", "-q"], "");
for (const [segment, day] of segmentDays.entries()) {
  for (const codec of codecs) {
    for (const [hour, line] of linesOf(segment, codec).entries()) {
      const flags = ["-z", codec, "--at", `${day}T0${hour}:00:00Z`, "-H", `codec=${codec}`, "-q"];
      await produce(["produce", "golden", "-K", ":", "-Z", ...flags], line);
    }
  }
}
await broker.stop();
const partition = join(broker.dataDirectory, "golden-0");
for (const name of readdirSync(partition)) {
  if (FILES.test(name)) copyFileSync(join(partition, name), join(HERE, name));
}

async function produce(words: readonly string[], input: string): Promise<void> {
  const result = await mq(words, broker, { input });
  if (result.status !== 0) throw new Error(result.stderr);
}
