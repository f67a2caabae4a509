/** The two classes of groups, told apart by `kind`, as their shard knows them. */
import type { ClassicGroup } from "./classic/classic_group.ts";
import type { ConsumerGroup } from "./consumer/consumer_group.ts";

export type AnyGroup = ClassicGroup | ConsumerGroup;
