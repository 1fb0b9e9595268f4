import { createHash } from 'node:crypto';
import type * as z from 'zod';
import { DsseError, verifyEnvelope, parseEnvelope } from '../dsse/index.ts';
import { parseJson } from '../json/index.ts';
import { MAX_CONFIGURATION_BYTES } from '../protocol/control.ts';
import {
  CONFIGURATION_FORMAT_1,
  configuration1Schema,
  type ConfigurationDocument1,
} from './configuration/format-1.ts';
import {
  CONFIGURATION_FORMAT_2,
  configuration2Schema,
  type ConfigurationDocument2,
} from './configuration/format-2.ts';
import { type Configuration, upgradeConfiguration } from './configuration/upgrade.ts';
import { ConfigurationError } from './errors.ts';
import { type DocumentKind, parseByFormat } from './format.ts';
import type { NodeManifest } from './manifest.ts';

export type { AddressBook } from './configuration/address-books.ts';
export type { ApprovalRequirement, Tiers } from './configuration/approvals.ts';
export type { Approver, ApproverGroup, ClientGroup, Credential } from './configuration/approvers.ts';
export type { Condition } from './configuration/conditions.ts';
export { CONFIGURATION_FORMAT_1, type ConfigurationDocument1, type Rule1 } from './configuration/format-1.ts';
export {
  type Client,
  CONFIGURATION_FORMAT_2,
  type ConfigurationDocument2,
} from './configuration/format-2.ts';
export type { DropEntry, KeyEntry, NetworkKey } from './configuration/keys.ts';
export type { Limit, TimeWindow } from './configuration/limits.ts';
export type { Peer, PeerImage, PeerlessRestart, Quorum } from './configuration/quorum.ts';
export { matchesPattern, type Pool } from './configuration/pools.ts';
export type { Recovery } from './configuration/recovery.ts';
export type { DenyRule, PermitRule, Rule } from './configuration/rules.ts';
export type { Configuration } from './configuration/upgrade.ts';
export type { Witnesses } from './configuration/witnesses.ts';

/** The DSSE payload type of a signed configuration. */
export const CONFIGURATION_PAYLOAD_TYPE = 'application/vnd.holdfast.configuration+json';

/** The deepest nesting: the group of an approval of a tier of a rule. */
const MAX_DEPTH = 12;

/** A configuration as it is written and signed, in any format. */
export type ConfigurationDocument = ConfigurationDocument1 | ConfigurationDocument2;

const CONFIGURATION_KIND: DocumentKind<Configuration> = {
  noun: 'configuration',
  formats: new Map<string, z.ZodType<Configuration>>([
    [CONFIGURATION_FORMAT_1, configuration1Schema.transform(upgradeConfiguration)],
    [CONFIGURATION_FORMAT_2, configuration2Schema],
  ]),
  refuse: (message, details) => new ConfigurationError('CONFIGURATION_MALFORMED', message, details),
};

/**
 * Reads a configuration that was parsed from JSON, by the schema of its format.
 *
 * @throws ConfigurationError CONFIGURATION_MALFORMED
 */
export function readConfiguration(value: unknown): Configuration {
  return parseByFormat(value, CONFIGURATION_KIND);
}

/** A configuration that enough authorities of one manifest have signed. */
export interface SignedConfiguration {
  readonly configuration: Configuration;
  /** SHA-384 of the signed bytes. */
  readonly digest: Uint8Array;
  /** The keys of the authorities that signed, raw Ed25519 public keys in hex. */
  readonly signers: readonly string[];
}

/**
 * Parses the bytes of a configuration, without any signature, for an authority to read before it signs.
 *
 * @throws ConfigurationError CONFIGURATION_MALFORMED
 */
export function parseConfiguration(bytes: Uint8Array): Configuration {
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_CONFIGURATION_BYTES, maxDepth: MAX_DEPTH });
  } catch (error) {
    throw new ConfigurationError(
      'CONFIGURATION_MALFORMED',
      'the configuration is not strict JSON',
      {},
      error,
    );
  }
  return readConfiguration(value);
}

/**
 * Verifies a signed configuration (a DSSE envelope) against the manifest that names its authorities, then parses it.
 *
 * @throws ConfigurationError
 */
export function openConfiguration(
  envelope: Uint8Array,
  { manifest, digest }: { manifest: Pick<NodeManifest, 'configurationAuthority'>; digest: Uint8Array },
): SignedConfiguration {
  const { payload, signers } = openSigned(envelope, manifest);
  const configuration = parseConfiguration(payload);
  const expected = Buffer.from(digest).toString('hex');
  if (configuration.manifest !== expected) {
    throw new ConfigurationError(
      'CONFIGURATION_OTHER_MANIFEST',
      'the configuration is for another manifest',
      {
        expected,
        actual: configuration.manifest,
      },
    );
  }
  return { configuration, digest: new Uint8Array(createHash('sha384').update(payload).digest()), signers };
}

function openSigned(
  envelope: Uint8Array,
  { configurationAuthority: { keys, threshold } }: Pick<NodeManifest, 'configurationAuthority'>,
) {
  try {
    return verifyEnvelope(parseEnvelope(envelope), {
      payloadType: CONFIGURATION_PAYLOAD_TYPE,
      keys,
      threshold,
      digests: true,
    });
  } catch (error) {
    if (!(error instanceof DsseError)) throw error;
    const code =
      error.code === 'DSSE_UNDER_SIGNED' ? 'CONFIGURATION_UNDER_SIGNED' : 'CONFIGURATION_MALFORMED';
    throw new ConfigurationError(code, error.message, error.details, error);
  }
}
