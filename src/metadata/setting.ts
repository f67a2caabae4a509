/**
 * What a setting is: name, type, default, bounds, meaning; and how its text is read.
 *
 * Topic settings (`topic_config.ts`) and the broker's own (`runtime/broker_settings.ts`) are tables of
 * these. Types, names and what is accepted are Kafka's (kafka: ConfigDef.parseType), so that an
 * operator's file and habits carry over; `test/golden/kafka_4_1_topic_configs.json` is the judge.
 */

export type SettingType = "boolean" | "int" | "long" | "double" | "string" | "list";
export type SettingValue = boolean | number | string | readonly string[];

export interface Setting {
  readonly name: string;
  readonly type: SettingType;
  /** In the form it has in a file; undefined = has no default and may be absent. */
  readonly default?: string;
  readonly min?: number;
  readonly max?: number;
  /** One value outside the bounds that is allowed too. */
  readonly also?: number;
  /** For a string the allowed values, for a list those of its elements. */
  readonly values?: readonly string[];
  /** For a list: what all of it must look like, and that in words. */
  readonly form?: { readonly pattern: RegExp; readonly words: string };
  readonly isSensitive?: boolean;
  /** One sentence: what it does, with the unit. */
  readonly doc: string;
}

export type ParsedSetting =
  | { readonly kind: "value"; readonly value: SettingValue }
  | { readonly kind: "refused"; readonly message: string };

const INT_MAX = 2 ** 31 - 1;
const LONG_MAX = 2n ** 63n - 1n;
const LONG_DIGITS_MAX = 19;
/** What is shown of a text in a message: an answer must not grow with what was sent. */
const SHOWN_MAX = 100;

/** Reads the text of a setting; a refusal names the value and what would be right. */
export function parseSetting(setting: Setting, text: string): ParsedSetting {
  const trimmed = text.trim();
  switch (setting.type) {
    case "boolean":
      return parseBoolean(setting, trimmed);
    case "int":
    case "long":
      return parseWhole(setting, trimmed);
    case "double":
      return parseDouble(setting, trimmed);
    case "string":
      return setting.values === undefined || setting.values.includes(trimmed)
        ? { kind: "value", value: trimmed }
        : refused(setting, trimmed, `one of ${setting.values.join(", ")}`);
    case "list":
      return parseList(setting, trimmed);
  }
}

/** A value in the one form in which it is told, however it was written; as it is where it is none. */
export function canonicalText(setting: Setting, text: string): string {
  const parsed = parseSetting(setting, text);
  if (parsed.kind === "refused") return text;
  const { value } = parsed;
  // Not by way of a number: a long may be beyond what one holds exactly.
  if (setting.type === "int" || setting.type === "long") return String(BigInt(unsigned(text)));
  if (setting.type === "double") return Number.isInteger(value) ? `${value}.0` : String(value);
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** The beginning of a text that somebody sent, for a message. */
export function shown(text: string): string {
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

function parseBoolean(setting: Setting, text: string): ParsedSetting {
  const lower = text.toLowerCase();
  if (lower === "true" || lower === "false") return { kind: "value", value: lower === "true" };
  return refused(setting, text, "true or false");
}

/**
 * A long beyond the safe integers stands for "no limit" in many files (Kafka's Long.MAX_VALUE): it is
 * accepted, and read as the largest safe integer.
 */
function parseWhole(setting: Setting, text: string): ParsedSetting {
  const isInt = setting.type === "int";
  const max = setting.max ?? (isInt ? INT_MAX : Number.MAX_SAFE_INTEGER);
  const min = setting.min ?? (isInt ? -INT_MAX - 1 : Number.MIN_SAFE_INTEGER);
  const value = isWhole(text) && isLong(text) ? clamped(Number(text)) : NaN;
  if ((value >= min && value <= max) || value === setting.also) return { kind: "value", value };
  return refused(setting, text, `a whole number${boundsOf(setting, isInt ? INT_MAX : undefined)}`);
}

function isWhole(text: string): boolean {
  return /^[+-]?\d+$/.test(text);
}

function isLong(text: string): boolean {
  const digits = text.replace(/^[+-]?0*/, "");
  if (digits.length !== LONG_DIGITS_MAX) return digits.length < LONG_DIGITS_MAX;
  return BigInt(digits) <= LONG_MAX + (text.startsWith("-") ? 1n : 0n);
}

function clamped(value: number): number {
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

function unsigned(text: string): string {
  return text.trim().replace(/^\+/, "");
}

/** Java's other spellings (NaN, 1d, 0x1p3) are not read: none of them is meant. */
function parseDouble(setting: Setting, text: string): ParsedSetting {
  const { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = setting;
  const isDouble = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
  const value = isDouble ? Number(text) : NaN;
  if (value >= min && value <= max) return { kind: "value", value };
  return refused(setting, text, `a number${boundsOf(setting, undefined)}`);
}

function boundsOf({ min, max, also }: Setting, typeMax: number | undefined): string {
  const upper = max ?? typeMax;
  const other = also === undefined ? "" : `, or ${also}`;
  if (min === undefined) return upper === undefined ? other : ` up to ${upper}${other}`;
  return (upper === undefined ? `, ${min} or more` : ` from ${min} to ${upper}`) + other;
}

function parseList(setting: Setting, text: string): ParsedSetting {
  const value = text === "" ? [] : text.split(",").map((element) => element.trim());
  const unknown = value.find((element) => setting.values?.includes(element) === false);
  if (unknown !== undefined) {
    return refused(setting, unknown, `a list of ${setting.values?.join(", ") ?? ""}`);
  }
  if (setting.form?.pattern.test(value.join(",")) === false) {
    return refused(setting, text, setting.form.words);
  }
  return { kind: "value", value };
}

function refused(setting: Setting, value: string, wanted: string): ParsedSetting {
  const message = `Invalid value ${shown(value)} for configuration ${setting.name}: it must be ` +
    wanted;
  return { kind: "refused", message };
}
