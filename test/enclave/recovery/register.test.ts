import { describe, expect, it } from 'vitest';
import { BackupRegister, createCoverage, type MadeBackup } from '../../../enclave/recovery/index.ts';

const KEY = 'treasury';
const OLD = '11'.repeat(32);
const NEW = '22'.repeat(32);
const MADE: MadeBackup = {
  statement: 'ab'.repeat(48),
  key: KEY,
  recoveryKey: OLD,
  covers: ['cc'.repeat(32)],
  time: '2027-01-01T00:00:00.000Z',
  keeper: null,
};

type Records = Map<string, Uint8Array>;

/** Opens the register on records that stay, as after a restart. */
async function open(records: Records, recoveryKey: string): Promise<BackupRegister> {
  return await BackupRegister.restore(
    {
      *list() {
        for (const id of records.keys()) yield { table: 'backups', id };
      },
      read: ({ id }) => Promise.resolve(records.get(id) ?? null),
    },
    recoveryKey,
  );
}

function seal(records: Records, register: BackupRegister): void {
  for (const { id, plaintext } of register.collectChanges()) {
    if (plaintext === null) records.delete(id);
    else records.set(id, plaintext);
  }
}

function stateOf(register: BackupRegister): string {
  const publicKey = new Uint8Array(Buffer.from(MADE.covers[0] ?? '', 'hex'));
  const key = { publicKey } as never;
  return createCoverage({
    configuration: { keys: [], recovery: { required: [KEY] } } as never,
    keyring: { key: () => key, shareRecord: () => undefined },
    pools: undefined,
    register,
    now: () => 0,
  }).of(KEY);
}

async function kept(): Promise<Records> {
  const records: Records = new Map();
  const register = await open(records, OLD);
  register.add(MADE);
  register.acknowledge(MADE.statement, 'keeper');
  seal(records, register);
  return records;
}

describe('the backups that a node has made', () => {
  it('count over a restart once a keeper has acknowledged them', async () => {
    expect(stateOf(await open(await kept(), OLD))).toBe('kept');
  });

  it('count no more where the manifest names another recovery key, which does not open them', async () => {
    const records = await kept();
    const register = await open(records, NEW);
    expect(stateOf(register)).toBe('missing');
    seal(records, register);
    expect(records.size).toBe(0);
  });
});
