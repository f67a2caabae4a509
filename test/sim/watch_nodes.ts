/**
 * A look inside running nodes, without a change of production code: what `LogManager.open` gives is
 * noted by the `Env` that it was given, which belongs to one life of one node.
 */
import type { Env } from "../../src/env/env.ts";
import { LogManager } from "../../src/runtime/log_manager.ts";

export type OnOpened = (env: Env, logs: LogManager) => void;

/** Until the function that it gives back is called. */
export function watchNodes(onOpened: OnOpened): () => void {
  const original = LogManager.open;
  LogManager.open = async (options) => {
    const logs = await original.call(LogManager, options);
    onOpened(options.env, logs);
    return logs;
  };
  return () => {
    LogManager.open = original;
  };
}
