/** Cut and clogged ways, broken connections, doors at which nobody answers. */
import { durationUs, type Fault, type FaultContext } from "./fault.ts";

interface Pair {
  readonly one: string;
  readonly other: string;
}

/** A node and any other machine. */
function pickPair({ nodes, clients, chance }: FaultContext): Pair {
  const names = [...nodes, ...clients].map(({ process }) => process.name);
  const first = chance.below(nodes.length);
  const second = (first + 1 + chance.below(names.length - 1)) % names.length;
  return { one: names[first] as string, other: names[second] as string };
}

function healLater(context: FaultContext, { one, other }: Pair, lengthUs: number): void {
  const { scheduler, network } = context;
  scheduler.after(lengthUs, { label: "heal" }, () => {
    network.heal(one, other);
    network.heal(other, one);
  });
}

/** One machine from one other, or from all. */
export const partition: Fault = (context) => {
  const { network, nodes, clients, chance } = context;
  const pair = pickPair(context);
  const others = chance.oneIn(2)
    ? [pair.other]
    : [...nodes, ...clients].map(({ process }) => process.name).filter((name) => name !== pair.one);
  const lengthUs = durationUs(chance, 50, 30_000);
  for (const other of others) {
    network.cut(pair.one, other);
    network.cut(other, pair.one);
    healLater(context, { one: pair.one, other }, lengthUs);
  }
  return true;
};

export const partitionOneWay: Fault = (context) => {
  const { one, other } = pickPair(context);
  const isOut = context.chance.oneIn(2);
  context.network.cut(isOut ? one : other, isOut ? other : one);
  healLater(context, { one, other }, durationUs(context.chance, 50, 30_000));
  return true;
};

export const clog: Fault = (context) => {
  const { one, other } = pickPair(context);
  const delayUs = durationUs(context.chance, 10, 3000);
  context.network.clog(one, other, delayUs);
  if (context.chance.oneIn(2)) context.network.clog(other, one, delayUs);
  healLater(context, { one, other }, durationUs(context.chance, 50, 20_000));
  return true;
};

export const cutConnections: Fault = ({ network, chance }) => {
  const isAll = chance.oneIn(3);
  let count = 0;
  for (const stream of [...network.streams]) {
    if (!isAll && !chance.oneIn(3)) continue;
    stream.breakUp();
    count++;
  }
  return count > 0;
};

export const refuseConnections: Fault = (context) => {
  const { network, nodes, scheduler, chance } = context;
  const node = nodes[chance.below(nodes.length)];
  if (node === undefined) return false;
  network.refusing.add(node.address);
  scheduler.after(durationUs(chance, 50, 5000), { label: "heal" }, () => {
    network.refusing.delete(node.address);
  });
  return true;
};
