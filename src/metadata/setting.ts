/**
 * What a setting is: name, type, default, bounds, meaning; and how its text is read.
 *
 * Topic settings (`topic_config.ts`) and the broker's own (`runtime/broker_settings.ts`) are tables of
 * these. Types and names are Kafka's, so that an operator's file and habits carry over.
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
  /** For a string the allowed values, for a list those of its elements. */
  readonly values?: readonly string[];
  readonly isSensitive?: boolean;
  /** One sentence: what it does, with the unit. */
  readonly doc: string;
}

export type ParsedSetting =
  | { readonly kind: "value"; readonly value: SettingValue }
  | { readonly kind: "refused"; readonly message: string };

const INT_MAX = 2 ** 31 - 1;

/** Reads the text of a setting; a refusal names the value and what would be right. */
export function parseSetting(setting: Setting, text: string): ParsedSetting {
  const trimmed = text.trim();
  switch (setting.type) {
    case "boolean":
      return parseBoolean(setting, trimmed);
    case "int":
    case "long":
    case "double":
      return parseNumber(setting, trimmed);
    case "string":
      return setting.values === undefined || setting.values.includes(trimmed)
        ? { kind: "value", value: trimmed }
        : refused(setting, trimmed, `one of ${setting.values.join(", ")}`);
    case "list":
      return parseList(setting, trimmed);
  }
}

function parseBoolean(setting: Setting, text: string): ParsedSetting {
  const lower = text.toLowerCase();
  if (lower === "true" || lower === "false") return { kind: "value", value: lower === "true" };
  return refused(setting, text, "true or false");
}

function parseNumber(setting: Setting, text: string): ParsedSetting {
  const max = setting.max ?? (setting.type === "int" ? INT_MAX : Number.MAX_SAFE_INTEGER);
  const min = setting.min ?? -max;
  const wanted = `${
    setting.type === "double" ? "a number" : "a whole number"
  } from ${min} to ${max}`;
  const pattern = setting.type === "double" ? /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i : /^[+-]?\d+$/;
  if (!pattern.test(text)) return refused(setting, text, wanted);
  // Kafka's Long.MAX_VALUE stands for "no limit" in many files; here it is the largest safe integer.
  const value = Math.min(Number(text), max === Number.MAX_SAFE_INTEGER ? max : Infinity);
  return value >= min && value <= max ? { kind: "value", value } : refused(setting, text, wanted);
}

function parseList(setting: Setting, text: string): ParsedSetting {
  const value = text === "" ? [] : text.split(",").map((element) => element.trim());
  const unknown = value.find((element) => setting.values?.includes(element) === false);
  return unknown === undefined
    ? { kind: "value", value }
    : refused(setting, unknown, `a list of ${setting.values?.join(", ") ?? ""}`);
}

function refused(setting: Setting, value: string, wanted: string): ParsedSetting {
  return {
    kind: "refused",
    message: `Invalid value ${value} for configuration ${setting.name}: it must be ${wanted}`,
  };
}
