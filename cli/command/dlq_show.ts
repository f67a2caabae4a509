/** `mq dlq show`: dead letters, with where they came from and why they are there. */
import type { CommandSpec } from "../command_spec.ts";
import type { Context } from "../context.ts";
import { originOf, replaysOf } from "../dead_letter.ts";
import { formatEnvelope } from "../envelope.ts";
import { ExitCode } from "../exit_code.ts";
import { Failure } from "../failure.ts";
import {
  type BoxPartition,
  letters,
  openBox,
  waitingCount,
  waitingLetters,
} from "../letter_box.ts";
import { parsePartitions, requireWhole } from "../quantity.ts";
import type { KeptRecord } from "../record_command.ts";
import { toText } from "../record_text.ts";
import { type Client, withClient } from "../session.ts";

export const dlqShow: CommandSpec = {
  path: "dlq show",
  summary: "Show dead letters: where they came from, and why",
  arguments: [{ name: "TOPIC" }],
  flags: [
    { name: "num", short: "n", value: "N", summary: "at most so many of each partition (20)" },
    { name: "all", summary: "also those that were put back" },
    { name: "partition", short: "p", value: "LIST", summary: "only these partitions: 0,2,4-6" },
  ],
  details: [
    "The oldest first. --json gives them whole; mq consume TOPIC -f json does so as well, with all headers.",
  ],
  examples: [
    ["What waits", "mq dlq show jobs.dlq"],
    [
      "The errors, counted",
      "mq dlq show jobs.dlq -n 10000 --json | jq -r '.[].error' | sort | uniq -c",
    ],
  ],
  run: (context) => withClient(context, (client) => show(context, client)),
};

const NUM = 20;
const NUM_MAX = 1_000_000;
const SHOWN_CHARACTERS = 60;

async function show(context: Context, client: Client): Promise<ExitCode> {
  const { flags, printer, arguments: [topic = ""] } = context;
  const text = flags.text("num");
  const num = text === undefined ? NUM : requireWhole(text, "num", [1, NUM_MAX]);
  const list = flags.text("partition");
  const wanted = list === undefined ? undefined : parsePartitions(list);
  const box = await openBox(client, topic);
  const missing = wanted?.find((one) => !box.some(({ partition }) => partition === one));
  if (missing !== undefined) {
    const message = `Topic ${topic} has no partition ${missing}`;
    throw new Failure("UNKNOWN_TOPIC_OR_PARTITION", message);
  }
  const partitions = box
    .filter(({ partition }) => wanted?.includes(partition) !== false);
  const found: KeptRecord[] = [];
  for (const one of partitions) {
    const { partition, start, end } = one;
    const shown = flags.isSet("all")
      ? letters(client, { topic, partition, from: start, until: end })
      : waitingLetters(client, topic, one);
    let count = 0;
    // deno-lint-ignore no-await-in-loop -- partition by partition, so that no more is held than shown
    for await (const letter of shown) {
      found.push(letter);
      if (++count === num) break;
    }
  }
  await printer.printList({
    names: found.map(({ partition, offset }) => `${topic}-${partition}-${offset}`),
    items: found.map(itemOf),
    table: {
      columns: ["PARTITION", "OFFSET", "FROM", "TRIES", "REPLAYS", "ERROR", "VALUE"],
      rows: found.map((letter) => {
        const origin = originOf(letter.headers);
        return [
          letter.partition,
          letter.offset,
          origin === undefined ? null : `${origin.topic}-${origin.partition}@${origin.offset}`,
          origin?.attempts ?? null,
          replaysOf(letter.headers),
          origin === undefined ? null : shortened(origin.error),
          letter.value === null ? null : shortened(toText(letter.value)),
        ];
      }),
    },
  });
  tellRest(context, partitions, found);
  return ExitCode.Done;
}

function tellRest(
  { printer, flags }: Context,
  partitions: readonly BoxPartition[],
  found: readonly KeptRecord[],
): void {
  const all = partitions.reduce(
    (sum, one) => sum + (flags.isSet("all") ? one.end - one.start : waitingCount(one)),
    0,
  );
  if (all > found.length) printer.remark(`${found.length} of ${all} letters; -n shows more`);
}

function itemOf(letter: KeptRecord): object {
  return {
    ...JSON.parse(formatEnvelope(letter)),
    origin: originOf(letter.headers) ?? null,
    error: originOf(letter.headers)?.error ?? null,
    replays: replaysOf(letter.headers),
  };
}

/** On one line of a table. */
function shortened(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  return line.length <= SHOWN_CHARACTERS ? line : `${line.slice(0, SHOWN_CHARACTERS - 1)}…`;
}
