import { describe, expect, it } from 'vitest';
import type { ShareRecord } from '../../../enclave/frost/index.ts';
import {
  RefreshSchedule,
  refreshOnSchedule,
  type ScheduledKeeper,
} from '../../../enclave/quorum/refresh-schedule.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const HOURS = 24;

interface Key {
  readonly signers?: readonly number[];
  readonly madeAt?: number | null;
  readonly isPending?: boolean;
}

function makeRecord({ signers = [1, 2, 3], madeAt = 0, isPending = false }: Key): ShareRecord {
  const group = { type: 'frost-ed25519' as const, epoch: 2, threshold: 2, signers, commitments: [] };
  const share = { group, participant: 1, share: new Uint8Array(32) };
  const ceremony = new Uint8Array(16);
  return {
    type: 'frost-ed25519',
    origin: null,
    current: share,
    pending: isPending ? [{ ceremony, transcript: new Uint8Array(32), isAborted: false, share }] : [],
    superseded: null,
    history: madeAt === null ? [] : [{ epoch: 2, ceremony, time: madeAt }],
  };
}

function makeKeeper(keys: Readonly<Record<string, Key>>) {
  const records = new Map(Object.entries(keys).map(([id, key]) => [id, makeRecord(key)]));
  const keeper: ScheduledKeeper = {
    shareIds: () => [...records.keys()],
    shareRecord: (id) => records.get(id),
  };
  return { records, keeper };
}

const all = () => true;

function makeSchedule(
  keys: Readonly<Record<string, Key>>,
  options: { self?: number; refreshHours?: number | null } = {},
) {
  const clock = { now: 0 };
  const { keeper, records } = makeKeeper(keys);
  const { self = 1, refreshHours = HOURS } = options;
  return {
    schedule: new RefreshSchedule({ self, refreshHours, keeper, now: () => clock.now }),
    clock,
    records,
  };
}

describe('a schedule of refreshes', () => {
  it('leads what is due, as the lowest-numbered holder, where all holders are reachable', () => {
    const { schedule, clock } = makeSchedule({
      old: {},
      young: { madeAt: HOUR },
      others: { signers: [2, 3] },
      pending: { isPending: true },
    });
    expect(schedule.dueAt('old')).toBe(HOURS * HOUR);
    clock.now = HOURS * HOUR - 1;
    expect(schedule.nextBatch(all)).toEqual([]);
    clock.now += 1;
    expect(schedule.nextBatch(all)).toEqual(['old']);
    expect(schedule.nextBatch((node) => node !== 3)).toEqual([]);
  });

  it('leads nothing as another holder, or without hours in the configuration', () => {
    const second = makeSchedule({ old: {} }, { self: 2 });
    second.clock.now = HOURS * HOUR;
    expect(second.schedule.nextBatch(all)).toEqual([]);
    const onDemand = makeSchedule({ old: {} }, { refreshHours: null });
    onDemand.clock.now = 1_000 * HOUR;
    expect(onDemand.schedule.nextBatch(all)).toEqual([]);
    expect(onDemand.schedule.dueAt('old')).toBeNull();
  });

  it('makes batches of at most 32 keys of the same holders', () => {
    const keys = Object.fromEntries(
      Array.from({ length: 80 }, (_, index): [string, Key] => [
        `key-${index}`,
        { signers: index % 2 === 0 ? [1, 2] : [1, 3] },
      ]),
    );
    const { schedule, clock } = makeSchedule(keys);
    clock.now = HOURS * HOUR;
    const batch = schedule.nextBatch(all);
    expect(batch).toHaveLength(32);
    expect(batch.every((key) => Number(key.slice(4)) % 2 === 0)).toBe(true);
  });

  it('tries a key that has failed alone and later, and goes on with the others', () => {
    const { schedule, clock } = makeSchedule({ bad: {}, good: {} });
    clock.now = HOURS * HOUR;
    expect(schedule.nextBatch(all)).toEqual(['bad', 'good']);
    schedule.note(['bad', 'good'], true);
    expect(schedule.nextBatch(all)).toEqual([]);
    clock.now += 2 * MINUTE;
    expect(schedule.nextBatch(all)).toEqual(['bad']);
    schedule.note(['bad'], true);
    expect(schedule.nextBatch(all)).toEqual(['good']);
    schedule.note(['good'], false);
    clock.now += 4 * MINUTE - 1;
    expect(schedule.nextBatch(all)).toEqual(['good']);
    for (let count = 0; count < 100; count += 1) schedule.note(['bad'], true);
    clock.now += HOUR;
    schedule.note(['good'], true);
    expect(schedule.nextBatch(all)).toEqual(['bad']);
  });

  it('counts the age of a dealt share from the start of the node', () => {
    const { schedule, clock } = makeSchedule({ dealt: { madeAt: null } });
    clock.now = 1_000 * HOUR;
    expect(schedule.nextBatch(all)).toEqual([]);
    clock.now += HOURS * HOUR;
    expect(schedule.nextBatch(all)).toEqual(['dealt']);
  });
});

