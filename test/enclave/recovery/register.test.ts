import { describe, expect, it } from 'vitest';
import {
  BackupRegister,
  coverOfShare,
  createCoverage,
  type MadeBackup,
} from '../../../enclave/recovery/index.ts';
import { digestShareGroup } from '../../../shared/frost/index.ts';

const KEY = 'treasury';
const OLD = '11'.repeat(32);
const NEW = '22'.repeat(32);
const MADE: MadeBackup = {
  statement: 'ab'.repeat(48),
  key: KEY,
  recoveryKey: OLD,
  covers: ['cc'.repeat(32)],
  time: '2027-01-01T00:00:00.000Z',
  keepers: [],
};
const ALICE = { id: 'alice', publicKey: 'a1'.repeat(32) };
const BOB = { id: 'bob', publicKey: 'b0'.repeat(32) };

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

interface Person {
  readonly id: string;
  readonly publicKey: string;
}

/** Judges by a configuration whose group of keepers has these people. */
function judge(register: BackupRegister, keepers: readonly Person[]) {
  const publicKey = new Uint8Array(Buffer.from(MADE.covers[0] ?? '', 'hex'));
  const key = { publicKey } as never;
  return createCoverage({
    configuration: {
      keys: [],
      recovery: { required: [KEY], keepers: 'keepers' },
      approvers: [ALICE, BOB].map(({ id, publicKey: known }) => ({
        id,
        credentials: [
          { type: 'ed25519', publicKey: keepers.find((one) => one.id === id)?.publicKey ?? known },
        ],
      })),
      approverGroups: [{ id: 'keepers', approvers: keepers.map(({ id }) => id) }],
    } as never,
    keyring: { key: () => key, shareRecord: () => undefined },
    pools: undefined,
    register,
    now: () => 0,
  });
}

const stateOf = (register: BackupRegister, keepers: readonly Person[] = [ALICE]) =>
  judge(register, keepers).of(KEY);

async function kept(): Promise<Records> {
  const records: Records = new Map();
  const register = await open(records, OLD);
  register.add(MADE);
  register.acknowledge(MADE.statement, ALICE);
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

describe('the word of a keeper', () => {
  it('counts no more once the configuration does not name the keeper, or names another key for them', async () => {
    const register = await open(await kept(), OLD);
    expect(stateOf(register)).toBe('kept');
    expect(stateOf(register, [])).toBe('missing');
    expect(stateOf(register, [BOB])).toBe('missing');
    expect(stateOf(register, [{ ...ALICE, publicKey: 'ff'.repeat(32) }])).toBe('missing');
    // A key that is now somebody else's says nothing less than before.
    expect(stateOf(register, [{ ...BOB, publicKey: ALICE.publicKey }])).toBe('kept');
  });

  it('is told by name when it counts no more, and the alert is raised', async () => {
    const register = await open(await kept(), OLD);
    expect(judge(register, [ALICE]).describe(KEY)).toMatchObject({
      state: 'kept',
      kept: { statement: MADE.statement, keeper: 'alice' },
      formerKeepers: [],
    });
    const judged = judge(register, [BOB]);
    expect(judged.describe(KEY)).toEqual({ state: 'missing', kept: null, formerKeepers: ['alice'] });
    expect(judged.alert).toBe('BACKUP_MISSING');
  });

  it('is not undone by another keeper who goes later, on the same backup or on a newer one', async () => {
    const register = await open(await kept(), OLD);
    register.acknowledge(MADE.statement, BOB);
    expect([stateOf(register, [ALICE]), stateOf(register, [BOB])]).toEqual(['kept', 'kept']);
    const newer = { ...MADE, statement: 'cd'.repeat(48), time: '2027-01-02T00:00:00.000Z' };
    const other = await open(await kept(), OLD);
    other.add(newer);
    other.acknowledge(newer.statement, BOB);
    expect([stateOf(other, [ALICE]), stateOf(other, [BOB])]).toEqual(['kept', 'kept']);
  });

  it('is remembered of few at a time, the last of whom count', async () => {
    const records = await kept();
    const register = await open(records, OLD);
    for (let place = 0; place < 100; place += 1)
      register.acknowledge(MADE.statement, { id: `k${place}`, publicKey: String(place).padStart(64, '0') });
    seal(records, register);
    expect([...records.values()].every(({ length }) => length < 2048)).toBe(true);
    const last = { ...ALICE, publicKey: '99'.padStart(64, '0') };
    expect(stateOf(await open(records, OLD), [last])).toBe('kept');
  });
});

describe('a backup of an epoch of before', () => {
  const group = (epoch: number) => ({
    type: 'frost-ed25519' as const,
    epoch,
    threshold: 2,
    signers: [1, 2, 3],
    commitments: [new Uint8Array(32).fill(1), new Uint8Array(32).fill(epoch + 2)],
  });

  /** A key whose share is of epoch 2, made at this time, and a backup of epoch 1 that is kept. */
  async function judgeEpochs(graceSeconds: number, now: () => number, made: number) {
    const register = await open(new Map(), OLD);
    const covers = [coverOfShare({ epoch: 1, group: digestShareGroup(group(1)) })];
    register.add({ ...MADE, covers });
    register.acknowledge(MADE.statement, ALICE);
    return createCoverage({
      configuration: {
        keys: [],
        recovery: { required: [KEY], keepers: 'keepers', graceSeconds },
        approvers: [{ id: 'alice', credentials: [{ type: 'ed25519', publicKey: ALICE.publicKey }] }],
        approverGroups: [{ id: 'keepers', approvers: ['alice'] }],
      } as never,
      keyring: {
        key: () => undefined,
        shareRecord: () => ({ current: { group: group(2) }, history: [{ epoch: 2, time: made }] }) as never,
      },
      pools: undefined,
      register,
      now,
    });
  }

  it('counts for the time of grace after the ceremony, and not a millisecond longer', async () => {
    const made = Date.UTC(2027, 0);
    let now = made;
    const coverage = await judgeEpochs(60, () => now, made);
    const at = (milliseconds: number) => {
      now = made + milliseconds;
      return coverage.of(KEY);
    };
    expect([at(0), at(59_999), at(60_000), at(1e9)]).toEqual(['kept', 'kept', 'outdated', 'outdated']);
  });

  it('is told as outdated and alerted of within the time of grace, so that somebody hears of it in time', async () => {
    const coverage = await judgeEpochs(60, () => 0, 0);
    expect([coverage.of(KEY), coverage.describe(KEY).state, coverage.alert]).toEqual([
      'kept',
      'outdated',
      'BACKUP_OUTDATED',
    ]);
  });

  it('counts not at all without a time of grace', async () => {
    expect((await judgeEpochs(0, () => 0, 0)).of(KEY)).toBe('outdated');
  });
});
