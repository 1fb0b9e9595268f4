import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import {
  type Drill,
  type DrillCore,
  encodeChallenge,
  hashOf,
  messageOf,
  type Proven,
  verifyChallenge,
} from '../../audit/recovery/index.ts';
import { aggregate, clearNonces, commit, signShare } from '../../shared/frost/index.ts';
import { encodePublicKey } from '../../shared/public-keys.ts';
import type { Backup, BackupEntry } from '../../shared/recovery/index.ts';
import { signBls } from '../../shared/signatures/bls.ts';
import { RecoveryCeremonyError } from './errors.ts';
import { clearShares, openEntry, type RecoveredShares, recoverShares } from './open.ts';

/** Who came, when, and for which drill. */
export type DrillOccasion = Pick<DrillCore, 'custodians' | 'threshold' | 'nonce'> & {
  /** Milliseconds since 1970. */
  readonly now: number;
};

/**
 * Recovers every key of the backups, has each sign the challenge of this drill, and forgets it: of a shared key, the shares
 * of as many nodes as it takes sign together, and the whole key is never made.
 *
 * @param backups whose proofs were verified
 * @throws RecoveryCeremonyError BACKUP_…, DRILL_FAILED
 */
export function runDrill(
  backups: readonly Backup[],
  recoveryKey: KeyObject,
  { now, ...occasion }: DrillOccasion,
): Drill {
  const [first] = backups;
  if (first === undefined) throw new RangeError('expected a backup');
  const { namespace, environment } = first.statement.node;
  const core: DrillCore = {
    format: 'holdfast-drill/1',
    time: new Date(now).toISOString(),
    vault: { namespace, environment },
    recoveryKey: first.statement.recoveryKey,
    ...occasion,
    backups: backups.map(({ kind, statement, digest }) => ({
      node: statement.node.index,
      key: statement.key,
      statement: digest,
      ...(kind === 'cold' ? { cold: true as const } : {}),
    })),
  };
  const proven: Proven[] = [];
  const shared = new Set<string>();
  for (const backup of backups)
    for (const sealed of backup.entries) {
      const { entry } = sealed;
      if (entry.kind === 'share') shared.add(entry.id);
      else proven.push(proveWhole(backup, sealed, recoveryKey, core));
    }
  for (const key of shared) {
    const recovered = recoverShares(backups, recoveryKey, key);
    try {
      proven.push(proveShared(recovered, core));
    } finally {
      clearShares(recovered);
    }
  }
  return { ...core, proven };
}

function proveShared({ key, type, group, shares }: RecoveredShares, core: DrillCore): Proven {
  const challenge = encodeChallenge(core, key);
  const message = messageOf(type, challenge);
  const members = [...shares].toSorted(([one], [other]) => one - other);
  const nonces = members.map(([member, share]) => commit(group.suite, member, share, randomBytes));
  const list = nonces.map(({ commitments }) => commitments);
  let signature: Uint8Array;
  try {
    const parts = members.map(([participant, share], index) => {
      const own = nonces[index];
      if (own === undefined) throw new RangeError('expected nonces');
      return { participant, signatureShare: signShare({ group, participant, share }, own, list, message) };
    });
    signature = aggregate(group, list, message, parts);
  } finally {
    for (const one of nonces) clearNonces(one);
  }
  const publicKey = Buffer.from(group.commitments[0] ?? []).toString('hex');
  const proven: Proven = {
    kind: 'share',
    key,
    type,
    epoch: group.epoch,
    nodes: members.map(([member]) => member),
    publicKey,
    signature: Buffer.from(signature).toString('hex'),
  };
  assertProven(proven, challenge);
  return proven;
}

function proveWhole(
  backup: Backup,
  sealed: Backup['entries'][number],
  recoveryKey: KeyObject,
  core: DrillCore,
): Proven {
  const entry = sealed.entry as Exclude<BackupEntry, { kind: 'share' }>;
  const { id: key, kind, type, publicKey } = entry;
  const secret = openEntry(backup, sealed, recoveryKey);
  try {
    const nodes = [backup.statement.node.index];
    const common = { kind, key, type, epoch: null, nodes, publicKey };
    if (publicKey === null) return { ...common, signature: null };
    const challenge = encodeChallenge(core, key);
    const signature = signWhole(entry, secret, messageOf(type, challenge));
    const proven: Proven = { ...common, signature: Buffer.from(signature).toString('hex') };
    assertProven(proven, challenge);
    return proven;
  } finally {
    secret.fill(0);
  }
}

function signWhole(
  { type, kind, publicKey }: Exclude<BackupEntry, { kind: 'share' }>,
  secret: Uint8Array,
  message: Uint8Array,
): Uint8Array {
  if (type === 'bls12-381') return signBls(secret, message);
  const bytes = Buffer.from(publicKey ?? '', 'hex');
  const spki = kind === 'pool-key' ? bytes : encodePublicKey({ type, publicKey: bytes });
  return sign(hashOf(type), message, holdPrivateKey(type, secret, spki));
}

/** Holds the secret of a whole key as OpenSSL takes it: a seed, PKCS #8, or a scalar beside its point. */
export function holdPrivateKey(type: BackupEntry['type'], secret: Uint8Array, spki: Uint8Array): KeyObject {
  try {
    if (type === 'ed25519')
      return createPrivateKey({
        key: Buffer.from(secret),
        format: 'raw-private',
        asymmetricKeyType: 'ed25519',
      });
    if (type.startsWith('rsa-'))
      return createPrivateKey({ key: Buffer.from(secret), format: 'der', type: 'pkcs8' });
    const jwk = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' }).export({
      format: 'jwk',
    });
    return createPrivateKey({
      key: { ...jwk, d: Buffer.from(secret).toString('base64url') },
      format: 'jwk',
    });
  } catch {
    // The cause is left out: it may quote what it could not read.
    throw new RecoveryCeremonyError('BACKUP_CONTENT_MISMATCH', 'what was encrypted is no key of its type', {
      type,
    });
  }
}

function assertProven({ kind, key, type, publicKey, signature }: Proven, challenge: Uint8Array): void {
  const isProven =
    publicKey !== null &&
    verifyChallenge({ kind, type, publicKey }, challenge, Buffer.from(signature ?? '', 'hex'));
  if (!isProven)
    throw new RecoveryCeremonyError(
      'DRILL_FAILED',
      'the recovered key does not sign as its public key says',
      { key },
    );
}
