/** What all requests to groups have in common: who asks, and how many groups are asked one by one. */
import type { Env } from "../env/env.ts";
import type { Caller } from "../group/group_request.ts";
import type { Call } from "./broker_context.ts";

/** One request that names many groups holds the event loop no longer than that. */
const TURN_MS = 5;
const PORT = /:\d+$/;

/** The host as Java prints an address: members are told of so (kafka: RequestContext.clientAddress). */
export function callerOf({ apiVersion, clientId, connection }: Call): Caller {
  const host = connection.remote.replace(PORT, "").replace(/^\[(.*)\]$/, "$1");
  return { apiVersion, clientId: clientId ?? "", clientHost: `/${host}` };
}

/** An answer for each, in their order. */
export async function askEach<Item, Answer>(
  { clock }: Pick<Env, "clock">,
  items: readonly Item[],
  ask: (item: Item) => Answer | Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: (Answer | Promise<Answer>)[] = [];
  let endMs = clock.monotonicMs() + TURN_MS;
  for (const item of items) {
    answers.push(ask(item));
    if (clock.monotonicMs() < endMs) continue;
    // deno-lint-ignore no-await-in-loop -- others have their turn
    await new Promise<void>((resolve) => void clock.after(0, resolve));
    endMs = clock.monotonicMs() + TURN_MS;
  }
  return await Promise.all(answers);
}
