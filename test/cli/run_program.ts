/** Runs the whole program in this process against a cluster made of values. */
import { runProgram } from "../../cli/program.ts";
import { FakeIo, type FakeIoOptions } from "./fake_io.ts";
import { FakeCluster, type FakeRecord } from "./fake_library.ts";

export interface Run {
  readonly code: number;
  readonly output: string;
  readonly talk: string;
}

export async function run(
  typed: string,
  cluster: FakeCluster = new FakeCluster(),
  options: FakeIoOptions = {},
): Promise<Run> {
  const args = typed.split(" ").filter((word) => word !== "");
  const io = new FakeIo({ ...options, args });
  const code = await runProgram(io, () => cluster.library());
  return { code, output: io.output, talk: io.talk };
}

export function clusterWith(topics: Readonly<Record<string, readonly string[]>>): FakeCluster {
  const cluster = new FakeCluster();
  for (const [name, values] of Object.entries(topics)) {
    cluster.topics.set(name, values.map((value): FakeRecord => ({ key: null, value })));
  }
  return cluster;
}

export function valuesOf(cluster: FakeCluster, topic: string): readonly (string | null)[] {
  return (cluster.topics.get(topic) ?? []).map(({ value }) => value);
}
