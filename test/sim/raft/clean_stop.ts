/** Whether a start may go on leading where a clean stop ended: the driver's part of `resumption.ts`. */
import { isSameReplica } from "../../../src/raft/configuration.ts";
import type { SimNode } from "./sim_node.ts";
import type { World } from "./world.ts";

export function mayResume({ disk, key, id }: SimNode, world: World): boolean {
  const { hardState: { term, votedFor }, log } = disk;
  const isWhole = disk.isWhole || world.sabotage.has("resumes-after-crash");
  if (!isWhole || votedFor === undefined || votedFor.directoryId !== key.directoryId) return false;
  if (!isSameReplica(votedFor, key) || world.leaders.get(term) !== id) return false;
  const last = log.entries.findLast(({ entry }) => entry.configuration !== undefined);
  const configuration = last?.entry.configuration ?? disk.newestSnapshot()?.configuration;
  if (configuration === undefined || log.entries.at(-1)?.entry.term !== term) return false;
  const { voters, outgoing, learners } = configuration;
  const [only, ...others] = voters;
  return only?.id === id && only.directoryId === key.directoryId &&
    others.length + learners.length === 0 && outgoing === undefined;
}
