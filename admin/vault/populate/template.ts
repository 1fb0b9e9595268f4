import type { CatalogueEntry, PartitionDescription } from './catalogue.ts';
import { VALUES_FORMAT } from './values.ts';

const WIDTH = 100;

/** Writes a file of sources for a partition, with what each secret is, ready to be edited. */
export function renderValues({ partition, prefix, account, region, entries }: PartitionDescription): string {
  return [
    ...comment(
      `Where the values of the secrets of ${partition} come from. No value stands in this file: a source is one of`,
    ),
    '#   generate: true                 made once by the tool, never again, and shown to nobody',
    '#   file: PATH                     relative to this file; its owner alone may read it',
    '#   environment: NAME              a variable of the environment',
    '#   command: [PROGRAM, ARGUMENT]   what a password manager prints; started as it is, by no shell',
    '#     timeoutSeconds: 60           and ended then; it must exit with 0, and print no complaint',
    '#     allowStderr: true            where it prints to its standard error although all is well',
    ...comment(
      `One line end at the end of a value is taken off, but for bytes. They go to AWS Secrets Manager in account ${account}, ${region}, below ${prefix}.`,
    ),
    `format: ${VALUES_FORMAT}`,
    `partition: ${partition}`,
    ...(entries.length === 0 ? ['values: {} # the partition has no secrets'] : values(entries)),
    '',
  ].join('\n');
}

function values(entries: readonly CatalogueEntry[]): string[] {
  const isEmpty = entries.every(({ isNeeded }) => !isNeeded);
  const lines = entries.flatMap(({ name, summary, isNeeded, example }) => [
    ...comment(summary, '  '),
    ...[`${name}:`, ...example.map((line) => `  ${line}`)].map((line) => `  ${isNeeded ? '' : '# '}${line}`),
  ]);
  return [
    isEmpty ? 'values: {}' : 'values:',
    ...(isEmpty ? lines.map((line) => line.replace(/^ {2}(?! *#)/, '  # ')) : lines),
  ];
}

function comment(text: string, indent = ''): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > WIDTH) lines.push(`${indent}# ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
