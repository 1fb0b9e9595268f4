import { parseCustodians, RecoveryCeremonyError, verifyShare } from '../../../admin/recovery/index.ts';
import { BackupAuditError, verifyDrill } from '../../../audit/recovery/index.ts';
import { DsseError } from '../../../shared/dsse/index.ts';
import {
  BackupError,
  parseAcknowledgement,
  parseBackup,
  parseStatement,
} from '../../../shared/recovery/index.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

const STATEMENT = {
  after: null,
  configuration: { digest: '0c'.repeat(48), version: 1 },
  entries: [
    { ciphertext: '0d'.repeat(48), id: 'hot', kind: 'key', publicKey: '0e'.repeat(32), type: 'ed25519' },
  ],
  format: 'holdfast-backup-statement/1',
  key: 'hot',
  log: { origin: 'holdfast.invalid/a', size: 1 },
  more: false,
  node: { environment: 'b', index: 1, manifest: '0a'.repeat(48), namespace: 'a' },
  nonce: '0b'.repeat(16),
  recoveryKey: '0f'.repeat(32),
  session: '01'.repeat(16),
  time: '2026-11-29T12:00:00.000Z',
};
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const KNOWN = [BackupError, BackupAuditError, RecoveryCeremonyError, DsseError];

/** Backups, statements, acknowledgements, records of drills, lists and words of custodians. */
export const target: FuzzTarget = {
  maxBytes: 4096,
  seeds: () => [
    bytes(STATEMENT),
    bytes({
      format: 'holdfast-backup/1',
      statement: bytes(STATEMENT).toString('base64'),
      document: '',
      ciphertexts: [Buffer.alloc(80).toString('base64')],
    }),
    bytes({ format: 'holdfast-backup-acknowledgement/1', key: 'hot', statement: '0a'.repeat(48) }),
    bytes({ format: 'holdfast-custodians/1', threshold: 2, custodians: [] }),
    Buffer.from('academic acid '.repeat(16)),
  ],
  fuzz(data) {
    for (const read of [
      () => {
        const { statement } = parseBackup(data);
        assertThat(statement.entries.length > 0, 'a backup of nothing');
      },
      () => parseStatement(data),
      () => parseAcknowledgement(data),
      () => verifyDrill(data, ['00'.repeat(32)]),
      () => parseCustodians(data),
      () => verifyShare(Buffer.from(data).toString()),
    ]) {
      try {
        read();
      } catch (error) {
        if (!KNOWN.some((known) => error instanceof known)) throw error;
      }
    }
  },
};
