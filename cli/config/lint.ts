import { lintConfiguration, type ConfigurationFinding } from '../../policy/analysis/index.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import { parseAnyManifest } from '../../shared/documents/any-manifest.ts';
import type { NodeManifest } from '../../shared/documents/manifest.ts';
import { type Command, type CommandInput, type Outcome, readInput } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { inFile } from '../common/in-file.ts';
import { readConfigurationFile, readMoment } from './file.ts';

export const AT = {
  type: 'string',
  value: 'TIME',
  description: 'take this moment for now, in UTC such as 2026-12-01T12:00:00Z',
} as const;

export const lintCommand: Command = {
  name: 'config lint',
  summary:
    'Look for what a configuration says and nobody means: rules that match nothing, quorums of one, keys without limits, payloads that nobody reads.',
  positionals: 'FILE',
  options: {
    strict: { type: 'boolean', description: 'exit 1 at a warning, too' },
    at: AT,
    manifest: {
      type: 'string',
      value: 'FILE',
      description: "compare the number of peers with the quorum of this node's manifest",
    },
  },
  examples: ['holdfast config lint configuration.json', 'holdfast config lint signed.json --strict --json'],
  run: runLint,
};

/** Describes findings, one in a line. */
function describeFindings(findings: readonly ConfigurationFinding[]): string[] {
  return findings.map(
    ({ code, severity, subject, text }) =>
      `${severity.padEnd(8)}${code}${subject === null ? '' : ` (${subject})`}: ${text}`,
  );
}

/**
 * Lints a configuration that somebody is about to sign; notes are left to `config lint`.
 *
 * @throws CliError CONFIGURATION_LINTED where there are errors, unless they are taken
 */
export function lintBeforeSigning(
  configuration: Configuration,
  manifest: Pick<NodeManifest, 'quorum'> | undefined,
  areErrorsTaken: boolean,
): string[] {
  const findings = lintConfiguration(configuration, Date.now(), manifest?.quorum).filter(
    ({ severity }) => severity !== 'note',
  );
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0 && !areErrorsTaken) {
    throw new CliError(
      'CONFIGURATION_LINTED',
      `the configuration does not do what it says: ${describeFindings(errors).join('; ')}`,
      { codes: errors.map(({ code }) => code) },
    );
  }
  return describeFindings(findings);
}

async function runLint({ positionals, text, flag, io }: CommandInput): Promise<Outcome> {
  const [path = ''] = positionals;
  const now = readMoment(text('at'), '--at');
  const { configuration } = await readConfigurationFile(path, io);
  const manifest = text('manifest');
  const bytes = manifest === undefined ? undefined : await readInput(manifest, io);
  const size = bytes && inFile(manifest ?? '', () => parseAnyManifest(bytes)).quorum;
  const findings = lintConfiguration(configuration, now, size);
  const count = (severity: ConfigurationFinding['severity']) =>
    findings.filter((each) => each.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const lines = describeFindings(findings);
  return {
    ok: errors === 0 && (warnings === 0 || !flag('strict')),
    text: [...lines, `${errors} errors, ${warnings} warnings`].join('\n'),
    data: { findings, errors, warnings },
  };
}
