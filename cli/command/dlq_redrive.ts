/** `mq dlq redrive`: puts dead letters back where they came from, each once. */
import type { CommandSpec } from "../command_spec.ts";
import { confirm } from "../confirm.ts";
import type { Context } from "../context.ts";
import { ExitCode } from "../exit_code.ts";
import { usageFailure } from "../failure.ts";
import { openBox, waitingCount } from "../letter_box.ts";
import { requireWhole } from "../quantity.ts";
import { Redrive, type RedriveSummary } from "../redrive.ts";
import { type Client, connectToFinish, timeoutOf } from "../session.ts";

export const dlqRedrive: CommandSpec = {
  path: "dlq redrive",
  summary: "Put dead letters back where they came from, each once",
  arguments: [{ name: "TOPIC" }],
  flags: [
    { name: "to", value: "TOPIC", summary: "send them there" },
    { name: "to-origin", summary: "send each to the topic it came from; so where left out" },
    {
      name: "edit",
      value: "CMD",
      summary: "run CMD (by sh -c) for each: the value on stdin, the new value on stdout",
    },
    {
      name: "max-replays",
      value: "N",
      summary: "leave a record that was put back N times already (3)",
    },
    { name: "dry-run", summary: "count what would be put back, but send nothing" },
    { name: "yes", short: "y", summary: "do not ask" },
  ],
  details: [
    "Key, headers, timestamp and, where it is there, the partition stay; mq-dlq-replays counts, and " +
    "mq-redrive-id names the letter. How far it has come is committed by the group mq-redrive.TOPIC: a " +
    "run that was stopped or killed is gone on with, and nothing is sent twice. The letters themselves " +
    "stay until mq dlq drop or retention.",
    "A letter that was put back too often, does not say where it came from, or came from a topic that is " +
    "gone, is left and told of, and the exit code is 1; the next run tries it again.",
  ],
  examples: [
    ["What would be put back?", "mq dlq redrive jobs.dlq --dry-run"],
    ["After the worker was mended", "mq dlq redrive jobs.dlq --yes"],
    ["With a repair of the values", "mq dlq redrive jobs.dlq --edit 'jq -c .payload' --yes"],
    ["Once more, from the first", "mq group seek mq-redrive.jobs.dlq --to start --yes"],
  ],
  async run(context): Promise<ExitCode> {
    const { flags, lifeline, arguments: [topic = ""] } = context;
    const options = optionsOf(context, topic);
    const timeoutMs = timeoutOf(context);
    const client = await connectToFinish(context);
    if (timeoutMs !== undefined) lifeline.setDeadline(timeoutMs);
    try {
      const box = await openBox(client, topic);
      const waiting = box.reduce((sum, one) => sum + waitingCount(one), 0);
      if (waiting > 0 && !flags.isSet("dry-run")) {
        const where = options.to === undefined ? "where they came from" : `into ${options.to}`;
        await confirm(context, `Put ${waiting} dead letters of ${topic} back ${where}`);
      }
      return await redrive(context, client, { topic, box, ...options });
    } finally {
      await client[Symbol.asyncDispose]();
    }
  },
};

interface Options {
  readonly to: string | undefined;
  readonly edit: string | undefined;
  readonly maxReplays: number;
}

const MAX_REPLAYS = 3;
const COUNT_MAX = 1_000_000;
/** More are counted, but not told one by one. */
const TOLD_MAX = 5;

function optionsOf({ flags }: Context, topic: string): Options {
  const to = flags.text("to");
  if (to !== undefined && flags.isSet("to-origin")) {
    throw usageFailure("Conflicting flags --to and --to-origin");
  }
  if (to === topic) {
    throw usageFailure(
      `Invalid value '${topic}' for --to: the letters are there`,
      "Name another topic",
    );
  }
  const maxReplays = flags.text("max-replays");
  return {
    to,
    edit: flags.text("edit"),
    maxReplays: maxReplays === undefined
      ? MAX_REPLAYS
      : requireWhole(maxReplays, "max-replays", [0, COUNT_MAX]),
  };
}

async function redrive(
  context: Context,
  client: Client,
  { topic, box, ...options }: Options & {
    readonly topic: string;
    readonly box: Awaited<ReturnType<typeof openBox>>;
  },
): Promise<ExitCode> {
  const isDryRun = context.flags.isSet("dry-run");
  const summary = await new Redrive({ context, client, topic, isDryRun, ...options }).run(box);
  return await tell(context, topic, summary);
}

async function tell(
  { printer, flags }: Context,
  topic: string,
  { moved, alreadyThere, refused }: RedriveSummary,
): Promise<ExitCode> {
  const isDryRun = flags.isSet("dry-run");
  for (const { partition, offset, reason } of refused.slice(0, TOLD_MAX)) {
    printer.warn(`the letter at offset ${offset} of ${topic}-${partition} stays: ${reason}`);
  }
  if (refused.length > 0 && !isDryRun) {
    printer.warn(
      `${refused.length} letter${refused.length === 1 ? "" : "s"} of ${topic} left`,
      "The next redrive tries them again; --to TOPIC sends them elsewhere",
    );
  }
  if (printer.isJson) {
    const count = isDryRun ? { would: moved } : { moved };
    await printer.printJson({ topic, dryRun: isDryRun, ...count, alreadyThere, refused });
  } else {
    const verb = isDryRun ? "would put" : "put";
    const rest = alreadyThere === 0 ? "" : `; ${alreadyThere} had arrived before`;
    printer.say(`${verb} ${moved} dead letter${moved === 1 ? "" : "s"} of ${topic} back${rest}`);
  }
  return refused.length > 0 && !isDryRun ? ExitCode.Failed : ExitCode.Done;
}
