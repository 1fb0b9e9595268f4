import type { KmsValidator } from './description.ts';
import { type HoconSource, writeHocon } from './hocon/write.ts';
import type { Backoff } from './schema.ts';

/** Variable by which Splice's chart hands its value `kms` to the participant. */
export const CHART_VARIABLE = 'ADDITIONAL_CONFIG_SPLICE_PARTICIPANT_CRYPTO_PROVIDER_KMS';
const SESSION_KEYS_VARIABLE = 'ADDITIONAL_CONFIG_SPLICE_PARTICIPANT_CRYPTO_SESSION_SIGNING_KEYS';
const STORE_VARIABLE = 'ADDITIONAL_CONFIG_SPLICE_PARTICIPANT_CRYPTO_PRIVATE_KEY_STORE';

/** Fragment of Canton's configuration, and the variable that carries it into the last configuration file. */
export interface Fragment {
  readonly variable: string;
  readonly text: string;
  /** True where Splice's chart writes the fragment from its value `kms`. */
  readonly isChart: boolean;
}

/**
 * Settings of `crypto.kms`, in kebab case.
 *
 * Source: Canton, KmsConfig.scala, class Aws; ExponentialBackoffConfig.scala, whose three fields have no defaults.
 */
export function kmsSettings(validator: KmsValidator): { readonly [key: string]: HoconSource | undefined } {
  const { provider, auditLogging, retries } = validator;
  const { failures, createKeyCheck } = retries;
  return {
    type: 'aws',
    region: provider.region,
    'endpoint-override': endpointOf(validator),
    'multi-region-key': provider.type === 'aws' && provider.multiRegion,
    'audit-logging': auditLogging,
    retries:
      failures === undefined && createKeyCheck === undefined
        ? undefined
        : {
            failures: failures && writeBackoff(failures),
            'create-key-check': createKeyCheck && writeBackoff(createKeyCheck),
          },
  };
}

/** Endpoint that the participant asks; undefined for that of the Region. */
export function endpointOf({ provider }: Pick<KmsValidator, 'provider'>): string | undefined {
  if (provider.type === 'door' && provider.sidecar !== undefined)
    return `http://127.0.0.1:${provider.sidecar.port}`;
  return provider.endpoint;
}

/**
 * Fragments for one validator, in the order in which the participant's entry script appends them: that of the bytes of
 * their variables' names. No two of them set one field.
 */
export function fragmentsOf(validator: KmsValidator): Fragment[] {
  const { participant, mode, wrapperKey, sessionSigningKeys, kind } = validator;
  const within = (members: HoconSource) =>
    `canton.participants.${participant}.crypto ${writeHocon(members)}\n`;
  const kms = kmsSettings(validator);
  if (mode === 'envelope') {
    const store = { type: 'kms', 'wrapper-key-id': wrapperKey?.id, reverted: false };
    const text = within({ provider: 'jce', kms, 'private-key-store': { encryption: store } });
    return [{ variable: STORE_VARIABLE, text, isChart: false }];
  }
  const provider = {
    variable: CHART_VARIABLE,
    text: within({ provider: 'kms', kms }),
    isChart: kind === 'splice',
  };
  if (!sessionSigningKeys) return [provider];
  const session = within({ 'session-signing-keys': { enabled: true } });
  return [provider, { variable: SESSION_KEYS_VARIABLE, text: session, isChart: false }];
}

function writeBackoff({ initialDelay, maxDelay, maxRetries }: Backoff): HoconSource {
  return { 'initial-delay': initialDelay, 'max-delay': maxDelay, 'max-retries': maxRetries };
}