describe('a refresh that another node leads by itself', () => {
  const plan = (key: string, change: object = {}) =>
    ({
      operation: 'refresh',
      coordinator: 1,
      holders: [1, 2, 3],
      keys: [{ key }],
      ...change,
    }) as const;
  const refused = expect.objectContaining({ code: 'CEREMONY_NOT_ORDERED' });

  it('is taken when the shares are old enough by the own clock, and again only after that time', () => {
    const { schedule, clock, records } = makeSchedule({ shared: {} }, { self: 2 });
    clock.now = 0.9 * HOURS * HOUR - 1;
    expect(() => schedule.assertOrdered(plan('shared'))).toThrow(refused);
    clock.now += 1;
    expect(() => schedule.assertOrdered(plan('shared'))).not.toThrow();
    records.set('shared', makeRecord({ madeAt: clock.now }));
    clock.now += HOUR;
    expect(() => schedule.assertOrdered(plan('shared'))).toThrow(refused);
  });

  it('is refused of another kind, of a key without a share, of a stranger, and on demand alone', () => {
    const { schedule, clock } = makeSchedule({ shared: {} }, { self: 2 });
    clock.now = HOURS * HOUR;
    expect(() => schedule.assertOrdered(plan('shared', { operation: 'reshare' }))).toThrow(refused);
    expect(() => schedule.assertOrdered(plan('shared', { operation: 'repair' }))).toThrow(refused);
    expect(() => schedule.assertOrdered(plan('unknown'))).toThrow(refused);
    expect(() => schedule.assertOrdered(plan('shared', { coordinator: 4 }))).toThrow(refused);
    const onDemand = makeSchedule({ shared: {} }, { self: 2, refreshHours: null });
    onDemand.clock.now = HOURS * HOUR;
    expect(() => onDemand.schedule.assertOrdered(plan('shared'))).toThrow(refused);
  });
});

describe('the loop of scheduled refreshes', () => {
  it('leads until nothing is due, goes on after failures, and ends when it is stopped', async () => {
    const { schedule, clock, records } = makeSchedule({ bad: {}, good: {} });
    const led: string[][] = [];
    const failures: unknown[] = [];
    await refreshOnSchedule({
      schedule,
      isReachable: all,
      lead: async (keys) => {
        led.push([...keys]);
        if (keys.includes('bad')) throw new RangeError('no');
        for (const key of keys) records.set(key, makeRecord({ madeAt: clock.now }));
      },
      onFailure: (error) => failures.push(error),
      sleep: async (milliseconds) => {
        clock.now += milliseconds;
      },
      isStopped: () => clock.now > HOURS * HOUR + 8 * MINUTE,
    });
    expect(led).toEqual([['bad', 'good'], ['bad'], ['good'], ['bad']]);
    expect(failures).toHaveLength(3);
  });
});
