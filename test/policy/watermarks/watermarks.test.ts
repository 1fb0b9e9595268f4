import { describe, expect, it } from 'vitest';
import type { ConsensusPosition } from '../../../policy/transactions/tezos/index.ts';
import { readConsensusPosition } from '../../../policy/transactions/tezos/index.ts';
import {
  MAX_WATERMARKS,
  WatermarkError,
  type WatermarkRecord,
  Watermarks,
} from '../../../policy/watermarks/index.ts';
import { attestation, header, preattestation } from '../transactions/tezos/consensus-samples.ts';
import { ACCOUNTS, consensus, SOURCE } from '../transactions/tezos/samples.ts';

const CHAIN = 'NetXdQprcVkpaWU';
const hash = (name: string) => Buffer.from(name.padEnd(32, '.')).toString('hex');

function position(fields: Partial<ConsensusPosition> = {}): ConsensusPosition {
  const { kind = 'block', level = 100, round = 0, payloadHash = hash('P') } = fields;
  const digest = hash([kind, level, round, payloadHash.slice(0, 2)].join(' '));
  return { chain: CHAIN, kind, level, round, payloadHash, digest, ...fields };
}

/** Watermarks that have advanced to each of some positions; a refusal is thrown. */
function advanced(...positions: readonly Partial<ConsensusPosition>[]): Watermarks {
  const watermarks = Watermarks.restore([]);
  for (const each of positions) watermarks.advance(SOURCE, position(each));
  return watermarks;
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof WatermarkError) return error.code;
    throw error;
  }
  return 'none';
}

describe('a watermark', () => {
  it('lets a baker sign block, preattestation and attestation of one round, once each', () => {
    const kinds = ['block', 'preattestation', 'attestation'] as const;
    const watermarks = advanced(...kinds.map((kind) => ({ kind })));
    for (const kind of kinds) expect(watermarks.check(SOURCE, position({ kind }))).toBe('repeat');
  });

  it('lets a baker that proposes nothing attest, round after round and level after level', () => {
    const watermarks = Watermarks.restore([]);
    for (const each of [
      { kind: 'preattestation' },
      { kind: 'attestation' },
      { kind: 'preattestation', round: 1 },
      { kind: 'preattestation', round: 2 },
      { kind: 'attestation-with-dal', round: 2 },
      { kind: 'block', level: 101 },
      { kind: 'attestation', level: 101 },
    ] as const) {
      expect(watermarks.advance(SOURCE, position(each))).toBe('advance');
    }
  });

  it.each<readonly [string, readonly Partial<ConsensusPosition>[], Partial<ConsensusPosition>, string]>([
    ['another block', [{}], { digest: hash('other') }, 'WATERMARK_CONFLICT'],
    [
      'another preattestation',
      [{ kind: 'preattestation' }],
      { kind: 'preattestation', digest: hash('other') },
      'WATERMARK_CONFLICT',
    ],
    [
      'another attestation',
      [{ kind: 'attestation' }],
      { kind: 'attestation', digest: hash('other') },
      'WATERMARK_CONFLICT',
    ],
    [
      'an attestation once more with DAL content',
      [{ kind: 'attestation' }],
      { kind: 'attestation-with-dal' },
      'WATERMARK_CONFLICT',
    ],
    [
      'an attestation once more without DAL content',
      [{ kind: 'attestation-with-dal' }],
      { kind: 'attestation' },
      'WATERMARK_CONFLICT',
    ],
    [
      'a preattestation of another proposal than the own',
      [{}],
      { kind: 'preattestation', payloadHash: hash('Q') },
      'WATERMARK_CONFLICT',
    ],
    [
      'an attestation of another proposal than the preattested',
      [{ kind: 'preattestation' }],
      { kind: 'attestation', payloadHash: hash('Q') },
      'WATERMARK_CONFLICT',
    ],
    ['a block after the preattestation', [{ kind: 'preattestation' }], {}, 'WATERMARK_TOO_LOW'],
    [
      'a preattestation after the attestation',
      [{ kind: 'attestation' }],
      { kind: 'preattestation' },
      'WATERMARK_TOO_LOW',
    ],
    ['a lower level with a higher round', [{}], { level: 99, round: 5 }, 'WATERMARK_TOO_LOW'],
    ['a lower round', [{ round: 1 }], { round: 0 }, 'WATERMARK_TOO_LOW'],
    ['what was signed before a later round', [{}, { round: 1 }], {}, 'WATERMARK_TOO_LOW'],
    [
      'an attestation of the level before the own block',
      [{ level: 101 }],
      { kind: 'attestation' },
      'WATERMARK_TOO_LOW',
    ],
  ])('refuses %s', (_name, signed, asked, code) => {
    const watermarks = advanced(...signed);
    const before = JSON.stringify([...Watermarks.restore(watermarks.collectDirty()).collectDirty()]);
    expect(watermarks.check(SOURCE, position(asked))).toBe(code);
    expect(codeOf(() => watermarks.advance(SOURCE, position(asked)))).toBe(code);
    expect(JSON.stringify([...watermarks.collectDirty()])).toBe(before);
  });

  it('takes a higher level with a lower round, and a new round with another proposal', () => {
    const watermarks = advanced({ round: 3 });
    expect(watermarks.advance(SOURCE, position({ round: 4, payloadHash: hash('Q') }))).toBe('advance');
    expect(watermarks.advance(SOURCE, position({ level: 101, round: 0 }))).toBe('advance');
  });

  it('is one for each account and chain', () => {
    const watermarks = advanced({});
    const other = position({ digest: hash('other') });
    expect(watermarks.check(ACCOUNTS['ecdsa-p256-sha256'].address, other)).toBe('advance');
    expect(watermarks.check(SOURCE, { ...other, chain: 'NetXnHfVqm9iesp' })).toBe('advance');
    expect(() => watermarks.check('KT1Cj3SpMHh7NeNrD37zZHDxFAgaXwi3yx7P', other)).toThrow(TypeError);
  });

  it('judges what the decoder reads', async () => {
    const watermarks = Watermarks.restore([]);
    const check = (hex: string) => watermarks.advance(SOURCE, readConsensusPosition(consensus(hex), SOURCE));
    const level = 9;
    const payloadHash = readConsensusPosition(consensus(await attestation({ level })), SOURCE).payloadHash;
    expect(check(header({ level, payloadHash }))).toBe('advance');
    expect(codeOf(() => check(header({ level, payloadHash, timestamp: 1 })))).toBe('WATERMARK_CONFLICT');
    expect(check(preattestation({ level, payloadHash }))).toBe('advance');
    expect(codeOf(() => check(preattestation({ level, payloadHash, slot: 4 })))).toBe('WATERMARK_CONFLICT');
    const dal = await attestation({ level, dal: 1 });
    expect(check(dal)).toBe('advance');
    expect(check(dal)).toBe('repeat');
    const plain = await attestation({ level });
    expect(codeOf(() => check(plain))).toBe('WATERMARK_CONFLICT');
  });
});

