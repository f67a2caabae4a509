/**
 * Brings partitions to members in a rack where a replica is, by exchanging them two and two: nobody has
 * more or fewer than before, so the balance stays as the assignor made it. A partition that was where
 * it is before is exchanged only where no other serves as well.
 *
 * Every exchange makes the number of partitions at home greater, so it ends, and what was matched once
 * is not moved again while nothing changes. What this does not find: exchanges of three at once.
 *
 * Kafka's clients match racks (KIP-881), Kafka 4.1's server-side assignors do not.
 */
import type { Ownership } from "./assignor.ts";
import type { RackMap } from "./rack_map.ts";

/** Partitions that may be exchanged: whoever has one may have every other. Equal places belong together. */
export interface Area {
  /** Places in the list of members, no place empty. Changed here. */
  readonly owners: Int32Array;
  readonly classes: Int32Array;
  /** Who had it before. */
  readonly before: Int32Array;
}

/** All partitions, and those of each topic in the same memory. */
export function areasOf(
  ownership: Ownership,
  before: Int32Array,
  racks: RackMap,
): { readonly all: Area; readonly topics: readonly Area[] } {
  const all = { owners: ownership.all, classes: new Int32Array(before.length), before };
  let start = 0;
  const topics = Array.from(ownership.owners, ([topicId, owners]): Area => {
    const end = start + owners.length;
    const classes = all.classes.subarray(start, end);
    racks.classify(topicId, classes);
    const area = { owners, classes, before: before.subarray(start, end) };
    start = end;
    return area;
  });
  return { all, topics };
}

/** Exchanges until no exchange is better; false where none was. */
export function matchRacks(area: Area, racks: RackMap): boolean {
  const away = placesAway(area, racks);
  if (away.length === 0) return false;
  return new Exchange(area, racks).run(away);
}

/**
 * Where some members have one more than `least`: who has one more is changed where that brings a
 * partition home. False where nothing was.
 */
export function moveOddOnes(
  { owners, classes }: Area,
  racks: RackMap,
  loads: Int32Array,
  least: number,
): boolean {
  const lowest: number[][] = Array.from({ length: racks.rackCount + 1 }, () => []);
  loads.forEach((load, member) => {
    if (load === least) lowest[racks.ofMember[member] as number]?.push(member);
  });
  let hasMoved = false;
  for (let place = 0; place < owners.length; place++) {
    const owner = owners[place] as number;
    const classIndex = classes[place] as number;
    if ((loads[owner] as number) <= least || !racks.isElsewhere(owner, classIndex)) continue;
    const rack = racks.racksIn(classIndex).find((each) => (lowest[each]?.length ?? 0) > 0);
    if (rack === undefined) continue;
    const member = lowest[rack]?.pop() as number;
    owners[place] = member;
    (loads[member] as number)++;
    (loads[owner] as number)--;
    lowest[racks.ofMember[owner] as number]?.push(owner);
    hasMoved = true;
  }
  return hasMoved;
}

function placesAway({ owners, classes }: Area, racks: RackMap): readonly number[] {
  const away: number[] = [];
  for (let place = 0; place < owners.length; place++) {
    if (racks.isElsewhere(owners[place] as number, classes[place] as number)) away.push(place);
  }
  return away;
}

class Exchange {
  readonly #area: Area;
  readonly #racks: RackMap;
  /** By the owner's rack and the class: places, of which some may have changed hands since. */
  readonly #cells: readonly Map<number, number[]>[];

  constructor(area: Area, racks: RackMap) {
    this.#area = area;
    this.#racks = racks;
    this.#cells = Array.from({ length: racks.rackCount + 1 }, () => new Map());
    // Those that are taken first come last: what nobody had before.
    for (const wasHere of [true, false]) {
      for (let place = 0; place < area.owners.length; place++) {
        if (this.#wasHere(place) === wasHere) this.#file(place);
      }
    }
  }

  run(away: readonly number[]): boolean {
    let hasChanged = false;
    for (let places = away; places.length > 0;) {
      const changed = this.#round(places);
      if (!changed) break;
      hasChanged = true;
      places = placesAway(this.#area, this.#racks);
    }
    return hasChanged;
  }

  #round(places: readonly number[]): boolean {
    const { owners, classes } = this.#area;
    // Rack and class for which nothing was found; an exchange may open a way, for the next round.
    const stuck = new Set<string>();
    let hasChanged = false;
    for (const place of places) {
      const classIndex = classes[place] as number;
      if (!this.#racks.isElsewhere(owners[place] as number, classIndex)) continue;
      const key = `${this.#rackOf(place)}:${classIndex}`;
      if (stuck.has(key)) continue;
      const other = this.#partnerOf(place);
      if (other === undefined) {
        stuck.add(key);
        continue;
      }
      const owner = owners[place] as number;
      owners[place] = owners[other] as number;
      owners[other] = owner;
      this.#file(place);
      this.#file(other);
      hasChanged = true;
    }
    return hasChanged;
  }

  /** The place that it is best to exchange that one with. */
  #partnerOf(place: number): number | undefined {
    const racks = this.#racks;
    const classIndex = this.#area.classes[place] as number;
    const rack = this.#rackOf(place);
    let best: number[] | undefined;
    let most = 0;
    for (const otherRack of [...racks.racksIn(classIndex), racks.rackCount]) {
      const comesHome = otherRack === racks.rackCount ? 0 : 1;
      for (const [otherClass, cell] of this.#cells[otherRack] as Map<number, number[]>) {
        const top = this.#topOf(cell, otherRack);
        if (top === undefined) continue;
        const gain = comesHome + Number(racks.isIn(rack, otherClass)) -
          Number(racks.isIn(otherRack, otherClass));
        const score = 2 * gain + Number(!this.#wasHere(top));
        if (gain <= 0 || score <= most) continue;
        best = cell;
        most = score;
      }
    }
    return best?.pop();
  }

  #topOf(cell: number[], rack: number): number | undefined {
    while (cell.length > 0) {
      const top = cell[cell.length - 1] as number;
      if (this.#rackOf(top) === rack) return top;
      cell.pop();
    }
    return undefined;
  }

  #file(place: number): void {
    const cells = this.#cells[this.#rackOf(place)] as Map<number, number[]>;
    const classIndex = this.#area.classes[place] as number;
    const cell = cells.get(classIndex);
    if (cell === undefined) cells.set(classIndex, [place]);
    else cell.push(place);
  }

  #rackOf(place: number): number {
    return this.#racks.ofMember[this.#area.owners[place] as number] as number;
  }

  #wasHere(place: number): boolean {
    return this.#area.owners[place] === this.#area.before[place];
  }
}
