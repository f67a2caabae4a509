/** Giving topics more partitions, for `mq topic alter --partitions`. */
import type { Context } from "./context.ts";
import type { ExitCode } from "./exit_code.ts";
import { Failure, failureOf } from "./failure.ts";
import { tellOutcomes } from "./outcomes.ts";
import { withClient } from "./session.ts";

/** `count` is how many there are afterwards; tells what became of each topic. */
export async function addPartitions(
  context: Context,
  topics: readonly string[],
  count: number,
): Promise<ExitCode> {
  const validateOnly = context.flags.isSet("dry-run");
  return await withClient(context, async (client) => {
    const wanted = topics.map((name) => ({ name, partitions: count }));
    const results = await client.admin.createPartitions(wanted, { validateOnly });
    const verb = validateOnly ? "would give" : "gave";
    return await tellOutcomes(
      context,
      results.map(({ name, error }) => ({
        name,
        failure: error && withRemedy(failureOf(error), name),
        facts: { altered: error === undefined && !validateOnly, partitions: count },
        said: `${verb} topic ${name} ${count} partition${count === 1 ? "" : "s"}`,
      })),
    );
  });
}

function withRemedy(failure: Failure, topic: string): Failure {
  if (failure.code !== "INVALID_PARTITIONS" || failure.hint !== undefined) return failure;
  return new Failure(failure.code, failure.message, {
    hint: `Partitions are never taken away; mq topic describe ${topic} shows how many there are`,
    cause: failure,
  });
}
