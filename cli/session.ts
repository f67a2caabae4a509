/** The way from the command line to a connected client of the library. */
import { parseBrokers } from "./address.ts";
import type { Context, Library } from "./context.ts";
import { requireDuration } from "./quantity.ts";
import { VERSION } from "./version.ts";

export type Client = Awaited<ReturnType<Library["connect"]>>;
/** What a consumer gives. */
export type Batch = ReturnType<Client["consumer"]>["batches"] extends
  () => AsyncGenerator<infer Given, void, void> ? Given : never;

/** How long a command that asks and answers may take, connecting included. */
const ADMIN_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
const DEFAULT_BROKERS = "127.0.0.1:9092";

/** --timeout or MQ_TIMEOUT, in milliseconds. */
export function timeoutOf({ flags, io }: Context): number | undefined {
  const given = flags.text("timeout");
  if (given !== undefined) return requireDuration(given, "--timeout");
  const fromEnvironment = io.environment["MQ_TIMEOUT"] || undefined; // empty is not set
  return fromEnvironment === undefined ? undefined : requireDuration(fromEnvironment, "MQ_TIMEOUT");
}

/** Runs `action` with a client, under the command's deadline, and closes the client in any case. */
export async function withClient<T>(
  context: Context,
  action: (client: Client) => Promise<T>,
): Promise<T> {
  context.lifeline.setDeadline(timeoutOf(context) ?? ADMIN_TIMEOUT_MS);
  const client = await openClient(context, context.lifeline.signal);
  try {
    return await action(client);
  } finally {
    await client[Symbol.asyncDispose]();
    context.lifeline.clearDeadline();
  }
}

/**
 * Connects under a deadline that ends with the connecting: for commands that run as long as their
 * input does. The client lives until `signal` fires or it is closed.
 */
export async function connectFirst(context: Context, signal: AbortSignal): Promise<Client> {
  const { lifeline } = context;
  lifeline.setDeadline(timeoutOf(context) ?? CONNECT_TIMEOUT_MS);
  const client = await openClient(context, signal);
  lifeline.clearDeadline();
  return client;
}

/**
 * As `connectFirst`, but a signal ends only the connecting: for commands that finish with the cluster
 * what they have begun. The client lives until it is closed.
 */
export async function connectToFinish(context: Context): Promise<Client> {
  const { signal } = context.lifeline;
  const life = new AbortController();
  const onAbort = (): void => life.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal.aborted) life.abort();
    return await connectFirst(context, life.signal);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function openClient(context: Context, signal: AbortSignal): Promise<Client> {
  const { flags, io } = context;
  const fromEnvironment = io.environment["MQ_BROKERS"];
  const given = flags.text("brokers") ?? (fromEnvironment === "" ? undefined : fromEnvironment);
  const brokers = parseBrokers(given ?? DEFAULT_BROKERS);
  const library = await context.library();
  return await library.connect({
    brokers,
    clientId: `mq/${VERSION}`,
    env: library.createHostEnv(),
    signal,
  });
}
