/**
 * A sticky reader of decoded msgpack: the fields of an object one by one, each with its type and its
 * bounds, the first one that is wrong kept as the reason.
 *
 *     const fields = new Fields(value, "Hello");
 *     const nodeId = fields.id("nodeId");
 *     return fields.failure ?? { nodeId, … };
 *
 * Nothing is taken that was not looked at; what is bytes is a copy, because frames are lent.
 */
import { parseUuid, type Uuid, ZERO_UUID } from "../../ground/uuid.ts";

/** Text that names something: hosts, listeners, features, clusters. */
export const NAME_LENGTH_MAX = 255;
export const INT32_MAX = 0x7fff_ffff;

const NO_BYTES = new Uint8Array(0);
const NO_OBJECT: Readonly<Record<string, unknown>> = Object.freeze({});

export class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #path: string;
  #failure: string | undefined;

  constructor(value: unknown, path: string) {
    this.#path = path;
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value) &&
      !(value instanceof Uint8Array);
    this.#object = isObject ? value as Record<string, unknown> : NO_OBJECT;
    if (!isObject) this.#failure = `${path} is not an object`;
  }

  /** What was wrong first; undefined while all is well. */
  get failure(): string | undefined {
    return this.#failure;
  }

  fail(reason: string): void {
    this.#failure ??= `${this.#path}: ${reason}`;
  }

  has(name: string): boolean {
    const value = this.value(name);
    return value !== undefined && value !== null;
  }

  /** A safe integer from `low` to `high`. */
  int(name: string, low: number, high: number): number {
    const value = this.value(name);
    if (Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high) {
      return value === 0 ? 0 : value as number; // never −0
    }
    this.fail(`${name} ${shown(value)} is not a whole number from ${low} to ${high}`);
    return low;
  }

  /** The id of a node. */
  id(name: string): number {
    return this.int(name, 0, INT32_MAX);
  }

  /** An offset, an epoch of a broker, a producer id. */
  count(name: string): number {
    return this.int(name, 0, Number.MAX_SAFE_INTEGER);
  }

  errorCode(): number {
    return this.int("errorCode", -1, 0x7fff);
  }

  bool(name: string): boolean {
    const value = this.value(name);
    if (typeof value !== "boolean") this.fail(`${name} is neither true nor false`);
    return value === true;
  }

  text(name: string, lengthMax: number = NAME_LENGTH_MAX): string {
    const value = this.value(name);
    if (typeof value === "string" && value.length <= lengthMax) return value;
    this.fail(`${name} is not a text of at most ${lengthMax} characters`);
    return "";
  }

  textOrNull(name: string, lengthMax: number = NAME_LENGTH_MAX): string | null {
    return this.has(name) ? this.text(name, lengthMax) : null;
  }

  uuid(name: string): Uuid {
    const value = this.value(name);
    const uuid = typeof value === "string" ? parseUuid(value) : undefined;
    if (uuid === undefined) this.fail(`${name} is not a uuid`);
    return uuid ?? ZERO_UUID;
  }

  /** A copy: the frame it lies in is lent. */
  bytes(name: string): Uint8Array {
    const value = this.value(name);
    if (value instanceof Uint8Array) return copyOf(value);
    this.fail(`${name} is not bytes`);
    return NO_BYTES;
  }

  /** Each element by `read`, which returns it or why it is none. */
  list<T>(name: string, countMax: number, read: (value: unknown, path: string) => T | string): T[] {
    const value = this.value(name);
    const list: T[] = [];
    if (!Array.isArray(value) || value.length > countMax) {
      this.fail(`${name} is not a list of at most ${countMax}`);
      return list;
    }
    for (let index = 0; index < value.length; index++) {
      const element = read(value[index], `${name}[${index}]`);
      if (typeof element === "string") {
        this.fail(element);
        return [];
      }
      list.push(element);
    }
    return list;
  }

  ints(name: string, countMax: number, low: number, high: number): readonly number[] {
    const value = this.value(name);
    if (Array.isArray(value) && value.length <= countMax) {
      if (value.every((each) => Number.isSafeInteger(each) && each >= low && each <= high)) {
        return value;
      }
    }
    this.fail(`${name} is not a list of at most ${countMax} numbers from ${low} to ${high}`);
    return [];
  }

  uuids(name: string, countMax: number): readonly Uuid[] {
    const value = this.value(name);
    if (Array.isArray(value) && value.length <= countMax) {
      if (value.every((each) => typeof each === "string" && parseUuid(each) !== undefined)) {
        return value;
      }
    }
    this.fail(`${name} is not a list of at most ${countMax} uuids`);
    return [];
  }

  texts(name: string, countMax: number): readonly string[] {
    const value = this.value(name);
    if (Array.isArray(value) && value.length <= countMax) {
      if (value.every((each) => typeof each === "string" && each.length <= NAME_LENGTH_MAX)) {
        return value;
      }
    }
    this.fail(`${name} is not a list of at most ${countMax} texts`);
    return [];
  }

  /** The object's own field, whatever it holds; undefined where there is none, or no object. */
  value(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }
}

/** `Uint8Array.prototype.slice` of a Buffer would share its memory. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** A value from outside, short enough for a log line. */
function shown(value: unknown): string {
  return typeof value === "number" || typeof value === "boolean" ? `${value}` : `(${typeof value})`;
}
