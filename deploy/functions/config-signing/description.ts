import { createHash } from 'node:crypto';
import type { ConfigurationFile, ConfiguredNode } from '../../../admin/configurations/index.ts';
import { compareConfigurations, describeChanges } from '../../../policy/index.ts';
import { lintConfiguration } from '../../../policy/analysis/index.ts';
import type { Configuration } from '../../../shared/documents/configuration.ts';
import { ConfigSigningError } from './errors.ts';
import type { ConfigSigningDescription } from './protocol.ts';

const CONFIRMATION_FORMAT = 'holdfast-config-confirmation/1';

/** What is confirmed: a configuration, and what it changes of the newest one. */
export type ConfirmedChange = Omit<ConfigSigningDescription, 'findings'>;

/**
 * Describes what a configuration changes of the one before it, or of nothing, and the digest by which a person confirms
 * just that.
 */
export function describeChange(
  file: ConfigurationFile,
  before: ConfigurationFile | undefined,
  { digest: manifestDigest }: ConfiguredNode,
): ConfirmedChange {
  const { configuration, digest } = file;
  const changes = compareConfigurations(before?.configuration ?? emptyOf(configuration), configuration);
  const text = describeChanges(changes, before?.configuration.version ?? 0);
  const against =
    before === undefined ? null : { version: before.configuration.version, digest: before.digest };
  const confirmed = {
    format: CONFIRMATION_FORMAT,
    manifest: Buffer.from(manifestDigest).toString('hex'),
    digest,
    against: against?.digest ?? null,
    text,
  };
  return {
    version: configuration.version,
    digest,
    against,
    changes,
    text,
    confirmation: createHash('sha384').update(JSON.stringify(confirmed)).digest('hex'),
  };
}

/** A configuration that permits nothing and names nobody, so that the first one is told as changes like any other. */
function emptyOf({ manifest, format }: Configuration): Configuration {
  return {
    format,
    version: 0,
    manifest,
    clients: [],
    clientGroups: [],
    keys: [],
    approvers: [],
    approverGroups: [],
    addressBooks: [],
    witnesses: null,
    rules: [],
  };
}

/**
 * Lints a configuration.
 *
 * @param now milliseconds since 1970
 * @returns warnings and notes
 * @throws ConfigSigningError SIGNING_LINT_FAILED
 */
export function lintForSigning(
  { configuration }: ConfigurationFile,
  { manifest }: ConfiguredNode,
  now: number,
): ConfigSigningDescription['findings'] {
  const findings = lintConfiguration(configuration, now, manifest.quorum);
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return findings;
  throw new ConfigSigningError('SIGNING_LINT_FAILED', 'config lint finds errors', {
    errors: errors.map(
      ({ code, subject, text }) => `${code}${subject === null ? '' : ` ${subject}`}: ${text}`,
    ),
  });
}
