/** One run of the program against a cluster of values. */
import { runProgram } from "../../cli/program.ts";
import { FakeIo, type FakeIoOptions } from "./fake_io.ts";
import { LogCluster } from "./log_cluster.ts";

export interface Ran {
  readonly code: number;
  readonly io: FakeIo;
}

export async function mq(
  args: readonly string[],
  cluster: LogCluster,
  options: FakeIoOptions = {},
): Promise<Ran> {
  const io = new FakeIo({ isHasty: true, ...options, args });
  return { code: await runProgram(io, () => cluster.library()), io };
}

/** With the topic `t`. */
export function clusterWith(...values: readonly string[]): LogCluster {
  const cluster = new LogCluster();
  cluster.topic("t", values);
  return cluster;
}
