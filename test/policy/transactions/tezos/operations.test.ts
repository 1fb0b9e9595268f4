import { blake2b } from '@noble/hashes/blake2.js';
import { hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { Reader } from '../../../../policy/transactions/tezos/bytes.ts';
import { decodeTezos } from '../../../../policy/transactions/tezos/index.ts';
import { operation as codec } from '../../../../policy/transactions/tezos/operations.ts';
import {
  ACCOUNTS,
  BLS_SIGNATURE,
  call,
  CONTRACT,
  contextOf,
  decodeForged,
  EVERY_KIND,
  forge,
  MAINNET,
  manager,
  micheline,
  operation,
  OTHER,
  SOURCE,
  transaction,
} from './samples.ts';
import { toContent } from './taquito-form.ts';

const TEZ = `${MAINNET}/slip44:1729`;
const BRANCH_DIGITS = 64;
/** Fields whose notation is taquito's alone: compared by what taquito forges of them. */
const IN_HEX: Readonly<Record<string, string>> = {
  proof: '',
  cemented_commitment: '',
};

function withoutHex(content: Readonly<Record<string, unknown>>): unknown {
  return Object.fromEntries(Object.entries(content).filter(([name]) => !(name in IN_HEX)));
}

describe('every kind of operation that taquito forges', () => {
  it.each(Object.entries(EVERY_KIND))('%s decodes to its own fields', async (_name, content) => {
    const forged = await forge(content);
    const decoded = codec.read(new Reader(hexToBytes(forged.slice(BRANCH_DIGITS))));
    expect(withoutHex(toContent(decoded))).toEqual(withoutHex(content));
    // The whole decoder takes it, too: it has encoded to the same bytes.
    expect(decodeTezos(operation(forged), contextOf()).transaction.effects.length).toBeGreaterThan(0);
  });

  it('reads a publication of a commitment', async () => {
    const proof = 'ab'.repeat(96);
    const forged = await forge({ kind: 'failing_noop', arbitrary: '00' });
    const tail = await forge({ kind: 'delegation', ...manager() });
    const bytes = `${forged.slice(0, BRANCH_DIGITS)}e6${tail.slice(BRANCH_DIGITS + 2, -2)}07${'cd'.repeat(48)}${proof}`;
    const { transaction: decoded } = decodeTezos(operation(bytes), contextOf());
    expect(decoded.features).toEqual(['tezos:dal-publish-commitment']);
    expect(decoded.effects[0]?.details).toEqual({ slot: '7', commitment: 'cd'.repeat(48) });
  });

  it('carries the proof of possession of a BLS key', async () => {
    expect(BLS_SIGNATURE).toMatch(/^BLsig/);
    const decoded = await decodeForged({
      ...EVERY_KIND['update_companion_key'],
      kind: 'update_companion_key',
    });
    expect(decoded.transaction).toMatchObject({ features: ['tezos:update-companion-key'] });
  });
});

describe('a group of operations', () => {
  it('sums fees, gas and the storage that it may burn, and starts at the first counter', async () => {
    const { transaction: decoded } = await decodeForged(
      { kind: 'reveal', ...manager(7), storage_limit: '0', public_key: ACCOUNTS.ed25519.publicKey },
      transaction({ ...manager(8), amount: '9223372036854775807' }),
      {
        kind: 'increase_paid_storage',
        ...manager(9),
        storage_limit: '0',
        amount: '10',
        destination: CONTRACT,
      },
    );
    expect(decoded).toMatchObject({
      kind: 'tezos-operation',
      network: MAINNET,
      source: SOURCE,
      fee: { asset: TEZ, amount: 3n * 1420n + (257n + 10n) * 250n },
      nonce: 7n,
      gas: 3_120_000n,
      features: ['tezos:increase-paid-storage'],
      details: {
        operations: 'reveal transaction increase_paid_storage',
        bakerFee: '4260',
        storageBurnAtMost: '66750',
      },
    });
    expect(decoded.effects).toMatchObject([
      { type: 'reveal', details: { publicKey: ACCOUNTS.ed25519.publicKey } },
      { type: 'transfer', to: OTHER, asset: TEZ, amount: 9_223_372_036_854_775_807n, contract: null },
      { type: 'call', to: CONTRACT, contract: null, selector: 'increase_paid_storage' },
    ]);
  });

  it.each(Object.keys(ACCOUNTS) as (keyof typeof ACCOUNTS)[])(
    'of a key of %s is hashed with BLAKE2b-256',
    async (algorithm) => {
      const forged = await forge(transaction({ source: ACCOUNTS[algorithm].address }));
      const { transaction: decoded, signings } = decodeTezos(operation(forged), contextOf(algorithm));
      const digest = blake2b(hexToBytes(`03${forged}`), { dkLen: 32 });
      expect(decoded.source).toBe(ACCOUNTS[algorithm].address);
      expect(signings).toEqual([
        {
          input: algorithm === 'ed25519' ? { kind: 'message', message: digest } : { kind: 'digest', digest },
        },
      ]);
    },
  );
});

describe('effects', () => {
  it('of a payment to a contract name the entrypoint that it runs', async () => {
    const decoded = await decodeForged(transaction({ destination: CONTRACT }));
    expect(decoded.transaction.effects).toEqual([
      {
        type: 'transfer',
        to: CONTRACT,
        asset: TEZ,
        amount: 1_000_000n,
        contract: CONTRACT,
        selector: 'default',
        details: {},
      },
    ]);
  });

  it('of a call with an amount are the payment and the call', async () => {
    const decoded = await decodeForged(call('swap', micheline.pair(micheline.int(1), []), { amount: '5' }));
    expect(decoded.transaction.effects).toMatchObject([
      { type: 'transfer', to: CONTRACT, asset: TEZ, amount: 5n, contract: CONTRACT, selector: 'swap' },
      { type: 'call', contract: CONTRACT, selector: 'swap', details: { parameters: 'Pair 1 { }' } },
    ]);
  });

  it('of a plain transaction of nothing to a contract are a call', async () => {
    const decoded = await decodeForged(transaction({ destination: CONTRACT, amount: '0' }));
    expect(decoded.transaction.effects).toMatchObject([{ type: 'call', selector: 'default', amount: null }]);
  });

  it.each([
    ['stake', 'stake', 1_000_000n],
    ['unstake', 'unstake', 1_000_000n],
    ['finalize_unstake', 'finalize_unstake', null],
  ])('of %s are a stake', async (name, selector, amount) => {
    const decoded = await decodeForged(EVERY_KIND[name] ?? transaction());
    expect(decoded.transaction).toMatchObject({
      effects: [{ type: 'stake', to: SOURCE, asset: TEZ, amount, selector, contract: null }],
      features: [],
    });
  });

  it('of delegate parameters have a feature that a rule must name', async () => {
    const decoded = await decodeForged(EVERY_KIND['set_delegate_parameters'] ?? transaction());
    expect(decoded.transaction).toMatchObject({
      effects: [
        {
          type: 'stake',
          selector: 'set_delegate_parameters',
          amount: null,
          details: {
            limitOfStakingOverBakingMillionth: '5000000',
            edgeOfBakingOverStakingBillionth: '100000000',
          },
        },
      ],
      features: ['tezos:set-delegate-parameters'],
    });
  });

  it('of a delegation name the delegate, or nobody', async () => {
    const [given, ended] = await Promise.all([
      decodeForged(EVERY_KIND['delegation to another'] ?? transaction()),
      decodeForged(EVERY_KIND['delegation that ends'] ?? transaction()),
    ]);
    expect(given.transaction.effects).toMatchObject([
      { type: 'delegate', to: ACCOUNTS['ecdsa-p256-sha256'].address },
    ]);
    expect(ended.transaction.effects).toMatchObject([{ type: 'delegate', to: null }]);
  });

  it('of a new consensus key name whom it hands the rights to', async () => {
    const decoded = await decodeForged(EVERY_KIND['update_consensus_key'] ?? transaction());
    expect(decoded.transaction).toMatchObject({
      effects: [{ type: 'delegate', to: ACCOUNTS['ecdsa-p256-sha256'].address }],
      features: ['tezos:update-consensus-key'],
    });
  });

  it('of a drained delegate are a transfer of what nobody knows, and no fee', async () => {
    const decoded = await decodeForged(EVERY_KIND['drain_delegate'] ?? transaction());
    expect(decoded.transaction).toMatchObject({
      effects: [{ type: 'transfer', to: OTHER, asset: TEZ, amount: null, details: { from: OTHER } }],
      fee: null,
      nonce: null,
      gas: null,
      features: ['tezos:drain-delegate'],
    });
  });

  it('of an origination are the new contract and its delegate', async () => {
    const decoded = await decodeForged(EVERY_KIND['origination'] ?? transaction());
    expect(decoded.transaction.effects).toMatchObject([
      { type: 'deploy', asset: TEZ, amount: 7n, details: { storage: `Pair 1 ${2n ** 70n} "a \\"b\\"\\n"` } },
      { type: 'delegate' },
    ]);
    expect(decoded.transaction.effects[0]?.details['code']).toBe(
      '{ parameter (or (int %a) (unit %b :c)) ; storage (pair @x int nat string) ; code { CDR ; NIL operation ; PAIR } }',
    );
  });

  it('have details of a bounded length, whatever the parameters', async () => {
    const large = Array.from({ length: 2000 }, () => micheline.int(1));
    const decoded = await decodeForged(call('many', large), call('many', large, manager(42)));
    for (const { details } of decoded.transaction.effects) expect(details['parameters']?.length).toBe(1025);
  });
});
