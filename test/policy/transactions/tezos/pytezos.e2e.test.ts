import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeTezos } from '../../../../policy/transactions/tezos/index.ts';
import { drawContents, forgeContents } from '../../../fuzz/tezos-comparison.ts';
import {
  BRANCH,
  type Content,
  consensus,
  contextOf,
  EVERY_KIND,
  forge,
  operation,
  outcome,
  PAYLOAD_HASH,
} from './samples.ts';
import { findMadeOrSay } from '../../../support/find-made.ts';

const SCRIPT = join(import.meta.dirname, 'python/forge.py');
/** Kinds that pytezos 3.20 forges as the protocol has them today; its reveal has no flag for a proof of possession. */
const FORGED_ALIKE = [
  'transaction',
  'delegation',
  'origination',
  'register_global_constant',
  'smart_rollup_add_messages',
];

/** The folder of a Python with pytezos. */
const forger = findMadeOrSay('Tezos was not held against pytezos', 'tezos-forger.sh');

function forgeByPython(groups: readonly (readonly Content[])[]): readonly string[] {
  const input = groups.map((contents) => JSON.stringify({ branch: BRANCH, contents })).join('\n');
  const { status, stdout, stderr } = spawnSync(join(forger ?? '', 'bin/python'), [SCRIPT], {
    input,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim().split('\n');
}

const named = Object.entries(EVERY_KIND).filter(([, { kind }]) => FORGED_ALIKE.includes(kind));
const drawn = Array.from({ length: 400 }, (_, number) => drawContents('pytezos', number)).filter((contents) =>
  contents.every(({ kind }) => FORGED_ALIKE.includes(kind)),
);
const BITS = ['0', '1', '63', '64', '127', String(2n ** 70n - 1n)];
const STATEMENT = { slot: 3, level: 5_000_000, round: 1, block_payload_hash: PAYLOAD_HASH };
const statements: readonly Content[] = [
  { kind: 'preattestation', ...STATEMENT },
  { kind: 'attestation', ...STATEMENT },
  ...BITS.map((bits) => ({ kind: 'attestation_with_dal', ...STATEMENT, dal_attestation: bits })),
];

describe.skipIf(forger === undefined)('what pytezos forges', () => {
  const forged: Record<'named' | 'drawn' | 'statements', readonly string[]> = {
    named: [],
    drawn: [],
    statements: [],
  };
  beforeAll(() => {
    const groups = [...named.map(([, content]) => [content]), ...drawn, ...statements.map((each) => [each])];
    const lines = forgeByPython(groups);
    forged.named = lines.slice(0, named.length);
    forged.drawn = lines.slice(named.length, named.length + drawn.length);
    forged.statements = lines.slice(named.length + drawn.length);
  });

  it.each(named.map(([name, content], index) => [name, content, index] as const))(
    '%s is what taquito forges',
    async (_name, content, index) => {
      expect(forged.named[index]).toBe(await forge(content));
      expect(outcome(() => decodeTezos(operation(forged.named[index] ?? ''), contextOf()))).toBe('accepted');
    },
  );

  it('of drawn operations is what taquito forges, and what the decoder takes', async () => {
    expect(drawn.length).toBeGreaterThan(100);
    for (const [index, contents] of drawn.entries()) {
      const bytes = forged.drawn[index] ?? '';
      expect(bytes).toBe(await forgeContents(contents));
      expect(outcome(() => decodeTezos(operation(bytes), contextOf()))).toMatch(
        /^(accepted|TRANSACTION_UNSAFE|TRANSACTION_KEY_MISMATCH)$/,
      );
    }
  });

  it('of consensus operations is read as the same fields, bit sets of the DAL among them', () => {
    const found = forged.statements.map((bytes, index) => {
      const { transaction } = decodeTezos(
        consensus(`${index === 0 ? '12' : '13'}7a06a770${bytes}`),
        contextOf(),
      );
      return [transaction.effects[0]?.selector, transaction.effects[0]?.details['dalAttestation']];
    });
    expect(found).toEqual([
      ['preattestation', undefined],
      ['attestation', undefined],
      ...BITS.map((bits) => ['attestation-with-dal', bits]),
    ]);
  });
});
