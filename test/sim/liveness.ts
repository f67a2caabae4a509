/** What the healed world must be able to do: list, produce to and read every topic that is there. */
import { ClientError } from "../../src/client/client_error.ts";
import { type OperationContext, PromiseBroken } from "./operation/operation.ts";
import { readAndCompare } from "./operation/fetch_from_start.ts";
import { listTopics } from "./operation/list_topics.ts";
import { sendRecords } from "./operation/produce.ts";

const AGAIN_MS = 500;

/** Tries until all has worked; who waits for it sets the bound. */
export async function checkAll(context: OperationContext): Promise<void> {
  const { shadow } = context;
  await untilItWorks(context, () => listTopics.run(context));
  for (const topic of shadow.there()) {
    for (const index of topic.partitions.keys()) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      await untilItWorks(context, async () => {
        const sending = { topic, partition: index, kind: "idempotent", count: 1 } as const;
        const [error] = await sendRecords(context, sending);
        if (error !== undefined) throw error;
      });
      // deno-lint-ignore no-await-in-loop
      await untilItWorks(context, () => readAndCompare(context, topic, index));
    }
  }
}

async function untilItWorks(context: OperationContext, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      // deno-lint-ignore no-await-in-loop -- again and again
      return await work();
    } catch (error) {
      if (error instanceof PromiseBroken && context.shadow.isDamaged) return;
      if (!(error instanceof ClientError)) throw error;
      context.onRefused(error);
    }
    // deno-lint-ignore no-await-in-loop
    await new Promise<void>((resolve) => context.clock.after(AGAIN_MS, resolve));
  }
}
