type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(amount?: number, labels?: Labels): void;
}

export interface Histogram {
  /** Counts one observation, in seconds. */
  observe(value: number, labels?: Labels): void;
}

/** Reads one value, or one for each set of labels. */
export type ReadSamples = () => number | readonly (readonly [Labels, number])[];

/**
 * Registry of metrics in Prometheus' text format, version 0.0.4. Names and label values come from our own code alone.
 */
export interface MetricsRegistry {
  counter(name: string, help: string): Counter;
  /** Registers a gauge, read when the metrics are asked for. */
  gauge(name: string, help: string, read: ReadSamples): void;
  counterFrom(name: string, help: string, read: ReadSamples): void;
  histogram(name: string, help: string, buckets?: readonly number[]): Histogram;
  render(): string;
}

/** Default buckets in seconds, from a quarter of a millisecond. */
const DEFAULT_BUCKETS = [
  0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

export function createMetricsRegistry(): MetricsRegistry {
  const families: (() => string)[] = [];

  function readLater(name: string, help: string, type: 'counter' | 'gauge', read: ReadSamples): void {
    families.push(() => {
      const now = read();
      const samples = typeof now === 'number' ? [[{}, now] as const] : now;
      return family(
        name,
        help,
        type,
        samples.map(([labels, value]) => `${name}${formatLabels(labels)} ${value}`),
      );
    });
  }

  return {
    counter(name, help) {
      const values = new Map<string, number>();
      families.push(() =>
        family(
          name,
          help,
          'counter',
          [...values].map(([at, value]) => `${name}${at} ${value}`),
        ),
      );
      return {
        add(amount = 1, labels = {}) {
          const at = formatLabels(labels);
          values.set(at, (values.get(at) ?? 0) + amount);
        },
      };
    },
    gauge: (name, help, read) => readLater(name, help, 'gauge', read),
    counterFrom: (name, help, read) => readLater(name, help, 'counter', read),
    histogram(name, help, buckets = DEFAULT_BUCKETS) {
      const series = new Map<string, Series>();
      families.push(() =>
        family(
          name,
          help,
          'histogram',
          [...series.values()].flatMap((one) => formatSeries(name, one, buckets)),
        ),
      );
      return {
        observe(value, labels = {}) {
          const at = formatLabels(labels);
          const one = series.get(at) ?? { labels, counts: buckets.map(() => 0), count: 0, sum: 0 };
          series.set(at, one);
          one.count += 1;
          one.sum += value;
          const index = buckets.findIndex((limit) => value <= limit);
          if (index >= 0) one.counts[index] = (one.counts[index] ?? 0) + 1;
        },
      };
    },
    render: () => families.map((format) => format()).join(''),
  };
}

interface Series {
  readonly labels: Labels;
  readonly counts: number[];
  count: number;
  sum: number;
}

function family(name: string, help: string, type: string, lines: readonly string[]): string {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
}

function formatSeries(name: string, series: Series, buckets: readonly number[]): string[] {
  let sum = 0;
  const lines = buckets.map((limit, index) => {
    sum += series.counts[index] ?? 0;
    return `${name}_bucket${formatLabels({ ...series.labels, le: String(limit) })} ${sum}`;
  });
  const at = formatLabels(series.labels);
  return [
    ...lines,
    `${name}_bucket${formatLabels({ ...series.labels, le: '+Inf' })} ${series.count}`,
    `${name}_sum${at} ${series.sum}`,
    `${name}_count${at} ${series.count}`,
  ];
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) =>
      `${name}="${value
        .replaceAll('\\', String.raw`\\`)
        .replaceAll('"', String.raw`\"`)
        .replaceAll('\n', String.raw`\n`)}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
