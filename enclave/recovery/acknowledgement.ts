import { DsseError, parseEnvelope, verifyEnvelope } from '../../shared/dsse/index.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import {
  ACKNOWLEDGEMENT_PAYLOAD_TYPE,
  BackupError,
  MAX_ACKNOWLEDGEMENT_BYTES,
  parseAcknowledgement,
} from '../../shared/recovery/index.ts';
import { RecoveryError } from './errors.ts';
import type { BackupRegister, Keeper } from './register.ts';

/** Public keys of those who may say that a backup is kept, raw Ed25519 in hex, and whose each is. */
export type Keepers = ReadonlyMap<string, string>;

/** Lists the keepers of a configuration. */
export function listKeepers({
  recovery,
  approvers,
  approverGroups,
}: Pick<Configuration, 'recovery' | 'approvers' | 'approverGroups'>): Keepers {
  const people = new Set(approverGroups.find(({ id }) => id === recovery?.keepers)?.approvers);
  return new Map(
    approvers
      .filter(({ id }) => people.has(id))
      .flatMap(({ id, credentials }) =>
        credentials.flatMap((one) => (one.type === 'ed25519' ? [[one.publicKey, id] as const] : [])),
      ),
  );
}

/** What an acknowledgement has to be about. */
export interface ExpectedAcknowledgement {
  readonly keepers: Keepers;
  /** SHA-384 of this node's manifest in hex. */
  readonly manifest: string;
  readonly key: string;
  readonly register: Pick<BackupRegister, 'find'>;
}

/**
 * Verifies that a keeper of the configuration has signed that a backup of this node and key is kept.
 *
 * @throws RecoveryError ACKNOWLEDGEMENT_INVALID, ACKNOWLEDGEMENT_UNKNOWN
 */
export function verifyAcknowledgement(
  envelope: Uint8Array,
  { keepers, manifest, key, register }: ExpectedAcknowledgement,
): { readonly statement: string; readonly keeper: Keeper } {
  const { acknowledgement, signer } = open(envelope, keepers);
  const { statement } = acknowledgement;
  const id = keepers.get(signer);
  if (id === undefined) throw invalid();
  if (
    acknowledgement.manifest !== manifest ||
    acknowledgement.key !== key ||
    register.find(statement)?.key !== key
  )
    throw new RecoveryError('ACKNOWLEDGEMENT_UNKNOWN', 'not of a backup of this node and key', { statement });
  return { statement, keeper: { id, publicKey: signer } };
}

function open(envelope: Uint8Array, keepers: Keepers) {
  if (keepers.size === 0 || envelope.length > MAX_ACKNOWLEDGEMENT_BYTES) throw invalid();
  try {
    const { payload, signers } = verifyEnvelope(parseEnvelope(envelope), {
      payloadType: ACKNOWLEDGEMENT_PAYLOAD_TYPE,
      keys: [...keepers.keys()],
      threshold: 1,
    });
    return { acknowledgement: parseAcknowledgement(payload), signer: signers[0] ?? '' };
  } catch (error) {
    if (error instanceof DsseError || error instanceof BackupError) throw invalid(error);
    throw error;
  }
}

function invalid(cause?: unknown): RecoveryError {
  return new RecoveryError(
    'ACKNOWLEDGEMENT_INVALID',
    'expected the acknowledgement of a keeper that the configuration names',
    {},
    cause,
  );
}
