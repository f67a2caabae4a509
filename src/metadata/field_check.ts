/**
 * What one field of a decoded record must look like: each check gives what was wanted, or nothing.
 *
 * A record came through a CRC, so a wrong field is another program's doing or a bug; it is refused when
 * it is read, so that nothing behind has to doubt a record.
 */
/** What the value should have been, or undefined where it is that. */
export type FieldCheck = (value: unknown) => string | undefined;

const INT32_MAX = 2 ** 31 - 1;
const PORT_MAX = 65535;
const LIST_MAX = 10_000;
/** 128 bits: the last of the 22 digits has two of them. One test instead of decoding: replay is hot. */
const UUID = /^[A-Za-z0-9_-]{21}[AQgw]$/;

export function aBoolean(value: unknown): string | undefined {
  return typeof value === "boolean" ? undefined : "true or false";
}

export function aText(value: unknown): string | undefined {
  return typeof value === "string" ? undefined : "a text";
}

export function aName(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? undefined : "a text that is not empty";
}

export function aTextOrNull(value: unknown): string | undefined {
  return value === null || typeof value === "string" ? undefined : "a text or null";
}

export function aUuid(value: unknown): string | undefined {
  return typeof value === "string" && UUID.test(value) ? undefined : "a uuid";
}

/** Ids, epochs and indexes: an int32 of Kafka's that is not negative. */
export function aCount(value: unknown): string | undefined {
  return isCount(value) ? undefined : "a whole number from 0 to 2147483647";
}

/** Offsets, and epochs that are offsets. */
export function aSafeCount(value: unknown): string | undefined {
  return Number.isSafeInteger(value) && value as number >= 0
    ? undefined
    : "a safe whole number, 0 or more";
}

export function aLeader(value: unknown): string | undefined {
  return value === -1 || isCount(value) ? undefined : "the id of a broker, or -1";
}

export function aPort(value: unknown): string | undefined {
  return isCount(value) && value <= PORT_MAX ? undefined : "a port from 0 to 65535";
}

/** Ids of brokers, each once; may be empty. */
export function brokerIds(value: unknown): string | undefined {
  return isIdList(value) ? undefined : "a list of distinct broker ids";
}

export function someBrokerIds(value: unknown): string | undefined {
  return isIdList(value) && value.length > 0
    ? undefined
    : "a list of distinct broker ids, at least one";
}

export function listOf(check: FieldCheck, words: string): FieldCheck {
  return (value) => {
    if (!Array.isArray(value) || value.length > LIST_MAX) return `a list of ${words}`;
    return value.every((element) => check(element) === undefined)
      ? undefined
      : `a list of ${words}`;
  };
}

export function objectOf(fields: Readonly<Record<string, FieldCheck>>): FieldCheck {
  const checks = Object.entries(fields);
  return (value) => {
    if (typeof value !== "object" || value === null) return "an object";
    for (const [name, check] of checks) {
      const wanted = check((value as Readonly<Record<string, unknown>>)[name]);
      if (wanted !== undefined) return `an object whose ${name} is ${wanted}`;
    }
    return undefined;
  };
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && value as number >= 0 && value as number <= INT32_MAX;
}

/** Lists of replicas are short: a nested loop is faster than a set. */
function isIdList(value: unknown): value is readonly number[] {
  if (!Array.isArray(value) || value.length > LIST_MAX) return false;
  for (let at = 0; at < value.length; at++) {
    if (!isCount(value[at])) return false;
    for (let before = 0; before < at; before++) if (value[before] === value[at]) return false;
  }
  return true;
}
