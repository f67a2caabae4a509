/** The configuration in force is the last one in the log (KRaft; Raft §6), also after a truncation. */
import type { Configuration, Voter } from "../../../../src/raft/configuration.ts";
import type { SimNode } from "../sim_node.ts";
import type { World } from "../world.ts";
import type { Invariant, Verdict } from "./invariant.ts";

export function configurationInLog(): Invariant {
  /** Per node: what its log says, followed batch by batch and searched again after a cut. */
  const known: { expected: Configuration | undefined; life: number }[] = [];
  const of = (node: SimNode): { expected: Configuration | undefined; life: number } =>
    known[node.index] ??= { expected: undefined, life: 0 };
  return {
    name: "configuration is the last in the log",
    isObservable: false,
    onAppend(node, { entry }): Verdict {
      if (entry.configuration !== undefined) of(node).expected = entry.configuration;
      return undefined;
    },
    onTruncate(node): Verdict {
      of(node).expected = undefined;
      return undefined;
    },
    onSnapshot(node): Verdict {
      of(node).expected = undefined;
      return undefined;
    },
    afterStep(node, world): Verdict {
      const mine = of(node);
      if (mine.expected === node.configuration && mine.life === node.life) return undefined;
      const expected = mine.life === node.life ? mine.expected : undefined;
      mine.expected = expected ?? lastInLog(node, world);
      mine.life = node.life;
      if (shown(mine.expected) === shown(node.configuration)) {
        mine.expected = node.configuration;
        return undefined;
      }
      return `node ${node.id}: ${shown(node.configuration)} in force, ` +
        `${shown(mine.expected)} in the log`;
    },
  };
}

function lastInLog(node: SimNode, world: World): Configuration {
  for (let at = node.log.entries.length - 1; at >= 0; at--) {
    const configuration = node.log.entries[at]?.entry.configuration;
    if (configuration !== undefined) return configuration;
  }
  const { startOffset } = node.log;
  // A log that begins where no snapshot stands is another invariant's affair.
  if (startOffset > (node.disk.newestSnapshot()?.id.offset ?? 0)) return node.configuration;
  const snapshot = node.disk.snapshots.find(({ id }) => id.offset === startOffset) ??
    node.disk.newestSnapshot();
  return snapshot?.configuration ?? world.bootstrap;
}

const texts = new WeakMap<Configuration, string>();

export function shown(configuration: Configuration): string {
  const known = texts.get(configuration);
  if (known !== undefined) return known;
  const set = (voters: readonly Voter[] | undefined): string =>
    (voters ?? []).map(({ id, directoryId }) => `${id}.${directoryId.slice(0, 3)}`).sort().join(
      ",",
    );
  const { voters, outgoing, learners } = configuration;
  const text = `[${set(voters)}] outgoing [${set(outgoing)}] learners [${set(learners)}]`;
  texts.set(configuration, text);
  return text;
}