describe('records of watermarks', () => {
  const [record = { id: '', bytes: new Uint8Array() }] = advanced(
    {},
    { kind: 'attestation', digest: hash('a') },
  ).collectDirty();
  const restore = (...records: readonly WatermarkRecord[]) => codeOf(() => Watermarks.restore(records));

  it('are named by account and chain, hold each step, and are handed out once', () => {
    expect(record.id).toMatch(/^tz1\.[0-9a-f]{40}\.7a06a770$/);
    expect(record.bytes.length).toBe(42 + 2 * 32);
    const watermarks = Watermarks.restore([record]);
    expect(watermarks.collectDirty()).toEqual([]);
    expect(watermarks.check(SOURCE, position())).toBe('repeat');
    expect(watermarks.check(SOURCE, position({ kind: 'attestation', digest: hash('a') }))).toBe('repeat');
    expect(watermarks.check(SOURCE, position({ kind: 'attestation', digest: hash('b') }))).toBe(
      'WATERMARK_CONFLICT',
    );
    watermarks.advance(SOURCE, position({ level: 101 }));
    expect(watermarks.collectDirty().map(({ id }) => id)).toEqual([record.id]);
    expect(watermarks.collectDirty()).toEqual([]);
  });

  it('of another format, length or name are refused', () => {
    expect(restore(record)).toBe('none');
    for (let length = 0; length < record.bytes.length; length += 1) {
      expect(restore({ ...record, bytes: record.bytes.subarray(0, length) })).toBe('WATERMARK_UNREADABLE');
    }
    expect(restore({ ...record, bytes: Buffer.concat([record.bytes, Buffer.alloc(1)]) })).toBe(
      'WATERMARK_UNREADABLE',
    );
    for (const [at, byte] of [
      [0, 0],
      [0, 2],
      [1, 0x80],
      [5, 0x80],
      [9, 0],
      [9, 1],
      [9, 7],
      [9, 13],
    ] as const) {
      const bytes = Uint8Array.from(record.bytes);
      bytes[at] = byte;
      expect(restore({ ...record, bytes })).toBe('WATERMARK_UNREADABLE');
    }
    const zero = Uint8Array.from(record.bytes);
    zero.fill(0, 1, 5);
    expect(restore({ ...record, bytes: zero })).toBe('WATERMARK_UNREADABLE');
    for (const id of ['', 'tz1', record.id.toUpperCase(), record.id.replace('tz1', 'tz5'), `${record.id}0`]) {
      expect(restore({ ...record, id })).toBe('WATERMARK_UNREADABLE');
    }
    expect(restore(record, record)).toBe('WATERMARK_UNREADABLE');
  });

  it('are at most as many as a node may have', () => {
    const many = Array.from({ length: MAX_WATERMARKS + 1 }, (_, index) => ({
      ...record,
      id: `tz2.${index.toString(16).padStart(40, '0')}.7a06a770`,
    }));
    expect(restore(...many)).toBe('WATERMARK_LIMIT');
    const full = Watermarks.restore(many.slice(1));
    expect(full.check(SOURCE, position())).toBe('WATERMARK_LIMIT');
    expect(codeOf(() => full.advance(SOURCE, position()))).toBe('WATERMARK_LIMIT');
    expect(Watermarks.restore(many.slice(2)).advance(SOURCE, position())).toBe('advance');
  });
});
