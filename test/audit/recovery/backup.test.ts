import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { joinKey, recoverShares, runDrill } from '../../../admin/recovery/index.ts';
import {
  BackupAuditError,
  assertDrillOf,
  describeCoverage,
  encodeDrill,
  DRILL_PAYLOAD_TYPE,
  verifyBackup,
  type VerifiedBackup,
  verifyDrill,
} from '../../../audit/recovery/index.ts';
import { AttestationError } from '../../../attestation/index.ts';
import type { DealtGroup } from '../../../client/index.ts';
import { createEnvelope, ed25519PublicKeyHex, signEnvelope } from '../../../shared/dsse/index.ts';
import { exportPublicKey } from '../../../shared/hpke/index.ts';
import { BackupError, parseBackup, parseStatement } from '../../../shared/recovery/index.ts';
import {
  dealSample,
  makeSampleBackup,
  NONCE,
  PCRS,
  ROOT,
  sampleManifest,
  type SampleChanges,
} from './sample-backup.ts';

const recovery = generateKeyPairSync('x25519');
const recoveryKey = Buffer.from(exportPublicKey(recovery.publicKey)).toString('hex');
const manifests = [1, 2, 3].map((node) => sampleManifest(node, recoveryKey));
const trust = { root: ROOT.certificate, pcrs: [PCRS], manifests, nonce: NONCE };
/** The scalar 5 of Ed25519. */
const SECRET = Uint8Array.from({ length: 32 }, (_, place) => (place === 0 ? 5 : 0));
const dealt = dealSample('frost-ed25519', 0, SECRET);
const code = (expected: string) => expect.objectContaining({ code: expected });
const make = (node: number, changes: SampleChanges = {}, of: DealtGroup = dealt) =>
  makeSampleBackup(of, node, manifests[node - 1] ?? new Uint8Array(), changes);
const verified = async (...backups: Promise<Uint8Array>[]): Promise<VerifiedBackup[]> =>
  (await Promise.all(backups)).map((bytes) => verifyBackup(parseBackup(bytes), trust));

let file: Uint8Array;
beforeAll(async () => {
  file = await make(1);
});

describe('the proof of a backup', () => {
  it('is verified without any secret', () => {
    const { statement, digest } = verifyBackup(parseBackup(file), trust);
    expect(statement.entries).toMatchObject([{ kind: 'share', participant: 1, epoch: 0 }]);
    expect(digest).toMatch(/^[0-9a-f]{96}$/);
  });

  it.each<[string, SampleChanges, string]>([
    ['another statement', { userData: Buffer.from('{}') }, 'BACKUP_PROOF_MISMATCH'],
    ['a document that vouches for a connection', { publicKey: Buffer.from([1]) }, 'BACKUP_PROOF_MISMATCH'],
    ['another recovery key', { head: { recoveryKey: 'ab'.repeat(32) } }, 'BACKUP_OTHER_RECOVERY_KEY'],
    ['a manifest that nobody has', { head: { node: nodeOf('ff'.repeat(48)) } }, 'BACKUP_MANIFEST_MISSING'],
    [
      'a public element of no share',
      { entry: { verifyingShare: '01'.repeat(32) } },
      'BACKUP_STATEMENT_FALSE',
    ],
    ['another group', { entry: { group: '0d'.repeat(48) } }, 'BACKUP_STATEMENT_FALSE'],
    ['the number of another node', { entry: { participant: 2 } }, 'BACKUP_STATEMENT_FALSE'],
    ['an epoch that its group has not', { entry: { epoch: 9 } }, 'BACKUP_STATEMENT_FALSE'],
  ])('is refused with %s', async (_, changes, expected) => {
    const bytes = await make(1, changes);
    expect(() => verifyBackup(parseBackup(bytes), trust)).toThrow(code(expected));
  });

  it('is refused of another image, another manifest, another root, and with another nonce', async () => {
    const image = await make(1, { pcrs: new Map([...PCRS, [0, new Uint8Array(48).fill(9)]]) });
    expect(() => verifyBackup(parseBackup(image), trust)).toThrow(AttestationError);
    const other = { ...trust, nonce: 'ff'.repeat(32) };
    expect(() => verifyBackup(parseBackup(file), other)).toThrow(code('NONCE_MISMATCH'));
    const lacking = { ...trust, pcrs: [new Map([[0, PCRS.get(0) ?? new Uint8Array()]])] };
    expect(() => verifyBackup(parseBackup(file), lacking)).toThrow(RangeError);
  });

  it('names the manifest that was measured, and the node of it', async () => {
    const { namespace, environment } = parseBackup(file).statement.node;
    const head = { node: { ...parseBackup(file).statement.node, index: 2 } };
    const bytes = await make(1, { head });
    expect([namespace, environment]).toEqual(['acme', 'production']);
    expect(() => verifyBackup(parseBackup(bytes), trust)).toThrow(code('BACKUP_OTHER_NODE'));
  });
});

