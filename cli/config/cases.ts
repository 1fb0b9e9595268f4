import { parse, YAMLParseError } from 'yaml';
import { type CaseResult, readCases, runCases } from '../../policy/analysis/index.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import { type Command, type CommandInput, type Io, type Outcome, readInput } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { inFile } from '../common/in-file.ts';
import { printable } from '../common/printable.ts';
import { readConfigurationFile } from './file.ts';
import { KEYS, readKeysFile } from './keys-file.ts';

const MAX_CASES_BYTES = 4 * 1024 * 1024;
/** Names of rows that a refusal to sign tells. */
const MAX_NAMED = 8;

export const testCommand: Command = {
  name: 'config test',
  summary:
    'Decide a table of requests by a configuration, in order and at their times, and compare with what the table expects.',
  positionals: 'FILE',
  options: {
    cases: {
      type: 'string',
      value: 'TABLE',
      required: true,
      description: 'requests with the decisions that are expected, YAML or JSON: docs/config-tools.md',
    },
    keys: KEYS,
  },
  examples: [
    'holdfast config test configuration.json --cases cases.yaml',
    'holdfast config test configuration.json --cases cases.yaml --keys keys.json --json',
  ],
  run: runTest,
};

async function runTest({ positionals, text, io }: CommandInput): Promise<Outcome> {
  const [path = ''] = positionals;
  const { configuration } = await readConfigurationFile(path, io);
  const results = await runCasesFile(configuration, { cases: text('cases') ?? '', keys: text('keys') }, io);
  const differing = results.filter(({ differences }) => differences.length > 0);
  const lines = differing.flatMap(describeResult);
  return {
    ok: differing.length === 0,
    text: [...lines, `${results.length} cases, ${differing.length} differ`].join('\n'),
    data: { cases: results.length, differing },
  };
}

function describeResult({ row, name, at, differences, decided }: CaseResult): string[] {
  const words = [...differences, ...decided.reasons];
  return [`row ${row} (${printable(name)}, ${at})`, ...words.map((word) => `  ${printable(word)}`)];
}

/** Runs the table of a file. @throws AnalysisError; UsageError */
async function runCasesFile(
  configuration: Configuration,
  files: { readonly cases: string; readonly keys: string | undefined },
  io: Io,
): Promise<CaseResult[]> {
  const given = await readKeysFile(files.keys, io);
  const bytes = await readInput(files.cases, io, MAX_CASES_BYTES);
  return inFile(files.cases, () => runCases(configuration, readCases(parseTable(bytes)), given));
}

/** Asserts that every case of a table is decided as it says. @throws CliError CASES_DIFFER */
export async function assertCases(
  configuration: Configuration,
  files: { readonly cases: string; readonly keys: string | undefined },
  io: Io,
): Promise<void> {
  const results = await runCasesFile(configuration, files, io);
  const differing = results.filter(({ differences }) => differences.length > 0);
  if (differing.length === 0) return;
  throw new CliError('CASES_DIFFER', 'the configuration decides otherwise than the table expects', {
    rows: differing.slice(0, MAX_NAMED).map(({ row, name }) => `${row} (${name})`),
    differing: differing.length,
    cases: results.length,
  });
}

/** Parses YAML 1.2, of which JSON is a part. @throws CliError CASES_FILE_MALFORMED */
function parseTable(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return parse(text, {
      version: '1.2',
      strict: true,
      uniqueKeys: true,
      maxAliasCount: 0,
      logLevel: 'error',
    }) as unknown;
  } catch (error) {
    const [start] = error instanceof YAMLParseError ? (error.linePos ?? []) : [];
    const where = start === undefined ? {} : { line: start.line, column: start.col };
    throw new CliError('CASES_FILE_MALFORMED', 'the table of cases is not YAML 1.2', where, error);
  }
}
