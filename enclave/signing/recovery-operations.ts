import {
  type AcknowledgementRequest,
  type BackupRequest,
  type RecoveryStatus,
} from '../../shared/api/recovery.ts';
import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import {
  type BackupHead,
  COLD_STATEMENT_FORMAT,
  encodeBackupProof,
  type PublicEntry,
  STATEMENT_FORMAT,
} from '../../shared/recovery/index.ts';
import type { Keyring } from '../keyring/index.ts';
import type { MeasuredManifest } from '../node/manifest.ts';
import type { PoolKeys } from '../pools/index.ts';
import {
  type BackupRegister,
  type Coverage,
  coverOfShare,
  type Keeper,
  listKeepers,
  listKeySecrets,
  listPoolSecrets,
  sealBackup,
  type SealedBackup,
  verifyAcknowledgement,
} from '../recovery/index.ts';
import type { CarriedOut, CarryOut } from './carry-out.ts';

/** Backups of keys, and the words of those who keep them, by way of the pipeline. */
export interface RecoveryOperations {
  /** Tells which keys a kept backup covers. */
  status(): RecoveryStatus;
  /** Makes a backup with its proof. */
  backUp(client: string, request: BackupRequest): Promise<CarriedOut<ProvenBackup>>;
  /** Takes a keeper's word that a backup is kept. */
  acknowledge(
    client: string,
    request: AcknowledgementRequest,
  ): Promise<CarriedOut<{ readonly statement: string; readonly keeper: Keeper }>>;
}

/** A backup, and the attestation document that vouches for its statement. */
export interface ProvenBackup extends SealedBackup {
  readonly document: Uint8Array;
}

/** What backups need of a node beside its keys. */
export interface RecoveryContext {
  readonly register: BackupRegister;
  /** Makes an attestation document. */
  readonly attest: (parts: {
    readonly nonce: Uint8Array;
    readonly userData: Uint8Array;
  }) => Promise<Uint8Array>;
  /** The node's log: its origin, and how many entries it has. */
  readonly log: { readonly origin: string; readonly size: number };
}

export interface RecoveryOperationsParts extends RecoveryContext {
  readonly signed: SignedConfiguration;
  readonly measured: MeasuredManifest;
  readonly keyring: Keyring;
  readonly pools: PoolKeys | undefined;
  readonly coverage: Coverage;
  readonly carryOut: CarryOut;
  readonly session: string;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Creates the operations on backups. Each is one decision, which the log has before its result leaves. */
export function createRecoveryOperations(parts: RecoveryOperationsParts): RecoveryOperations {
  const { signed, measured, keyring, pools, coverage, carryOut, register, session } = parts;
  const { configuration } = signed;
  const { manifest } = measured;
  const keepers = listKeepers(configuration);
  const poolIds = new Set((configuration.pools ?? []).map(({ id }) => id));

  function makeBackup({ key, nonce, after }: BackupRequest) {
    const { secrets, more } =
      pools !== undefined && poolIds.has(key)
        ? listPoolSecrets(pools, key, after)
        : listKeySecrets(keyring, key);
    const head: BackupHead = {
      format: manifest.kind === 'cold' ? COLD_STATEMENT_FORMAT : STATEMENT_FORMAT,
      node: {
        manifest: hex(measured.digest),
        namespace: manifest.namespace,
        environment: manifest.environment,
        index: manifest.node,
      },
      session,
      recoveryKey: manifest.emergencyRecovery.publicKey,
      configuration: { version: configuration.version, digest: hex(signed.digest) },
      time: new Date(parts.now()).toISOString(),
      log: { origin: parts.log.origin, size: parts.log.size },
      nonce,
      key,
      after,
      more,
    };
    const covers = secrets.map(({ entry }) => coverOf(entry));
    return { ...sealBackup(head, { secrets }), covers, time: head.time, recoveryKey: head.recoveryKey };
  }

  return {
    status: () => ({
      recoveryKey: manifest.emergencyRecovery.publicKey,
      keys: [...configuration.keys, ...(configuration.pools ?? [])].map(({ id }) => {
        const required = configuration.recovery?.required.includes(id) ?? false;
        return { key: id, required, ...coverage.describe(id) };
      }),
    }),
    backUp: (client, request) => {
      const action = { action: 'backup', nonce: request.nonce, after: request.after } as const;
      return carryOut.now(
        { operation: 'backup', client, key: request.key, algorithm: null, action },
        {
          act: async () => {
            const made = makeBackup(request);
            const userData = encodeBackupProof(made.statement);
            const nonce = Buffer.from(request.nonce, 'hex');
            return { ...made, document: await parts.attest({ nonce, userData }) };
          },
          onEntry: ({ digest, covers, time, recoveryKey }) =>
            register.add({ statement: digest, key: request.key, recoveryKey, covers, time, keepers: [] }),
          backup: ({ digest }) => ({ statement: digest, keeper: null }),
        },
      );
    },
    acknowledge: (client, { key, acknowledgement }) => {
      const action = { action: 'acknowledge', acknowledgement } as const;
      const expected = { keepers, manifest: hex(measured.digest), key, register };
      return carryOut.now(
        { operation: 'backup', client, key, algorithm: null, action },
        {
          act: () => verifyAcknowledgement(Buffer.from(acknowledgement, 'base64'), expected),
          onEntry: ({ statement, keeper }) => {
            // Another backup may have taken its place since.
            verifyAcknowledgement(Buffer.from(acknowledgement, 'base64'), expected);
            register.acknowledge(statement, keeper);
          },
          backup: ({ statement, keeper }) => ({ statement, keeper: keeper.id }),
        },
      );
    },
  };
}

function coverOf(entry: PublicEntry): string {
  if (entry.kind === 'share') return coverOfShare(entry);
  return entry.kind === 'key' ? entry.publicKey : entry.id;
}