describe('a backup as bytes', () => {
  const refuse = (bytes: Uint8Array) => {
    try {
      verifyBackup(parseBackup(bytes), trust);
      return 'TAKEN';
    } catch (error) {
      if (
        error instanceof BackupError ||
        error instanceof BackupAuditError ||
        error instanceof AttestationError
      )
        return error.code;
      throw error;
    }
  };

  it('is refused by a code when any byte of it is altered or missing', () => {
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
        const altered = Uint8Array.from(file);
        altered[place] = (altered[place] ?? 0) ^ change;
        // White space at the end is none of its content.
        return refuse(altered) !== 'TAKEN' || place === file.length - 1;
      }),
      { numRuns: 150, seed: 14 },
    );
    for (let length = 0; length < file.length - 1; length += 37)
      expect(refuse(file.subarray(0, length))).not.toBe('TAKEN');
  });

  it('is refused with unknown members, other forms of the statement, and too many ciphertexts', () => {
    const json = JSON.parse(Buffer.from(file).toString()) as Record<string, unknown> & {
      ciphertexts: string[];
    };
    const bytesOf = (changes: object) => Buffer.from(JSON.stringify({ ...json, ...changes }));
    expect(refuse(bytesOf({ extra: 1 }))).toBe('BACKUP_MALFORMED');
    expect(refuse(bytesOf({ format: 'holdfast-backup/2' }))).toBe('BACKUP_MALFORMED');
    expect(refuse(bytesOf({ ciphertexts: [...json.ciphertexts, ...json.ciphertexts] }))).toBe(
      'BACKUP_ALTERED',
    );
    expect(refuse(bytesOf({ ciphertexts: [Buffer.alloc(80).toString('base64')] }))).toBe('BACKUP_ALTERED');
    const { statement } = parseBackup(file);
    const spaced = Buffer.from(JSON.stringify(statement, undefined, 1)).toString('base64');
    expect(refuse(bytesOf({ statement: spaced }))).toBe('BACKUP_MALFORMED');
    expect(() => parseStatement(Buffer.from('[[[[[[['))).toThrow(code('BACKUP_MALFORMED'));
  });
});

