/**
 * The assignor "uniform": every member gets the same number of partitions, give or take one, and of
 * what it had it keeps as much as that allows.
 *
 * Where all members are subscribed to the same topics there is one quota over all of them
 * (`uniform_homogeneous.ts`); else topic by topic, the loads of the subscribers are levelled
 * (`uniform_heterogeneous.ts`). Balance comes before stickiness.
 *
 * Source: KIP-848 "Server-Side Assignor"; kafka: UniformAssignor.
 */
import type { Partitions } from "../partitions.ts";
import type { AssignorInput } from "./assignor.ts";
import { assignHeterogeneous } from "./uniform_heterogeneous.ts";
import { assignHomogeneous } from "./uniform_homogeneous.ts";

export function assignUniformly(input: AssignorInput): ReadonlyMap<string, Partitions> {
  return input.isHomogeneous ? assignHomogeneous(input) : assignHeterogeneous(input);
}
