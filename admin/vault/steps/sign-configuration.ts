import { createPublicKey } from 'node:crypto';
import { createEnvelope, ed25519PublicKeyHex } from '../../../shared/dsse/index.ts';
import { CONFIGURATION_PAYLOAD_TYPE } from '../../../shared/documents/configuration.ts';
import type { Manifest } from '../../../shared/documents/manifest.ts';
import { parseConfigurationFile, signConfiguration } from '../../configurations/index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';

/**
 * Signs a configuration with as many of the keys at hand as the manifest wants.
 *
 * @returns a DSSE envelope
 * @throws StepError VAULT_AUTHORITY_MISSING where too few of the keys are authorities
 */
export function signByAuthorities(
  payload: Uint8Array,
  { configurationAuthority: { keys, threshold } }: Manifest,
  { authorities }: Pick<StepContext, 'authorities'>,
): Uint8Array {
  const own = new Map(authorities.map((key) => [ed25519PublicKeyHex(createPublicKey(key)), key]));
  const signers = keys.flatMap((key) => own.get(key) ?? []).slice(0, threshold);
  if (signers.length < threshold) {
    throw new StepError(
      'VAULT_AUTHORITY_MISSING',
      'too few of the private keys that were given are authorities of this node',
      { expected: threshold, actual: signers.length, authorities: keys },
    );
  }
  const empty = createEnvelope(CONFIGURATION_PAYLOAD_TYPE, payload);
  let bytes: Uint8Array = new Uint8Array(Buffer.from(JSON.stringify(empty)));
  for (const key of signers)
    bytes = new Uint8Array(Buffer.from(signConfiguration(parseConfigurationFile(bytes), key).text));
  return bytes;
}