describe('recovery', () => {
  it.each(['frost-ed25519', 'frost-secp256k1-taproot', 'frost-p256', 'frost-ristretto255'] as const)(
    'joins a key of %s from any two of three, and proves it in a drill',
    async (type) => {
      const of = dealSample(type);
      const backups = await verified(make(1, {}, of), make(3, {}, of));
      const recovered = recoverShares(backups, recovery.privateKey, 'treasury');
      expect(joinKey(recovered)).toHaveLength(32);
      const leader = generateKeyPairSync('ed25519');
      const occasion = {
        custodians: [{ share: 1, name: 'alice' }],
        threshold: 1,
        nonce: NONCE,
        now: Date.now(),
      };
      const drill = runDrill(backups, recovery.privateKey, occasion);
      const key = ed25519PublicKeyHex(leader.publicKey);
      const seal = (record: typeof drill) =>
        Buffer.from(
          JSON.stringify(
            signEnvelope(createEnvelope(DRILL_PAYLOAD_TYPE, encodeDrill(record)), leader.privateKey),
          ),
        );
      expect(verifyDrill(seal(drill), [key]).drill.proven).toHaveLength(1);
      assertDrillOf(drill, backups);
      // Nobody has recovered anything: the leader has made a key and had it sign.
      const madeUp = dealSample(type);
      const others = await verified(make(1, {}, madeUp), make(3, {}, madeUp));
      const invented = runDrill(others, recovery.privateKey, occasion);
      expect(verifyDrill(seal(invented), [key]).drill.proven).toHaveLength(1);
      expect(() => assertDrillOf(invented, backups)).toThrow(code('DRILL_OTHER_BACKUPS'));
      // A signature of one drill proves no other.
      const later = { ...drill, time: new Date(Date.now() + 86_400_000).toISOString() };
      expect(() => verifyDrill(seal(later), [key])).toThrow(code('DRILL_PROOF_INVALID'));
      const renamed = { ...drill, proven: drill.proven.map((one) => ({ ...one, key: 'other' })) };
      expect(() => verifyDrill(seal(renamed), [key])).toThrow(code('DRILL_PROOF_INVALID'));
    },
  );

  it('refuses one node alone, two backups of one share, and shares of different epochs', async () => {
    const newer = dealSample('frost-ed25519', 1, SECRET);
    const recover = (backups: VerifiedBackup[]) => () =>
      recoverShares(backups, recovery.privateKey, 'treasury');
    expect(recover(await verified(make(1)))).toThrow(code('BACKUP_SHARES_TOO_FEW'));
    expect(recover(await verified(make(1), make(1)))).toThrow(code('BACKUP_SHARES_TOO_FEW'));
    const mixed = await verified(make(1), make(2, {}, newer));
    expect(recover(mixed)).toThrow(code('BACKUP_EPOCHS_MIXED'));
    expect(
      describeCoverage(mixed).epochs.map(({ isRecoverable, isSuperseded }) => [isRecoverable, isSuperseded]),
    ).toEqual([
      [false, true],
      [false, false],
    ]);
    expect(() => recoverShares([], recovery.privateKey, 'treasury')).toThrow(code('BACKUP_KEY_ABSENT'));
    const groups = await verified(make(1), make(2, {}, dealSample()));
    expect(() => describeCoverage(groups)).toThrow(code('BACKUP_GROUPS_DIFFER'));
  });

  it('takes no key of another image or another time for the one that is meant, however new it claims to be', async () => {
    const [own, forged] = [dealt, dealSample('frost-ed25519', 99)];
    const all = await verified(make(1), make(2), make(1, {}, forged), make(2, {}, forged));
    const recover = (publicKey?: string) =>
      recoverShares(all, recovery.privateKey, 'treasury', publicKey === undefined ? {} : { publicKey });
    const keyOf = ({ group }: typeof own) => Buffer.from(group.commitments[0] ?? []).toString('hex');
    expect(() => recover()).toThrow(code('BACKUP_KEYS_DIFFER'));
    const occasion = { custodians: [{ share: 1, name: null }], threshold: 1, nonce: NONCE, now: Date.now() };
    expect(() => runDrill(all, recovery.privateKey, occasion)).toThrow(code('BACKUP_KEYS_DIFFER'));
    for (const dealer of [own, forged]) expect(joinKey(recover(keyOf(dealer)))).toHaveLength(32);
    expect(recover(keyOf(own)).group.epoch).toBe(0);
    expect(() => recover('00'.repeat(32))).toThrow(code('BACKUP_KEY_ABSENT'));
    // Nor does one supersede the other.
    expect(describeCoverage(all).epochs.map(({ isSuperseded }) => isSuperseded)).toEqual([false, false]);
  });

  it('counts no two shares as recoverable that no one recovery key opens', async () => {
    const otherKey = Buffer.from(exportPublicKey(generateKeyPairSync('x25519').publicKey)).toString('hex');
    const manifest = sampleManifest(2, otherKey);
    const bytes = await makeSampleBackup(dealt, 2, manifest);
    const other = verifyBackup(parseBackup(bytes), { ...trust, manifests: [manifest] });
    const { epochs } = describeCoverage([...(await verified(make(1))), other]);
    expect(epochs.map((one) => [one.recoveryKey, one.participants, one.isRecoverable])).toEqual([
      [recoveryKey, [1], false],
      [otherKey, [2], false],
    ]);
  });

  it('refuses another vault, another recovery key, and an enclave that has lied', async () => {
    const foreign = sampleManifest(2, recoveryKey, 'other');
    const bytes = await makeSampleBackup(dealt, 2, foreign);
    const other = verifyBackup(parseBackup(bytes), { ...trust, manifests: [foreign] });
    const [own] = await verified(make(1));
    if (own === undefined) throw new Error('expected a backup');
    expect(() => recoverShares([own, other], recovery.privateKey, 'treasury')).toThrow(
      code('BACKUP_OTHER_VAULT'),
    );
    const pair = await verified(make(1), make(2));
    const stranger = generateKeyPairSync('x25519').privateKey;
    expect(() => recoverShares(pair, stranger, 'treasury')).toThrow(code('BACKUP_UNREADABLE'));
    const lied = await verified(make(1), make(2, { secret: new Uint8Array(32).fill(1) }));
    expect(() => recoverShares(lied, recovery.privateKey, 'treasury')).toThrow(
      code('BACKUP_CONTENT_MISMATCH'),
    );
  });

  it('opens a ciphertext as nothing else than what was said of it', async () => {
    const [one, two] = await verified(make(1), make(2));
    if (one === undefined || two === undefined) throw new Error('expected backups');
    const swapped = {
      ...one,
      entries: one.entries.map(({ entry }) => ({
        entry,
        ciphertext: two.entries[0]?.ciphertext ?? new Uint8Array(),
      })),
    };
    expect(() => recoverShares([swapped, two], recovery.privateKey, 'treasury')).toThrow(
      code('BACKUP_UNREADABLE'),
    );
    const moved = { ...one, statement: { ...one.statement, log: { ...one.statement.log, size: 8 } } };
    expect(() => recoverShares([moved, two], recovery.privateKey, 'treasury')).toThrow(
      code('BACKUP_UNREADABLE'),
    );
  });
});

function nodeOf(manifest: string) {
  return { manifest, namespace: 'acme', environment: 'production', index: 1 };
}
