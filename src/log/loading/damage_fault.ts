/** What is said when what was durable is not there any more, and how the operator goes on. */
import { LogFault } from "../log_fault.ts";

/** `path` is the file; `what` completes "Cannot use PATH: ". */
export function damageFault(path: string, what: string): LogFault {
  const directory = path.slice(0, path.lastIndexOf("/"));
  return new LogFault(
    path,
    `Cannot use ${path}: ${what}; nothing was changed. \`mq log verify ${directory}\` shows all of ` +
      `it, \`mq log repair ${directory}\` puts the damaged part aside`,
  );
}
