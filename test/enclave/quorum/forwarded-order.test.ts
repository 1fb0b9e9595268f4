import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../audit/transcript/index.ts';
import { CeremonyError } from '../../../enclave/quorum/ceremonies/index.ts';
import { assertOrdered } from '../../../enclave/quorum/forwarded-order.ts';

const QUORUM = { nodes: [1, 2, 3], threshold: 2 };
const PUBLIC_KEY = new Uint8Array(32).fill(2);

function makePlan(operation: 'generate' | 'import-key', change: Partial<Plan> = {}): Plan {
  const publicKey = operation === 'generate' ? null : PUBLIC_KEY;
  return {
    format: 'holdfast-ceremony/1',
    id: new Uint8Array(16),
    operation,
    coordinator: 1,
    time: 0,
    threshold: 2,
    dealers: operation === 'generate' ? [1, 2, 3] : [1],
    holders: [1, 2, 3],
    members: [],
    keys: [{ key: 'shared', type: 'frost-ed25519', epoch: 1, former: null, origin: null, publicKey }],
    abandons: [],
    request: new Uint8Array(32),
    ...change,
  };
}

const ORDERS = {
  generate: { kind: 'generate', key: 'shared' },
  'import-key': {
    kind: 'import-key',
    key: 'shared',
    publicKey: Buffer.from(PUBLIC_KEY).toString('hex'),
    encapsulatedKey: '00'.repeat(32),
    ciphertext: '00'.repeat(48),
  },
} as const;

function codeOf(kind: keyof typeof ORDERS, change: Partial<Plan>): string {
  try {
    assertOrdered(makePlan(kind, change), ORDERS[kind], QUORUM);
  } catch (error) {
    if (error instanceof CeremonyError) return error.code;
    throw error;
  }
  return 'none';
}

describe.each(['generate', 'import-key'] as const)('an order to %s', (kind) => {
  it('is carried out by a plan for all nodes of the quorum, with the threshold of the manifest', () => {
    expect(codeOf(kind, {})).toBe('none');
  });

  it('lets its coordinator choose neither nodes nor threshold nor key', () => {
    expect(codeOf(kind, { holders: [1, 3], dealers: [1, 3] })).toBe('CEREMONY_PLAN_REFUSED');
    expect(codeOf(kind, { holders: [1, 2, 3, 4] })).toBe('CEREMONY_PLAN_REFUSED');
    expect(codeOf(kind, { threshold: 3 })).toBe('CEREMONY_PLAN_REFUSED');
    const keys = makePlan(kind).keys.map((key) => ({ ...key, key: 'other' }));
    expect(codeOf(kind, { keys })).toBe('CEREMONY_PLAN_REFUSED');
  });
});
