/**
 * Counters, gauges and histograms, and their Prometheus text (exposition format 0.0.4).
 *
 * A metric is a family of series, one for each combination of label values. Families are bounded
 * (`SERIES_MAX`): names from the network may become labels, and must not become memory.
 */

const SERIES_MAX = 20_000;

export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** One line of text for each series of a family. */
interface Family {
  render(): string;
}

/** Shared by all kinds: the series of a family by their label values. */
class Series<T> {
  readonly #labels: readonly string[];
  readonly #make: () => T;
  readonly #byKey = new Map<string, T>();

  constructor(labels: readonly string[], make: () => T) {
    this.#labels = labels;
    this.#make = make;
  }

  of(values: readonly string[]): T {
    const key = values.length === 0 ? "" : this.#key(values);
    let series = this.#byKey.get(key);
    if (series === undefined) {
      series = this.#make();
      if (this.#byKey.size < SERIES_MAX) this.#byKey.set(key, series);
    }
    return series;
  }

  remove(values: readonly string[]): void {
    this.#byKey.delete(this.#key(values));
  }

  entries(): Iterable<[string, T]> {
    return this.#byKey;
  }

  #key(values: readonly string[]): string {
    return this.#labels.map((label, index) => `${label}="${escaped(values[index] ?? "")}"`).join(
      ",",
    );
  }
}

export class Counter {
  value = 0;
  add(amount: number): void {
    this.value += amount;
  }
}

export class CounterFamily implements Family {
  readonly #options: MetricOptions;
  readonly #series: Series<Counter>;

  constructor(options: MetricOptions) {
    this.#options = options;
    this.#series = new Series(options.labels ?? [], () => new Counter());
  }

  /** Forgets the series of these label values. */
  remove(...values: readonly string[]): void {
    this.#series.remove(values);
  }

  /** The counter of these label values; keep it where it is used often. */
  of(...values: readonly string[]): Counter {
    return this.#series.of(values);
  }

  render(): string {
    let text = head(this.#options, "counter");
    for (const [key, counter] of this.#series.entries()) {
      if (counter.value === 0 && key !== "") continue; // made ahead of its first use
      text += line(this.#options.name, key, counter.value);
    }
    return text;
  }
}

/** A gauge is asked for its values when the page is made. */
export class GaugeFamily implements Family {
  readonly #options: MetricOptions;
  readonly #read: (set: (value: number, ...labels: readonly string[]) => void) => void;

  constructor(
    options: MetricOptions,
    read: (set: (value: number, ...labels: readonly string[]) => void) => void,
  ) {
    this.#options = options;
    this.#read = read;
  }

  render(): string {
    const series = new Series(this.#options.labels ?? [], () => ({ value: 0 }));
    this.#read((value, ...labels) => {
      series.of(labels).value = value;
    });
    let text = head(this.#options, "gauge");
    for (const [key, { value }] of series.entries()) text += line(this.#options.name, key, value);
    return text;
  }
}

/** A counter that somebody else keeps, read when the page is made. */
class CountFamily implements Family {
  readonly #options: MetricOptions;
  readonly #read: () => number;

  constructor(options: MetricOptions, read: () => number) {
    this.#options = options;
    this.#read = read;
  }

  render(): string {
    return head(this.#options, "counter") + line(this.#options.name, "", this.#read());
  }
}

/** Upper bounds of the buckets, in seconds. */
const BOUNDS = [
  0.0001,
  0.00025,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
];

export class Histogram {
  readonly counts = new Float64Array(BOUNDS.length + 1);
  sum = 0;
  count = 0;

  /** Unit: seconds. */
  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sum += seconds;
    this.count++;
  }
}

export class HistogramFamily implements Family {
  readonly #options: MetricOptions;
  readonly #series: Series<Histogram>;

  constructor(options: MetricOptions) {
    this.#options = options;
    this.#series = new Series(options.labels ?? [], () => new Histogram());
  }

  of(...values: readonly string[]): Histogram {
    return this.#series.of(values);
  }

  render(): string {
    const { name } = this.#options;
    let text = head(this.#options, "histogram");
    for (const [key, histogram] of this.#series.entries()) {
      const comma = key === "" ? "" : `${key},`;
      let below = 0;
      BOUNDS.forEach((bound, bucket) => {
        below += histogram.counts[bucket] as number;
        text += line(`${name}_bucket`, `${comma}le="${bound}"`, below);
      });
      text += line(`${name}_bucket`, `${comma}le="+Inf"`, histogram.count);
      text += line(`${name}_sum`, key, histogram.sum) + line(`${name}_count`, key, histogram.count);
    }
    return text;
  }
}

/** All families of a process, in the order they were made. */
export class Metrics {
  readonly #families: Family[] = [];

  counter(options: MetricOptions): CounterFamily {
    return this.#add(new CounterFamily(options));
  }

  gauge(
    options: MetricOptions,
    read: (set: (value: number, ...labels: readonly string[]) => void) => void,
  ): void {
    this.#add(new GaugeFamily(options, read));
  }

  count(name: string, help: string, read: () => number): void {
    this.#add(new CountFamily({ name, help }, read));
  }

  histogram(options: MetricOptions): HistogramFamily {
    return this.#add(new HistogramFamily(options));
  }

  render(): string {
    return this.#families.map((family) => family.render()).join("");
  }

  #add<F extends Family>(family: F): F {
    this.#families.push(family);
    return family;
  }
}

function head({ name, help }: MetricOptions, type: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function line(name: string, key: string, value: number): string {
  return key === "" ? `${name} ${value}\n` : `${name}{${key}} ${value}\n`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
