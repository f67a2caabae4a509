/** Whether a start may go on leading where a clean stop ended: the driver's part of `resumption.ts`. */
import type { Configuration, ReplicaKey } from "../../../src/raft/configuration.ts";
import type { SimNode } from "./sim_node.ts";
import type { World } from "./world.ts";

export function mayResume({ disk, key }: SimNode, world: World): boolean {
  const { hardState: { term, votedFor }, log } = disk;
  const isWhole = disk.isWhole || world.sabotage.has("resumes-after-crash");
  if (!isWhole || !isExactly(votedFor, key) || world.leaders.get(term) !== key.id) return false;
  if (log.entries.at(-1)?.entry.term !== term) return false;
  const last = log.entries.findLast(({ entry }) => entry.configuration !== undefined);
  const configuration = last?.entry.configuration ?? disk.newestSnapshot()?.configuration;
  return configuration !== undefined && isAlone(configuration, key);
}

function isAlone({ voters, outgoing, learners }: Configuration, key: ReplicaKey): boolean {
  const [only, ...others] = voters;
  return others.length + learners.length === 0 && outgoing === undefined && isExactly(only, key);
}

/** A directory that is not known is another one here. */
function isExactly(one: ReplicaKey | undefined, key: ReplicaKey): boolean {
  return one?.id === key.id && one.directoryId === key.directoryId;
}
