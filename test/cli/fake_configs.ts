/** Settings of a cluster made of values: a few names, where each value comes from, and changes. */
interface FakeSetting {
  readonly name: string;
  readonly type: string;
  readonly default: string;
}

export const FAKE_SETTINGS: readonly FakeSetting[] = [
  { name: "cleanup.policy", type: "list", default: "delete" },
  { name: "retention.ms", type: "long", default: "604800000" },
  { name: "segment.bytes", type: "int", default: "1073741824" },
];

export interface FakeChange {
  readonly name: string;
  readonly operation: string;
  readonly value?: string;
}

export class FakeConfigs {
  /** What topics have of their own. */
  readonly own = new Map<string, Map<string, string>>();
  /** What was asked for, dry runs too. */
  readonly asked: { readonly name: string; readonly changes: readonly FakeChange[] }[] = [];
  readonly #hasTopic: (name: string) => boolean;
  readonly #error: (code: string, message?: string) => Error;

  constructor(
    hasTopic: (name: string) => boolean,
    error: (code: string, message?: string) => Error,
  ) {
    this.#hasTopic = hasTopic;
    this.#error = error;
  }

  alter(
    topics: readonly { readonly name: string; readonly changes: readonly FakeChange[] }[],
    validateOnly: boolean,
  ): readonly object[] {
    return topics.map(({ name, changes }) => {
      this.asked.push({ name, changes });
      if (!this.#hasTopic(name)) return { name, error: this.#error("UNKNOWN_TOPIC_OR_PARTITION") };
      const known = FAKE_SETTINGS.map((setting) => setting.name);
      // Brokers take back what is not there without a word.
      const unknown = changes.find((change) =>
        change.value !== undefined && !known.includes(change.name)
      );
      if (unknown !== undefined) {
        const message = `Unknown topic config name: ${unknown.name}`;
        return { name, error: this.#error("INVALID_CONFIG", message) };
      }
      const own = this.own.get(name) ?? new Map<string, string>();
      if (!validateOnly) this.own.set(name, own);
      for (const change of validateOnly ? [] : changes) {
        if (change.value === undefined) own.delete(change.name);
        else own.set(change.name, change.value);
      }
      return { name };
    });
  }

  describe(name: string): object {
    if (!this.#hasTopic(name)) {
      return { name, error: this.#error("UNKNOWN_TOPIC_OR_PARTITION"), configs: [] };
    }
    return { name, configs: this.#configs(this.own.get(name) ?? new Map()) };
  }

  describeBroker(name: string): object {
    return { name, configs: this.#configs(new Map()) };
  }

  #configs(own: ReadonlyMap<string, string>): readonly object[] {
    return FAKE_SETTINGS.map((setting) => {
      const value = own.get(setting.name);
      const standard = {
        name: `log.${setting.name}`,
        value: setting.default,
        source: "DEFAULT_CONFIG",
      };
      const synonyms = value === undefined
        ? [standard]
        : [{ name: setting.name, value, source: "DYNAMIC_TOPIC_CONFIG" }, standard];
      return {
        name: setting.name,
        value: synonyms[0]?.value,
        source: synonyms[0]?.source,
        type: setting.type,
        isReadOnly: false,
        isSensitive: false,
        documentation: `What ${setting.name} does.`,
        synonyms,
      };
    });
  }
}
