/** What the world knows of a client, whatever protocol it speaks, and what a client knows of the world. */
import type { Asked, Coordinator } from "../coordinator.ts";
import type { GroupRequest } from "../../../src/group/group_request.ts";
import type { ClusterImage } from "../../../src/metadata/image.ts";
import type { Prng } from "../../../src/ground/prng.ts";
import type { Ms } from "../../../src/ground/numbers.ts";

/** One partition as text: `topic-3`. */
export type Place = string;

export interface ClientOptions {
  readonly name: string;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly instanceId: string | null;
}

/** Where a client lives, and who is told of its steps and checks them. */
export interface Surroundings {
  readonly coordinator: Coordinator;
  readonly random: Prng;
  readonly invariants: {
    /** A classic member was given these in a generation. */
    onAssigned(client: Client, generation: number, places: ReadonlySet<Place>): void;
    /** A generation has begun: commits of an older one are refused from now on. */
    onGeneration(client: Client, generation: number): void;
    onCommitted(client: Client, place: Place, offset: number): void;
  };
}

export abstract class Client {
  readonly name: string;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly instanceId: string | null;
  /** What it reads now, as far as it knows. */
  owned: Set<Place> = new Set();
  memberId = "";
  /** Its generation or member epoch; -1 = none. */
  epoch = -1;
  /** A process that stands still does nothing until then. */
  pausedUntil: Ms | undefined;
  /** It was told that another one has its place: it does no more. */
  isFenced = false;
  protected readonly world: Surroundings;
  protected asked: Asked | undefined;

  constructor(world: Surroundings, { name, groupId, topics, instanceId }: ClientOptions) {
    this.world = world;
    this.name = name;
    this.groupId = groupId;
    this.topics = topics;
    this.instanceId = instanceId;
  }

  abstract readonly protocol: "classic" | "consumer";
  /** Whether it has what it wants and nothing to do but to heartbeat. */
  abstract get isSettled(): boolean;
  /** Does what it is time to do. */
  abstract poll(): void;
  /** Goes away as it should. */
  abstract leave(): void;
  /** The connection to the coordinator broke: what was asked is not answered. */
  abstract onDisconnect(): void;

  /** Commits one offset of a partition that it has, as it knows its place in the group. */
  abstract commit(epoch?: number): void;

  protected get now(): Ms {
    return this.world.coordinator.now;
  }

  protected get image(): ClusterImage {
    return this.world.coordinator.image;
  }

  protected send(request: GroupRequest): void {
    this.asked = this.world.coordinator.send(request) as Asked;
  }

  /** The next offset of a partition that it owns. */
  protected nextCommit(): readonly [place: Place, offset: number] | undefined {
    // A handler does not let through what is of no topic.
    const places = [...this.owned].filter((place) =>
      this.image.topic(topicOf(place)) !== undefined
    );
    if (places.length === 0) return undefined;
    const place = places[this.world.random.below(places.length)] as Place;
    const { random } = this.world;
    // Often the one that it was: a consumer that stands still commits too.
    return [place, random.oneIn(2) ? 7 : random.below(1_000_000)];
  }
}

export function topicOf(place: Place): string {
  return place.slice(0, place.lastIndexOf("-"));
}

export function partitionOf(place: Place): number {
  return Number(place.slice(place.lastIndexOf("-") + 1));
}

export function placesOf(
  named: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
): Set<Place> {
  return new Set(
    named.flatMap(({ topic, partitions }) => partitions.map((id) => `${topic}-${id}`)),
  );
}

export function byTopic(places: Iterable<Place>): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const place of places) {
    const partitions = topics.get(topicOf(place)) ?? [];
    partitions.push(partitionOf(place));
    topics.set(topicOf(place), partitions);
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }));
}

/** All partitions that there are of these topics. */
export function allPlaces(image: ClusterImage, topics: Iterable<string>): Place[] {
  return [...topics].flatMap((topic) =>
    (image.topic(topic)?.partitions ?? []).map((_, id) => `${topic}-${id}`)
  );
}
