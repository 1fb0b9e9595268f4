import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { formatPcrFile } from '../../../attestation/index.ts';
import { formatKeyImport, makeRecoveryKey } from '../../../admin/recovery/index.ts';
import { createEnvelope, signEnvelope } from '../../../shared/dsse/index.ts';
import { ACKNOWLEDGEMENT_PAYLOAD_TYPE, encodeAcknowledgement } from '../../../shared/recovery/index.ts';
import {
  dealSample,
  makeSampleBackup,
  PCRS,
  ROOT,
  sampleManifest,
} from '../../audit/recovery/sample-backup.ts';

/** Values with which the verbs of a recovery do their work, and words that they need once more. */
export async function makeRecoveryFiles(
  save: (name: string, content: string | Uint8Array) => string,
): Promise<{
  readonly good: readonly (readonly [slot: string, value: string])[];
  readonly more: readonly (readonly [verb: string, words: readonly string[]])[];
}> {
  const made = makeRecoveryKey([{ name: 'alice' }, { name: 'bob' }], 2, {
    random: randomBytes,
    now: Date.now(),
  });
  const words = made.shares.map(({ words: text }, index) => save(`share-${index}.words`, text ?? ''));
  const dealt = dealSample();
  const manifests = [1, 2].map((node) => sampleManifest(node, made.custodians.publicKey));
  const manifestFiles = manifests.map((bytes, index) => save(`vault-${index}.json`, bytes));
  const backups = await Promise.all(
    manifests.map((manifest, index) => makeSampleBackup(dealt, index + 1, manifest)),
  );
  const files = backups.map((bytes, index) => save(`backup-${index}.json`, bytes));
  const { privateKey } = generateKeyPairSync('ed25519');
  const keeper = save('keeper.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const pcrs = save('vault-pcrs.json', formatPcrFile(PCRS));
  const root = save('vault-root.der', ROOT.certificate);
  const acknowledgement = encodeAcknowledgement({
    format: 'holdfast-backup-acknowledgement/1',
    manifest: '0a'.repeat(48),
    key: 'treasury',
    statement: '0b'.repeat(48),
    time: '2026-12-01T12:00:00.000Z',
  });
  const envelope = signEnvelope(createEnvelope(ACKNOWLEDGEMENT_PAYLOAD_TYPE, acknowledgement), privateKey);
  const request = {
    publicKey: '0c'.repeat(32),
    encapsulatedKey: '0d'.repeat(32),
    ciphertext: '0e'.repeat(48),
  };
  const verbs = ['ers acknowledge', 'ers drill', 'ers recover', 'ers verify'];
  const second = [
    `--backup=${files[1] ?? ''}`,
    `--manifest=${manifestFiles[1] ?? ''}`,
    `--share=${words[1] ?? ''}`,
  ];
  return {
    good: [
      ...verbs.flatMap((verb) => [
        [`${verb} --pcrs`, pcrs] as const,
        [`${verb} --root`, root] as const,
        [`${verb} --manifest`, manifestFiles[0] ?? ''] as const,
        [`${verb} --signer`, keeper] as const,
      ]),
      ['--backup', files[0] ?? ''],
      ['--share', words[0] ?? ''],
      ['--custodians', save('custodians.json', JSON.stringify(made.custodians))],
      ['--custodian', 'alice'],
      ['ers recover KEY', 'treasury'],
      ['ers drill --key', 'treasury'],
      ['ers keygen --output', save('keygen-place', '').replace('keygen-place', 'keygen-made')],
      ['ers backup --output', save('backups-place', '').replace('backups-place', 'backups-made')],
      ['ers submit FILE', save('treasury.acknowledgement', JSON.stringify(envelope))],
      ['quorum keys import FILE', save('treasury.import', formatKeyImport({ key: 'treasury', request }))],
    ],
    more: [
      ['ers keygen', ['--custodian=bob']],
      ['ers drill', second],
      ['ers recover', second],
    ],
  };
}
